"""Views of a table under a name: one's own, and those that others share with everybody who may open the table.

A view holds the address's query and no rows: whoever opens it sees what they may see. `needs` is the permission to
open the table, as its declaration says; sharing has one of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from crm.domain.accounts import Account
from crm.domain.normalise import visible
from crm.domain.records import SavedView
from crm.errors import Conflict, Invalid, NotFound, Refused
from crm.i18n import Says, says
from crm.rbac import Actor

LONGEST_NAME, LONGEST_QUERY = 64, 2000
MOST = 50
"""So many views of one table somebody may keep."""
MOST_SHARED = 200


class Kept(NamedTuple):
    """A view as its reader sees it: `by` is whose it is."""

    id: int
    name: str
    query: str
    shared: bool
    mine: bool
    by: str
    version: int


def of_table(session: Session, actor: Actor, table: str, needs: str) -> list[Kept]:
    """One's own views of the table by name, then those that others share. Raises `NotAllowed`."""
    actor.looking().require(needs)
    mine = col(SavedView.account_id) == actor.account_id
    asked = (
        select(SavedView, col(Account.display_name), col(Account.name))
        .join(Account, col(Account.id) == col(SavedView.account_id))
        .where(col(SavedView.table_name) == table, or_(mine, col(SavedView.shared)))
        .order_by(mine.desc(), col(SavedView.name), col(SavedView.id))
        .limit(MOST + MOST_SHARED)
    )
    return [
        Kept(
            view.id or 0, view.name, view.query, view.shared, view.account_id == actor.account_id, shown or name,
            view.version,
        )
        for view, shown, name in session.execute(asked)
    ]  # fmt: skip


def save(session: Session, actor: Actor, table: str, needs: str, name: str, query: str) -> None:
    """Keeps the view under a name of one's own. Raises `Invalid` where the name is taken, `NotAllowed`."""
    kept = SavedView(account_id=_oneself(actor, needs), table_name=table, name=_named(name), query=_short(query))
    mine = and_(col(SavedView.account_id) == actor.account_id, col(SavedView.table_name) == table)
    if (session.scalar(select(func.count()).where(mine)) or 0) >= MOST:
        raise Invalid(says("You have {count} views of this table. Delete one first.", count=MOST))
    with _free(session, kept.name):
        session.add(kept)
        session.flush()


def rename(session: Session, actor: Actor, table: str, needs: str, view_id: int, version: int, name: str) -> None:
    """Calls one's own view otherwise. Raises `Conflict`, `Invalid`, `NotAllowed`, `NotFound`."""
    _oneself(actor, needs)
    named = _named(name)
    with _free(session, named):
        _change(session, _mine(actor, table, view_id), needs, version, name=named)


def overwrite(session: Session, actor: Actor, table: str, needs: str, view_id: int, version: int, query: str) -> None:
    """Keeps another view under the same name. Raises `Conflict`, `Invalid`, `NotAllowed`, `NotFound`."""
    _oneself(actor, needs)
    _change(session, _mine(actor, table, view_id), needs, version, query=_short(query))


def share(session: Session, actor: Actor, table: str, sharing: str, view_id: int, version: int, shared: bool) -> None:
    """Shows one's own view to everybody who may open the table, or stops that; with the permission `sharing`.

    Whoever has it can also stop what somebody else shares, who may have left. Raises `Conflict`, `NotAllowed`,
    `NotFound`.
    """
    _oneself(actor, sharing)
    reach = _mine(actor, table, view_id)
    if not shared:
        others = col(SavedView.shared) & (col(SavedView.id) == view_id) & (col(SavedView.table_name) == table)
        reach = or_(reach, others)
    _change(session, reach, sharing, version, shared=shared)


def delete(session: Session, actor: Actor, table: str, needs: str, view_id: int, version: int) -> None:
    """One's own view is gone. Raises `Conflict`, `NotAllowed`, `NotFound`."""
    _oneself(actor, needs)
    found = _find(session, _mine(actor, table, view_id), needs, version)
    session.delete(found)
    session.flush()


def _oneself(actor: Actor, needs: str) -> int:
    """Whose views are changed: only a person's, and only by that person."""
    actor.require(needs)
    actor.require_to_be_oneself(needs)
    if actor.account_id is None:
        raise Refused(says("Only who is signed in can keep a view."))
    return actor.account_id


def _mine(actor: Actor, table: str, view_id: int) -> ColumnElement[bool]:
    return and_(
        col(SavedView.id) == view_id,
        col(SavedView.table_name) == table,
        col(SavedView.account_id) == actor.account_id,
    )


def _find(session: Session, reach: ColumnElement[bool], needs: str, version: int) -> SavedView:
    asked = select(SavedView).where(reach).with_for_update()
    found = session.scalars(asked, execution_options={"populate_existing": True}).one_or_none()
    if found is None:
        raise NotFound(says("There is no such view, or it is not yours."), needs)
    if found.version != version:
        raise Conflict(says("This view was changed meanwhile. Open the list of views again."))
    return found


def _change(session: Session, reach: ColumnElement[bool], needs: str, version: int, **values: str | bool) -> None:
    found = _find(session, reach, needs, version)
    session.execute(
        update(SavedView).where(col(SavedView.id) == found.id).values(**values, version=version + 1),
        execution_options={"synchronize_session": False},
    )


def _named(name: str) -> str:
    tidy = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    if not tidy:
        raise _no_name(says("Give the view a name."))
    if len(tidy) > LONGEST_NAME:
        raise _no_name(says("At most {count} characters fit here.", count=LONGEST_NAME))
    return tidy


def _short(query: str) -> str:
    query = visible(query)
    if len(query) > LONGEST_QUERY:
        raise Invalid(says("This view has too many choices to be kept. Choose fewer."))
    return query


def _no_name(why: Says) -> Invalid:
    return Invalid.of({"name": why})


@contextmanager
def _free(session: Session, name: str) -> Iterator[None]:
    """What is written inside takes the name, unless the person has a view of that name."""
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        raise _no_name(says("You have a view called {name} already.", name=name)) from error
