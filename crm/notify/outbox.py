"""The outbox: rows are claimed, committed, attempted, settled; never sent twice by themselves.

`sending` is committed before the attempt. A row still in it after its time belongs to a process that died
in the middle of it; whether it left nobody knows, so it becomes `uncertain` and a person decides.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from crm.domain.records import NoticeState, Notification
from crm.i18n import Says, as_language, says
from crm.notify.addresses import Recipient, recipients
from crm.notify.gateway import Delivery, Sent, Unknown
from crm.notify.message import Message, compose, compose_for_room
from crm.settings import settings
from crm.settings.sections import NoticeChannel, Notices

LONGEST_PAUSE = timedelta(hours=1)
SENT_KEPT = timedelta(days=90)
READ_KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Letter:
    """A claimed row: what to send, through what, to whom."""

    id: int
    attempt: int
    channel: NoticeChannel
    addresses: dict[str, str]
    message: Message


class Due(NamedTuple):
    """A row that may be claimed (`pending`), or whose sender died (`sending`)."""

    id: int
    channel: str
    state: NoticeState


def due(session: Session, now: datetime, limit: int) -> list[Due]:
    """What has come due, oldest first."""
    found = session.execute(
        select(col(Notification.id), col(Notification.channel), col(Notification.state))
        .where(col(Notification.next_try_at) <= now)
        .order_by(col(Notification.next_try_at), col(Notification.id))
        .limit(limit)
    )
    return [Due(*row) for row in found]


def claim(session: Session, row_id: int, now: datetime, rules: Notices) -> Letter | NoticeState | None:
    """Take one row for an attempt; to be committed before it. None: somebody else was faster.

    A row that cannot even be addressed or rendered is set aside (`failed`) and harms no other.
    """
    row = session.scalars(
        update(Notification)
        .where(
            col(Notification.id) == row_id,
            col(Notification.state) == NoticeState.PENDING,
            col(Notification.next_try_at) <= now,
        )
        .values(
            state=NoticeState.SENDING,
            attempts=col(Notification.attempts) + 1,
            next_try_at=now + _longest_attempt(rules),
            version=col(Notification.version) + 1,
        )
        .returning(Notification),
        execution_options={"synchronize_session": False, "populate_existing": True},
    ).one_or_none()
    if row is None:
        return None
    channel = next((each for each in rules.channels if each.name == row.channel), None)
    if channel is None:
        return _fail(session, row_id, says("The settings name no channel {name} any more.", name=row.channel))
    to = recipients(session, [row.account_id]).get(row.account_id)
    if to is None:
        return _fail(session, row_id, says("The recipient's sign-in is no longer active."))
    try:
        return _letter(row, to, channel)
    except Exception as error:
        why = says("The notice cannot be put into words ({kind}).", kind=type(error).__name__)
        return _fail(session, row_id, why)


def settle(session: Session, letter: Letter, delivery: Delivery, now: datetime, rules: Notices) -> NoticeState:
    """Record what came of the attempt, and when the next one is due if there is to be one."""
    state, sent_at, next_try_at = NoticeState.FAILED, None, None
    if isinstance(delivery, Sent):
        state, sent_at = NoticeState.SENT, now
    elif isinstance(delivery, Unknown):
        state = NoticeState.UNCERTAIN
    elif delivery.again and letter.attempt < rules.tries:
        state, next_try_at = NoticeState.PENDING, now + pause(letter.attempt, rules)
    session.execute(
        update(Notification)
        .where(
            col(Notification.id) == letter.id,
            col(Notification.attempts) == letter.attempt,
            # An attempt that came back after its time was up is still the better word.
            col(Notification.state).in_((NoticeState.SENDING, NoticeState.UNCERTAIN)),
        )
        .values(
            state=state,
            sent_at=sent_at,
            next_try_at=next_try_at,
            error=None if isinstance(delivery, Sent) else delivery.reason.stored(),
            version=col(Notification.version) + 1,
        ),
        execution_options={"synchronize_session": False},
    )
    return state


def pause(attempts: int, rules: Notices) -> timedelta:
    """How long a row rests after so many attempts: twice as long each time, an hour at most."""
    return min(timedelta(seconds=rules.pause_seconds) * int(2 ** (attempts - 1)), LONGEST_PAUSE)


def rest(session: Session, channel: str, now: datetime, rules: Notices) -> None:
    """Let everything due on this channel wait a while: its gateway is down, and no row should pay for that."""
    session.execute(
        update(Notification)
        .where(
            col(Notification.next_try_at) <= now,
            col(Notification.state) == NoticeState.PENDING,
            col(Notification.channel) == channel,
        )
        .values(next_try_at=now + pause(1, rules)),
        execution_options={"synchronize_session": False},
    )


def set_uncertain(session: Session, now: datetime) -> int:
    """Rows whose sender died in the middle of it. Returns how many there were."""
    why = says("The process died while it was sending. It may have arrived.")
    found = session.execute(
        update(Notification)
        .where(col(Notification.next_try_at) <= now, col(Notification.state) == NoticeState.SENDING)
        .values(
            state=NoticeState.UNCERTAIN,
            next_try_at=None,
            error=why.stored(),
            version=col(Notification.version) + 1,
        )
        .returning(col(Notification.id)),
        execution_options={"synchronize_session": False},
    )
    return len(found.all())


def prune(session: Session, now: datetime) -> int:
    """Forget settled messages after 90 days, and notices inside the app 400 days after they were read."""
    settled = (NoticeState.SENT, NoticeState.FAILED, NoticeState.UNCERTAIN)
    old = delete(Notification).where(
        col(Notification.channel) != "app",
        col(Notification.state).in_(settled),
        col(Notification.created_at) < now - SENT_KEPT,
    )
    read = delete(Notification).where(col(Notification.channel) == "app", col(Notification.read_at) < now - READ_KEPT)
    gone = [session.execute(each.returning(col(Notification.id))) for each in (old, read)]
    return sum(len(each.all()) for each in gone)


def _longest_attempt(rules: Notices) -> timedelta:
    """After this an attempt is over in any case, with time to record it."""
    return timedelta(seconds=rules.timeout_seconds * 4 + 30)


def _fail(session: Session, row_id: int, why: Says) -> NoticeState:
    session.execute(
        update(Notification)
        .where(col(Notification.id) == row_id)
        .values(state=NoticeState.FAILED, next_try_at=None, error=why.stored()),
        execution_options={"synchronize_session": False},
    )
    return NoticeState.FAILED


def _letter(row: Notification, to: Recipient, channel: NoticeChannel) -> Letter:
    title, school = Says.loaded(row.title), settings().school.language
    if channel.personal:
        language = as_language(to.locale) if to.locale else school
        message = compose(title, Says.loaded(row.body), row.link, language)
    else:
        message = compose_for_room(title, to.name, row.link, school)
    return Letter(row.id or 0, row.attempts, channel, dict(to.addresses), message)
