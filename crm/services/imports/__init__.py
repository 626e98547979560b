"""Sheets of customers: look at one, import it, take it back. Each step lives in its own module."""

from crm.services.imports.import_check import check_sheet
from crm.services.imports.import_checked import Checked
from crm.services.imports.import_files import write_report, write_template
from crm.services.imports.import_run import ImportResult, run_import
from crm.services.imports.import_undo import batches, undo_import, undo_many

__all__ = [
    "Checked",
    "ImportResult",
    "batches",
    "check_sheet",
    "run_import",
    "undo_import",
    "undo_many",
    "write_report",
    "write_template",
]
