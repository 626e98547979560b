"""Every table of the product under one name: what migrations compare with, what tests create."""

from typing import Any

from sqlalchemy import Connection, event
from sqlmodel import SQLModel

import crm.domain
import crm.rbac.tables
import crm.store.name_pairs  # noqa: F401
from crm.store.kept import refuse_changes

metadata = SQLModel.metadata


@event.listens_for(metadata.tables["audit_entry"], "after_create")
def _created(_table: Any, connection: Connection, **_options: Any) -> None:
    """A migration does it by itself: it makes a table of its own."""
    refuse_changes(connection)
