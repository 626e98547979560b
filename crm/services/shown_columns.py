"""Which columns of a table somebody shows or hides against its declaration: kept for the person, on any machine."""

import json
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col

from crm.domain.records import ColumnChoice
from crm.errors import Invalid
from crm.i18n import says
from crm.rbac import Actor
from crm.store.session import is_postgres

_CHOICES = SQLModel.metadata.tables["column_choice"]
LONGEST = 2000


def of_table(session: Session, actor: Actor, table: str, needs: str) -> Mapping[str, bool]:
    """Column -> whether it is shown, where the person chose. `needs` is the permission to open the table."""
    actor.looking().require(needs)
    asked = select(col(ColumnChoice.columns)).where(
        col(ColumnChoice.account_id) == actor.account_id, col(ColumnChoice.table_name) == table
    )
    kept = session.scalar(asked)
    return {name: bool(shown) for name, shown in json.loads(kept).items()} if kept else {}


def keep(session: Session, actor: Actor, table: str, needs: str, columns: Mapping[str, bool]) -> None:
    """From now on these columns are shown or hidden, and all others as declared. The last word counts.

    Raises `Invalid`, `NotAllowed`.
    """
    actor.require(needs)
    actor.require_to_be_oneself(needs)
    text = json.dumps(dict(columns), separators=(",", ":"))
    if len(text) > LONGEST:
        raise Invalid(says("So many columns cannot be kept."))
    made = (postgresql if is_postgres(session) else sqlite).insert(_CHOICES)
    values = {"account_id": actor.account_id, "table_name": table, "columns": text}
    session.connection().execute(
        made.values(values).on_conflict_do_update(
            index_elements=["account_id", "table_name"], set_={"columns": made.excluded.columns}
        )
    )


"""
"""
