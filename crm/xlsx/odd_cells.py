"""Cells whose values do not tell what is wrong with them: formulas without a value, and merged cells."""

from crm.i18n import Says, says
from crm.xlsx.child import column_letters

NO_VALUE = says(
    "The formula has no value yet. Open the file in a spreadsheet program and save it, or paste the values."
)
FAILED = says("The formula has failed. Correct it or type the value.")


def merged(top: int, left: int, bottom: int, right: int) -> Says:
    """What is said of cells that are one in the sheet; rows and columns counted from 0."""
    span = f"{column_letters(left)}{top + 1}:{column_letters(right)}{bottom + 1}"
    return says("The cells {span} are merged. Unmerge them and fill in each one.", span=span)
