"""Sharing customers out among consultants: Redis proposes, the database decides."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain, islice

from sqlmodel import Session

from crm.domain.calendar import day_of
from crm.domain.deadlines import Deadlines, Lengths, deadlines
from crm.domain.quotas import why_nobody
from crm.domain.sharing import Pick, Picks, Taking
from crm.i18n import Says, says, says_n
from crm.rbac import Actor
from crm.services.notices.notices import tell_consultants
from crm.services.sharing import sharing_round
from crm.services.sharing.sharing_decisions import Decisions, ahead
from crm.services.sharing.sharing_round import State
from crm.settings import settings
from crm.store import assign_rows
from crm.store.assign_rows import Given
from crm.store.redis import Proposals, proposals

Progress = Callable[[int, int], None]
Store = Callable[[Sequence[Pick], Deadlines, Says | None], None]


@dataclass(frozen=True, slots=True)
class Shared:
    """What came of it: how many of those asked for were given, how many still wait and why, who got how many."""

    assigned: int = 0
    waiting: int = 0
    by_consultant: dict[int, int] = field(default_factory=dict)
    waiting_reason: Says | None = None


def share_out(
    session: Session,
    customer_ids: Sequence[int] | None,
    *,
    now: datetime,
    by: Actor,
    progress: Progress | None = None,
    redis: Proposals | None = None,
) -> Shared:
    """Give waiting customers to consultants in proportion to weight, within their caps, each with its reason.

    `customer_ids` in the order they are to be given, or None for everybody who waits, longest first. Who does
    not wait (any more) is passed over. Whoever calls has authorised `by`, who is noted on the episodes.
    All in the caller's transaction, notices included. `progress(done, all)` is called after each part.
    `redis` instead of the one that the settings name.
    """
    if customer_ids is None and not assign_rows.count_waiting(session, at_most=1):
        return Shared()
    turn = _turn(session, now, redis)
    wait = assign_rows.waiting_ids(session, customer_ids, turn.room)
    ids = wait[: turn.room]
    decisions = turn.decide(len(ids))
    due = deadlines(now, None, Lengths.of(settings().rules))
    done = 0
    batches = _batches(_given(ids, chain.from_iterable(decisions)))
    for rows in ahead(batches) if len(ids) > assign_rows.STEP else batches:
        changed = assign_rows.give(session, rows, due, now, by.account_id)
        if changed != len(rows):
            raise RuntimeError(f"{len(rows)} customers were locked to be shared out, but {changed} changed")
        done += changed
        if progress:
            progress(done, len(ids))
    turn.end(session, due, now)
    still = wait[turn.room :] if customer_ids is not None else None
    # Whoever waits beyond the room was not even read; with room left, nobody waits.
    waiting = len(still) if still is not None else assign_rows.count_waiting(session) if done == turn.room else 0
    if not waiting:
        return Shared(done, 0, turn.by_consultant)
    reason = turn.why_nobody()
    assign_rows.keep_waiting(session, still, reason.stored())
    return Shared(done, waiting, turn.by_consultant, reason)


def share_out_new(
    session: Session, count: int, store: Store, *, now: datetime, redis: Proposals | None = None
) -> Shared:
    """The same for `count` customers who are not stored yet, so that none has to be written twice.

    `store(picks, due, reason)` inserts them, in the order in which they are given: one to each pick, with an
    open episode (`stored_reason`), and those that are left as waiting for `reason`.
    """
    turn = _turn(session, now, redis)
    picks = Picks()
    for some in turn.decide(min(count, turn.room)):
        picks.extend(some)
    due = deadlines(now, None, Lengths.of(settings().rules))
    reason = turn.why_nobody() if len(picks) < count else None
    store(picks, due, reason)
    turn.end(session, due, now)
    return Shared(len(picks), count - len(picks), turn.by_consultant, reason)


@dataclass(slots=True)
class _Turn:
    """One go at sharing out: who can be given customers, who was given some, and what to remember of it."""

    state: State
    today: date
    taking: Sequence[Taking]
    redis: Proposals | None
    decisions: Decisions | None = None

    @property
    def room(self) -> int:
        """How many customers can be given at all."""
        return sum(one.room for one in self.taking)

    @property
    def by_consultant(self) -> dict[int, int]:
        """Who got how many, as far as it is decided."""
        return dict(self.decisions.by_consultant) if self.decisions else {}

    def decide(self, count: int) -> Decisions:
        """Decide who gets so many customers, at most `room`. Once."""
        self.decisions = Decisions(self.state, self.taking, count, self.redis)
        return self.decisions

    def end(self, session: Session, due: Deadlines, now: datetime) -> None:
        """Remember the round, and tell those who were given customers. After all decisions were gone through."""
        if self.decisions and self.decisions.by_consultant:
            sharing_round.keep(session, self.state.round, self.decisions.after, self.decisions.revision, now)
            told = {each: given_notice(count, due) for each, count in self.by_consultant.items()}
            tell_consultants(session, told, now)

    def why_nobody(self) -> Says:
        """Why nobody can be given more."""
        return why_nobody(self.state.given(self.by_consultant).shut(self.today))


def _turn(session: Session, now: datetime, redis: Proposals | None) -> _Turn:
    today = day_of(now, settings().zone)
    state = sharing_round.locked(session, now)
    return _Turn(state, today, state.taking(today), redis or proposals())


def assign_waiting(session: Session, actor: Actor, now: datetime) -> Shared:
    """Share out everybody who waits, for the job and the command line."""
    actor.require("customers.assign")
    return share_out(session, None, now=now, by=actor)


def reason(pick: Pick) -> Says:
    """Why this consultant, as a manager reads it on the episode."""
    return says(
        "Weight {weight} of {total} in all: now has {n} of the last {step} shared out.",
        weight=pick.weight,
        total=pick.total,
        n=pick.served,
        step=pick.step,
    )


def given_notice(count: int, due: Deadlines) -> tuple[Says, Says]:
    """What a consultant is told who was given so many customers at once: title and text."""
    title = says_n("{count} new customer", "{count} new customers", count=count)
    return title, says("Shared out to you. First follow-up due by {due}.", due=due.follow_up_due_at)


def stored_reason(pick: Pick) -> str:
    """`reason(pick).stored()`, fast: there are as many of them as customers."""
    _, weight, total, served, step = pick
    return f'{{"says":{_REASON},"with":{{"weight":{weight},"total":{total},"n":{served},"step":{step}}}}}'


_REASON = json.dumps(reason(Pick(0, 0, 0, 0, 0)).text)


def _given(ids: Sequence[int], picks: Iterable[Pick]) -> Iterator[Given]:
    for customer_id, pick in zip(ids, picks, strict=True):
        yield customer_id, pick.id, stored_reason(pick)


def _batches(rows: Iterator[Given]) -> Iterator[list[Given]]:
    while batch := list(islice(rows, assign_rows.STEP)):
        yield batch
