"""Notices: told in the transaction of what they tell of, read in the app, sent on by the outbox.

`tell` writes one row for the app, which is there at once, and one for each way out that the settings
name and the recipient has an address for. Sending is the work of `crm.services.notices.outbox`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, text, update
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.records import NoticeState, Notification
from crm.domain.staff import Employee
from crm.errors import NotFound, deny
from crm.i18n import Says, says
from crm.notify.addresses import recipients
from crm.rbac import Actor
from crm.services.customers.scopes import by_account
from crm.services.seen_rows import NO_RECORD
from crm.settings import settings

APP = "app"
CHUNK = 5_000
MOST_UNREAD = 100
_ROWS = SQLModel.metadata.tables["notification"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell one person. `link` is a page of the app with its query, e.g. "/my-customers".

    The title names no customer: it shows on locked screens and in rooms that several people read.
    """

    account_id: int
    title: Says
    body: Says
    link: str = ""


def tell(session: Session, account_ids: Iterable[int], title: Says, body: Says, link: str, now: datetime) -> int:
    """Tell the same to many people: committed, or not at all, with the rest of the caller's transaction.

    Inactive accounts are left out, and nobody is told twice. Returns how many were told.
    """
    return tell_each(session, [Notice(who, title, body, link) for who in dict.fromkeys(account_ids)], now)


def tell_each(session: Session, notices: Sequence[Notice], now: datetime) -> int:
    """Tell each person something of their own, with one insert for all. Returns how many notices there were."""
    channels = settings().notices.channels
    told = 0
    for some in _chunks(notices):
        people = recipients(session, {notice.account_id for notice in some})
        rows: list[dict[str, Any]] = []
        for notice in some:
            person = people.get(notice.account_id)
            if person is None:
                continue
            told += 1
            shared = {
                "account_id": notice.account_id,
                "title": notice.title.stored(),
                "body": notice.body.stored() if notice.body.text else "",
                "link": notice.link,
                "attempts": 0,
                "created_at": now,
                "version": 1,
            }
            rows.append(shared | {"channel": APP, "state": NoticeState.SENT, "next_try_at": None, "sent_at": now})
            rows.extend(
                shared | {"channel": channel.name, "state": NoticeState.PENDING, "next_try_at": now, "sent_at": None}
                for channel in channels
                if person.reached_by(channel)
            )
        if rows:
            session.connection().execute(insert(_ROWS), rows)
    return told


def tell_consultants(session: Session, told: Mapping[int, tuple[Says, Says]], now: datetime) -> None:
    """Tell consultants, each a title and a text, of what became of their customers. Who has no sign-in is not told."""
    accounts = session.execute(
        select(col(Employee.id), col(Employee.account_id)).where(
            col(Employee.id).in_(list(told)), col(Employee.account_id).is_not(None)
        )
    )
    tell_each(session, [Notice(account, *told[consultant], "/my-customers") for consultant, account in accounts], now)


def _chunks(notices: Sequence[Notice]) -> Iterator[Sequence[Notice]]:
    for start in range(0, len(notices), CHUNK):
        yield notices[start : start + CHUNK]


# What people see and do

SENT = by_account(col(Notification.id), col(Notification.account_id))
"""Notices by whom they are for."""


def inbox(_session: Session, actor: Actor) -> SelectOfScalar[Notification]:
    """The actor's own notices, as the app shows them: one row each, whatever ways it left by."""
    actor.require("notifications.view")
    return select_rows(Notification).where(
        col(Notification.account_id) == actor.account_id, Notification.channel == APP
    )


def one(session: Session, actor: Actor, notice_id: int) -> Notification:
    """One of the actor's own notices. Raises `NotFound`."""
    found = session.exec(inbox(session, actor).where(Notification.id == notice_id)).one_or_none()
    if found is None:
        raise NotFound(NO_RECORD, "notifications.view", notice_id)
    return found


def unread_mark(notice: Any, _now: datetime) -> str:
    """What marks a notice that was not read yet."""
    return "" if notice.read_at else "●"


def outbox(_session: Session, actor: Actor) -> SelectOfScalar[Notification]:
    """Notices on their ways out of the app, for whoever looks after their recipients'."""
    actor = actor.looking()
    actor.require("notifications.manage")
    # In the very words of the partial index, so that both engines use it.
    return select_rows(Notification).where(text("channel <> 'app'"), SENT.where(actor, "notifications.manage"))


def unread(session: Session, actor: Actor) -> int:
    """How many of the actor's own notices are unread; beyond 100 nobody counts on."""
    if actor.account_id is None or not actor.may("notifications.view"):
        return 0
    some = (
        select(col(Notification.id))
        .where(
            col(Notification.account_id) == actor.account_id,
            col(Notification.channel) == APP,
            col(Notification.read_at).is_(None),
        )
        .limit(MOST_UNREAD)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(some)) or 0


def mark_read(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Says | None]:
    """Mark own notices as read; those read before keep their moment. Per id: None, or why not."""
    actor.require("notifications.view")
    actor.require_to_be_oneself()
    mine = set(
        session.scalars(
            select(col(Notification.id)).where(
                col(Notification.id).in_(ids), col(Notification.account_id) == actor.account_id
            )
        )
    )
    session.execute(
        update(Notification)
        .where(col(Notification.id).in_(mine), col(Notification.read_at).is_(None))
        .values(read_at=now, version=col(Notification.version) + 1),
        execution_options={"synchronize_session": False},
    )
    for each in set(ids) - mine:
        deny("notifications.view", each)
    return {notice: None if notice in mine else says("This notice is not yours.") for notice in ids}


def send_again(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Says | None]:
    """Put failed and uncertain notices back into the outbox, with all their tries. Per id: None, or why not.

    The only way an uncertain notice is ever sent again: it may have arrived, so a person decides.
    """
    actor.require("notifications.manage")
    # What is read here in the app is sent nowhere, and in no outbox.
    sent = col(Notification.id).in_(ids) & (col(Notification.channel) != APP)
    mine = sent & SENT.where(actor, "notifications.manage")
    there = set(session.scalars(select(col(Notification.id)).where(mine)))
    again = set(
        session.scalars(
            update(Notification)
            .where(
                mine,
                or_(col(Notification.state) == NoticeState.FAILED, col(Notification.state) == NoticeState.UNCERTAIN),
            )
            .values(
                state=NoticeState.PENDING,
                attempts=0,
                next_try_at=now,
                error=None,
                version=col(Notification.version) + 1,
            )
            .returning(col(Notification.id)),
            execution_options={"synchronize_session": False},
        )
    )
    for each in set(ids) - there:
        deny("notifications.manage", each)
    refusal = says("Only what failed or is uncertain can be sent again.")
    return {each: None if each in again else refusal if each in there else NO_RECORD for each in ids}
