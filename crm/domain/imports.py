"""Sheets that came in."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from crm.domain.base import Moment


class ImportBatch(SQLModel, table=True):
    """One sheet that was imported. `digest` recognises the same file when it comes again."""

    __tablename__ = "import_batch"

    id: int | None = Field(default=None, primary_key=True)
    file_name: str = Field(max_length=255)
    digest: str = Field(max_length=64, index=True)
    rows: int
    imported: int
    duplicates: int
    errors: int
    assigned: int
    waiting: int
    imported_at: datetime = Field(sa_type=Moment)
    imported_by_id: int | None = Field(default=None, foreign_key="account.id")
    undone_at: datetime | None = Field(default=None, sa_type=Moment)
