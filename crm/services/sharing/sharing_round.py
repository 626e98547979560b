"""The memory of sharing out in the database: who stands how, whose turn it is. Locked, read, kept."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col

from crm.domain.calendar import beginning_of, day_of
from crm.domain.customers import Customer
from crm.domain.episodes import Assignment, Origin
from crm.domain.quotas import Shut, Standing, room
from crm.domain.sharing import Member, Round, Taking
from crm.domain.staff import ConsultantQuota, Employee, SharingRound
from crm.i18n import Says, says
from crm.services.customers.scopes import LIVE, WORKS
from crm.settings import settings
from crm.store.redis import Proposals, proposals
from crm.store.session import is_postgres

_log = logging.getLogger(__name__)
_QUOTAS = SQLModel.metadata.tables["consultant_quota"]
_ROUNDS = SQLModel.metadata.tables["sharing_round"]


@dataclass(frozen=True, slots=True)
class State:
    """What sharing out starts from, true until the transaction ends."""

    revision: int
    round: Round
    standings: tuple[Standing, ...]

    def taking(self, today: date) -> list[Taking]:
        """Who can be given customers on this day of the school's."""
        able = ((each, room(each, today)) for each in self.standings)
        return [Taking(each.id, each.weight, left) for each, left in able if not isinstance(left, Shut)]

    def shut(self, today: date) -> list[Shut]:
        """Why the others are given nothing."""
        return [why for each in self.standings if isinstance(why := room(each, today), Shut)]

    def given(self, counts: Mapping[int, int]) -> "State":
        """The same after the consultants were given so many customers each."""
        standings = (
            replace(one, held=one.held + counts[one.id], given_today=one.given_today + counts[one.id])
            if one.id in counts
            else one
            for one in self.standings
        )
        return replace(self, standings=tuple(standings))


def locked(session: Session, now: datetime) -> State:
    """Round, quotas and what each consultant holds. Nobody else shares out, claims or hands over until the end.

    The round's row is locked first, then the quota rows by id, so that no two can wait for each other.
    """
    step, revision = take_turn(session)
    quotas = _quotas(session, lock=True)
    return State(
        revision=revision,
        round=_round(step, quotas),
        standings=_standings(session, quotas, now),
    )


def take_turn(session: Session) -> tuple[int, int]:
    """The round's step and revision, locked: nobody else shares out until the end of the transaction."""
    make = postgresql.insert if is_postgres(session) else sqlite.insert
    session.connection().execute(make(_ROUNDS).values(id=1, step=0, revision=0).on_conflict_do_nothing())
    asked = select(col(SharingRound.step), col(SharingRound.revision)).with_for_update()
    step, revision = session.execute(asked).one()
    return step, revision


def standings(session: Session, now: datetime) -> tuple[Standing, ...]:
    """How every consultant with a quota stands now, to be shown: nothing is locked."""
    return _standings(session, _quotas(session, lock=False), now)


def keep(session: Session, before: Round, after: Round, revision: int, now: datetime) -> None:
    """Remember the round that sharing out ended with."""
    old = {member.id: member for member in before.members}
    new = {member.id: member for member in after.members}
    gone = old.keys() - new.keys()
    changed = [
        {
            "key": member.id,
            "served": member.served,
            "carry": member.carry,
            "taking_part": True,
            "round_weight": member.weight,
        }
        for member in after.members
        if old.get(member.id) != member
    ]
    changed += [{"key": one, "served": 0, "carry": 0, "taking_part": False, "round_weight": 0} for one in sorted(gone)]
    if changed:
        names = ("served", "carry", "taking_part", "round_weight")
        statement = update(_QUOTAS).where(_QUOTAS.c.employee_id == bindparam("key"))
        session.connection().execute(statement.values({name: bindparam(name) for name in names}), changed)
    session.execute(
        update(SharingRound).values(step=after.step, revision=revision, changed_at=now),
        execution_options={"synchronize_session": False},
    )


def held_now(session: Session, consultant_id: int | None = None) -> dict[int, int]:
    """How many customers each consultant (or the one) holds now."""
    holder = col(Customer.consultant_id)
    asked = select(holder, func.count()).where(holder.is_not(None), LIVE).group_by(holder)
    if consultant_id is not None:
        asked = asked.where(holder == consultant_id)
    return {int(who): count for who, count in session.execute(asked) if who is not None}


def given_today(session: Session, consultant_ids: Sequence[int], now: datetime) -> dict[int, int]:
    """How many customers were shared out to each of the consultants since the school's day began."""
    if not consultant_ids:
        return {}
    zone = settings().zone
    since = beginning_of(day_of(now, zone), zone)
    who = col(Assignment.consultant_id)
    asked = (
        select(who, func.count())
        .where(who.in_(consultant_ids), col(Assignment.opened_at) >= since, col(Assignment.origin) == Origin.SHARED)
        .group_by(who)
    )
    return {row[0]: row[1] for row in session.execute(asked)}


def redis_disagreements(session: Session, redis: Proposals | None = None) -> list[Says]:
    """For the doctor: where Redis's copy of the database's own revision says something else. No Redis: nothing."""
    redis = redis or proposals()
    copy = redis.copy() if redis else None
    found = session.execute(select(col(SharingRound.step), col(SharingRound.revision))).one_or_none()
    if copy is None or found is None or copy[0] != str(found.revision):
        return []
    mine = _round(found.step, session.execute(select(*_QUOTAS.c)).all())
    if mine == copy[1]:
        return []
    theirs = {member.id: member for member in copy[1].members}
    ours = {member.id: member for member in mine.members}
    wrong = sorted(one for one in ours.keys() | theirs.keys() if ours.get(one) != theirs.get(one))
    return [
        says(
            "Redis has another sharing round than the database (revision {revision}, consultants {ids}). "
            "It is replaced at the next assignment.",
            revision=found.revision,
            ids=", ".join(map(str, wrong)) or says("none"),
        )
    ]


def _quotas(session: Session, *, lock: bool) -> Sequence[Any]:
    asked = (
        select(*_QUOTAS.c, WORKS.label("works"))
        .join(Employee, col(Employee.id) == col(ConsultantQuota.employee_id))
        .order_by(col(ConsultantQuota.employee_id))
    )
    return session.execute(asked.with_for_update(of=ConsultantQuota) if lock else asked).all()


def _standings(session: Session, quotas: Sequence[Any], now: datetime) -> tuple[Standing, ...]:
    held = held_now(session)
    limited = [row.employee_id for row in quotas if row.max_per_day is not None]
    given = given_today(session, limited, now)
    return tuple(
        Standing(
            id=row.employee_id,
            weight=row.weight,
            max_customers=row.max_customers,
            held=held.get(row.employee_id, 0),
            max_per_day=row.max_per_day,
            given_today=given.get(row.employee_id, 0),
            accepting=row.accepting,
            away_until=row.away_until,
            active=row.works,
        )
        for row in quotas
    )


def _round(step: int, quotas: Sequence[Any]) -> Round:
    """The round as the rule wants it: its members, heaviest first.

    Where the counts do not add up (somebody repaired rows by hand), the members start a new one.
    """
    members = sorted(
        (Member(row.employee_id, row.round_weight, row.served, row.carry) for row in quotas if row.taking_part),
        key=lambda member: (-member.weight, member.id),
    )
    if sum(member.served for member in members) != step or any(member.weight < 1 for member in members):
        _log.warning("The counts of the sharing round do not add up. A new round begins.")
        return Round(0, tuple(member._replace(served=0) for member in members if member.weight > 0))
    return Round(step, tuple(members))
