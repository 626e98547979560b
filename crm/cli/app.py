"""All commands under one name."""

from typing import Annotated

import typer

from crm.cli import accounts, customers, database, run
from crm.cli.answer import group
from crm.i18n import _

app = group(_("Thanos CRM: customers shared out perfectly balanced."))
for part in (run, database, customers):
    part.add_to(app)
app.add_typer(accounts.app, name="account")


@app.callback()
def options(
    lang: Annotated[
        str | None, typer.Option("--lang", help=_("Language of the answers: en or zh. Else the terminal's."))
    ] = None,
) -> None:
    """Only to be seen in --help: `crm.cli.main` reads the language before any text is rendered."""
