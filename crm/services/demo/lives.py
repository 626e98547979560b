"""Lives of customers, played forward by the school's own rules until now. Pure, and the same for the same seed.

A life is played until it ends in the state that was wanted; so every history obeys the rules because
it happened by them: contacts move deadlines, the scheduled run expires, nobody claims what they lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from crm.domain.customers import CustomerState
from crm.domain.deadlines import Deadlines
from crm.domain.episodes import Origin, Outcome
from crm.domain.expiry import Held, Lapses, verdict
from crm.services.demo.clock import Clock

TRIES = 60


@dataclass(slots=True)
class Contact:
    """One follow-up. `stage` is first, later or last, and chooses the sentence."""

    at: datetime
    stage: str


@dataclass(slots=True)
class Episode:
    """One holder's time with the customer."""

    holder: int
    origin: Origin
    opened: datetime
    contacts: list[Contact] = field(default_factory=list)
    closed: datetime | None = None
    outcome: Outcome = Outcome.FOLLOWING
    due: Deadlines | None = None


@dataclass(slots=True)
class Life:
    """What happened to one customer until now. `own`: the first holder won it personally and added it."""

    created: datetime
    own: bool = False
    episodes: list[Episode] = field(default_factory=list)
    state: CustomerState = CustomerState.WAITING
    paid: datetime | None = None
    pending: datetime | None = None
    extended: datetime | None = None
    extended_until: datetime | None = None


@dataclass(slots=True)
class Holder:
    """A consultant as the lives see one. From `closed_from` on no new ones come; `left_at` is the end of it all."""

    id: int
    weight: int
    cap: int
    held: int = 0
    closed_from: datetime | None = None
    left_at: datetime | None = None


@dataclass(slots=True)
class World:
    """The clock, the dice and the consultants."""

    clock: Clock
    rng: Random
    holders: Sequence[Holder]

    def pick(self, at: datetime, *, but: int | None = None) -> Holder | None:
        """Somebody to hold a customer from `at` on, in proportion to weight; none if nobody has room."""
        current = at > self.clock.now - self.clock.deal - timedelta(days=2)
        open_ = [
            one
            for one in self.holders
            if one.id != but
            and (one.closed_from is None or at < one.closed_from)
            and not (current and one.held >= one.cap)
        ]
        return self.rng.choices(open_, [one.weight for one in open_])[0] if open_ else None


# How an episode is meant to go, with the odds by the state that the life should end in.
_NEGLECT, _PERSIST, _RELEASE, _TRANSFER, _ENROL = "neglect", "persist", "release", "transfer", "enrol"
_ODDS = {
    CustomerState.PRIVATE: {_PERSIST: 66, _NEGLECT: 26, _TRANSFER: 5, _RELEASE: 3},
    CustomerState.PUBLIC: {_NEGLECT: 48, _PERSIST: 36, _RELEASE: 12, _TRANSFER: 4},
    CustomerState.ENROLLED: {_ENROL: 70, _NEGLECT: 15, _PERSIST: 10, _TRANSFER: 5},
}
_CLAIMED = {CustomerState.PRIVATE: 0.8, CustomerState.PUBLIC: 0.3, CustomerState.ENROLLED: 0.85}


def live(world: World, arrive: Callable[[], Life], wanted: CustomerState, *, paused: str = "") -> Life | None:
    """A life that ends in `wanted`, begun as `arrive` says. None if the dice do not find one.

    `paused` ("pending" or "extended") asks for a private customer whom expiry passes over.
    """
    for _try in range(TRIES):
        life = arrive()
        _play(world, life, wanted, paused)
        if life.state is wanted and (not paused or life.pending or life.extended):
            if life.state is CustomerState.PRIVATE:
                _holder(world, life.episodes[-1].holder).held += 1
            return life
    return None


def _holder(world: World, holder_id: int) -> Holder:
    return next(one for one in world.holders if one.id == holder_id)


def _play(world: World, life: Life, wanted: CustomerState, paused: str) -> None:
    rng, clock = world.rng, world.clock
    holder = world.pick(life.created)
    at, origin = life.created, Origin.ADDED if life.own else Origin.SHARED
    while holder is not None:
        episode = Episode(holder.id, origin, at)
        life.episodes.append(episode)
        life.state = CustomerState.PRIVATE
        intent = rng.choices(list(_ODDS[wanted]), list(_ODDS[wanted].values()))[0]
        _follow(world, life, episode, holder, intent, paused)
        if episode.closed is None:
            return
        if episode.outcome is Outcome.ENROLLED:
            life.state = CustomerState.ENROLLED
            return
        if episode.outcome is Outcome.TRANSFERRED:
            at, origin = episode.closed, Origin.TRANSFERRED
        else:
            life.state = CustomerState.PUBLIC
            if rng.random() > _CLAIMED[wanted]:
                return
            at, origin = (
                clock.working(rng, clock.day(episode.closed) + timedelta(days=rng.randint(0, 6))),
                Origin.CLAIMED,
            )
            if at <= episode.closed or at > clock.now:
                return
        holder = world.pick(at, but=episode.holder)
        if holder is None and origin is Origin.TRANSFERRED:
            episode.outcome = Outcome.RELEASED
            life.state = CustomerState.PUBLIC


def _follow(world: World, life: Life, episode: Episode, holder: Holder, intent: str, paused: str) -> None:
    """Play one episode: contacts until its end by hand, by the rule, or until now."""
    rng, clock = world.rng, world.clock
    patience = rng.choices((0, 1, 2, 3), (2, 4, 3, 1))[0] if intent == _NEGLECT else rng.randint(1, 5)
    last = episode.opened
    due = episode.due = clock.due(episode.opened, last)
    while True:
        run = clock.run_for(min(due))
        at = _next_contact(world, last, first=not episode.contacts)
        tired = intent == _NEGLECT and len(episode.contacts) >= patience
        if life.pending or life.extended:
            if tired or at > clock.now:
                return
        elif tired or at >= run:
            if holder.left_at and holder.left_at < run and holder.left_at <= clock.now:
                _close(episode, max(holder.left_at, last), Outcome.LEFT_SCHOOL)
            elif run <= clock.now:
                lapses = verdict(Held(due), run)
                assert isinstance(lapses, Lapses)
                _close(episode, run, lapses.outcome)
            return
        if holder.left_at and at >= holder.left_at:
            _close(episode, max(holder.left_at, last), Outcome.LEFT_SCHOOL)
            return
        if at > clock.now:
            return
        episode.contacts.append(Contact(at, "later" if episode.contacts else "first"))
        last = at
        due = episode.due = clock.due(episode.opened, last)
        if len(episode.contacts) >= patience and _ended(world, life, episode, intent, paused):
            return


def _ended(world: World, life: Life, episode: Episode, intent: str, paused: str) -> bool:
    """What the last contact leads to, when it is time for more than a further contact."""
    rng, clock, at = world.rng, world.clock, episode.contacts[-1].at
    soon = at + timedelta(minutes=rng.randint(3, 90))
    if soon > clock.now or soon >= clock.run_for(min(clock.due(episode.opened, at))):
        return False
    if intent == _ENROL:
        confirmed = soon + timedelta(minutes=rng.randint(20, 1200))
        if confirmed <= clock.now:
            episode.contacts[-1].stage = "last"
            life.paid = soon
            _close(episode, confirmed, Outcome.ENROLLED)
        return True
    if intent in (_RELEASE, _TRANSFER):
        _close(episode, soon, Outcome.RELEASED if intent == _RELEASE else Outcome.TRANSFERRED)
        return True
    if paused and at > clock.now - clock.deal and not (life.pending or life.extended):
        if paused == "pending":
            life.pending = soon
            episode.contacts[-1].stage = "last"
        else:
            life.extended, life.extended_until = soon, clock.extended(rng)
    return False


def _close(episode: Episode, at: datetime, outcome: Outcome) -> None:
    episode.closed, episode.outcome = at, outcome


def _next_contact(world: World, last: datetime, *, first: bool) -> datetime:
    """When the next contact happens: soon after the start, then every day or two or three."""
    rng, clock = world.rng, world.clock
    longest = clock.rules.follow_up_days
    gap = rng.choices((0, 1, 2), (6, 3, 1))[0] if first else rng.choices((1, 2, 3), (3, 4, 2))[0]
    at = clock.working(rng, clock.day(last) + timedelta(days=min(gap, longest)))
    return at if at > last else last + timedelta(minutes=rng.randint(5, 180))
