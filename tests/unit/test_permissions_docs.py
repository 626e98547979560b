"""The worked example in docs/permissions.md runs as it is printed."""

import re

from sqlmodel import SQLModel

from crm.settings import ROOT

TEXT = (ROOT / "docs" / "permissions.md").read_text("utf-8")


def test_the_worked_example_runs():
    example = re.search(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert example

    try:
        exec(compile(example.group(1), "docs/permissions.md", "exec"), {"__name__": "tests.example_of_permissions"})
    finally:
        # No other test is to find the library's table among the school's.
        SQLModel.metadata.remove(SQLModel.metadata.tables["example_loan"])


def test_the_example_uses_nothing_of_the_crm():
    assert set(re.findall(r"^from (crm\.\w+)", TEXT, re.MULTILINE)) == {"crm.errors", "crm.i18n", "crm.rbac"}
