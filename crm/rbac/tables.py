"""The component's own tables. A role is a set of rows: page, action, reach."""

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel


class Role(SQLModel, table=True):
    """A named set of permissions. `title` is a stored `Says`; `built_in` roles came with the product."""

    __tablename__ = "role"
    # No number is given twice: a change meant for a role that is gone must not reach the next one.
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=64, unique=True)
    title: str = Field(default="", max_length=300)
    built_in: bool = Field(default=False)
    version: int = Field(default=1)


class RolePermission(SQLModel, table=True):
    """One action on one page, granted to a role as far as `reach` goes (1 own, 2 department, 3 all)."""

    __tablename__ = "role_permission"
    __table_args__ = (CheckConstraint("reach BETWEEN 1 AND 3", name="reach"),)

    role_id: int = Field(foreign_key="role.id", ondelete="CASCADE", primary_key=True)
    page: str = Field(max_length=64, primary_key=True)
    action: str = Field(max_length=64, primary_key=True)
    reach: int


class AccountRole(SQLModel, table=True):
    """Who has which role. A role that somebody has cannot be deleted."""

    __tablename__ = "account_role"

    account_id: int = Field(foreign_key="account.id", ondelete="CASCADE", primary_key=True)
    role_id: int = Field(foreign_key="role.id", ondelete="RESTRICT", primary_key=True, index=True)
