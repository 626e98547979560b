"""One row that somebody saw and wants to change: found within their reach, locked, and compared with what they saw."""

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, SQLModel

from crm.errors import Conflict, NotFound
from crm.i18n import says

Row = TypeVar("Row", bound=SQLModel)
NO_RECORD = says("There is no such record, or you may not see it.")
"""Said alike of what does not exist and of what is none of the asker's business."""


def lock_row(session: Session, model: type[Row], row_id: int, within: ColumnElement[bool], permission: str) -> Row:
    """The row of that id as the database has it now, which nobody else changes before the commit.

    Raises `NotFound` where there is none, and alike where it does not meet `within`, for whoever used `permission`.
    """
    key: Any = model.id  # type: ignore[attr-defined]
    asked = select(model).where(key == row_id, within).with_for_update(of=model)
    found = session.scalars(asked, execution_options={"populate_existing": True}).one_or_none()
    if found is None:
        raise NotFound(NO_RECORD, permission, row_id)
    return found


def require_seen(row: SQLModel, version: int, changes: Mapping[str, Any]) -> None:
    """Raises `Conflict`, with what now stands in the changed fields, unless the row is the one of that version."""
    if row.version == version:  # type: ignore[attr-defined]
        return
    theirs = {key: getattr(row, key) for key in changes if key in type(row).model_fields}
    raise Conflict(says("Somebody else changed this row since you saw it."), theirs)
