"""Sending what the outbox holds: one row after the other, each claimed, attempted and settled for itself."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from crm.domain.records import NoticeState
from crm.notify import gateway, outbox
from crm.notify.outbox import Letter
from crm.rbac import Actor
from crm.settings import settings
from crm.store.session import reading

AT_MOST = 500
GIVE_WAY_AFTER = 3

Opens = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class Posted:
    """What one run did. `resting` names the channels whose gateways failed too often in a row."""

    sent: int
    again: int
    failed: int
    uncertain: int
    resting: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether there was anything to do."""
        return any((self.sent, self.again, self.failed, self.uncertain))


def send_due(
    open_transaction: Opens, actor: Actor, *, clock: Callable[[], datetime], go_on: Callable[[], None]
) -> Posted:
    """Send what is due, at most 500 rows. Opens its own transactions: an attempt is committed before it is made.

    `go_on` is called between two rows and may raise. Three rows in a row that found the gateway down let the
    whole channel rest for the first pause.
    """
    actor.require("notifications.manage")
    rules = settings().notices
    with reading() as session:
        waiting = outbox.due(session, clock(), AT_MOST)
    done: Counter[NoticeState] = Counter()
    if any(each.state is NoticeState.SENDING for each in waiting):
        with open_transaction() as session:
            done[NoticeState.UNCERTAIN] = outbox.set_uncertain(session, clock())
    down: Counter[str] = Counter()
    for row in waiting:
        if row.state is NoticeState.SENDING or down[row.channel] >= GIVE_WAY_AFTER:
            continue
        go_on()
        with open_transaction() as session:
            letter = outbox.claim(session, row.id, clock(), rules)
        if isinstance(letter, Letter):
            delivery = gateway.deliver(letter.channel, letter.addresses, letter.message, rules.timeout_seconds)
            down[row.channel] = down[row.channel] + 1 if gateway.is_down(delivery) else 0
            with open_transaction() as session:
                done[outbox.settle(session, letter, delivery, clock(), rules)] += 1
                if down[row.channel] == GIVE_WAY_AFTER:
                    outbox.rest(session, row.channel, clock(), rules)
        elif letter is not None:
            done[letter] += 1
    return Posted(
        done[NoticeState.SENT],
        done[NoticeState.PENDING],
        done[NoticeState.FAILED],
        done[NoticeState.UNCERTAIN],
        tuple(sorted(channel for channel, count in down.items() if count >= GIVE_WAY_AFTER)),
    )


def prune(session: Session, actor: Actor, now: datetime) -> int:
    """Forget settled messages and read notices that are old enough. Returns how many."""
    actor.require("notifications.manage")
    return outbox.prune(session, now)


def check_channels() -> None:
    """Raise `Misconfigured` if a channel of the settings cannot be used."""
    gateway.check(settings().notices.channels)
