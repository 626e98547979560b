"""Who can be given customers now, how many more, and why nobody can."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from crm.domain.base import Choice
from crm.i18n import Says, says


class Shut(Choice):
    """Why a consultant is given nothing now."""

    INACTIVE = "inactive", says("Inactive")
    NO_WEIGHT = "no_weight", says("Weight 0")
    NOT_ACCEPTING = "not_accepting", says("Not accepting")
    AWAY = "away", says("Away")
    FULL = "full", says("Full")
    FULL_TODAY = "full_today", says("Full for today")


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rule asks of a consultant.

    `held` are the customers held now, `given_today` those shared out to the consultant since the school's
    midnight, whatever became of them. `away_until` is the last day away, on the school's calendar.
    """

    id: int
    weight: int
    max_customers: int
    held: int = 0
    max_per_day: int | None = None
    given_today: int = 0
    accepting: bool = True
    away_until: date | None = None
    active: bool = True


def room(consultant: Standing, today: date) -> int | Shut:
    """How many more customers can be shared out to the consultant, at least 1, or why none can."""
    if not consultant.active:
        return Shut.INACTIVE
    if consultant.weight == 0:
        return Shut.NO_WEIGHT
    if not consultant.accepting:
        return Shut.NOT_ACCEPTING
    if consultant.away_until is not None and today <= consultant.away_until:
        return Shut.AWAY
    left = consultant.max_customers - consultant.held
    if left <= 0:
        return Shut.FULL
    if consultant.max_per_day is not None:
        left = min(left, consultant.max_per_day - consultant.given_today)
    return left if left > 0 else Shut.FULL_TODAY


def why_nobody(shut: Iterable[Shut]) -> Says:
    """Why customers wait, when nobody has room (left): in words that do not change with every count."""
    reasons = set(shut)
    full, today = Shut.FULL in reasons, Shut.FULL_TODAY in reasons
    if full and today:
        return says("Every consultant who accepts customers holds as many as allowed or had enough today.")
    if full:
        return says("Every consultant who accepts customers holds as many as allowed.")
    if today:
        return says("Every consultant who accepts customers had as many today as allowed.")
    if reasons & {Shut.NOT_ACCEPTING, Shut.AWAY}:
        return says("Every consultant is away or accepts no customers now.")
    return says("No active consultant has a weight above 0. Set one under Staff and quotas.")
