"""One table for every list of the product: declared, checked, drawn, edited. It knows nothing of what it shows.

Declarations import from here, which needs no Streamlit. Pages draw with `crm.grid.render.render_table`.
"""

from crm.grid.config import Action, Column, Delete, Search, TableConfig
from crm.grid.filters import AnyOf, Related
from crm.grid.form_config import EditForm, Form, Input
from crm.grid.ranges import DateRange, NumberRange
from crm.grid.site import Site

__all__ = [
    "Action",
    "AnyOf",
    "Column",
    "DateRange",
    "Delete",
    "EditForm",
    "Form",
    "Input",
    "NumberRange",
    "Related",
    "Search",
    "Site",
    "TableConfig",
]
