"""How Alembic runs here: on the connection, and in the transaction, that `crm.store.migrate` opened."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel.sql.sqltypes import AutoString

from crm.domain.base import Moment
from crm.store.metadata import metadata
from crm.store.name_pairs import declared_by_models


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our own column types as plain ones, so that a revision never changes with our code."""
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite cannot alter a table: Alembic copies it. Elsewhere batches are plain ALTERs.
    render_as_batch=True,
    compare_type=True,
    include_name=declared_by_models,
    render_item=render_item,
)
context.run_migrations()
