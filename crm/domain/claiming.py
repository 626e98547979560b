"""Who may claim from the pool, and why not."""

from dataclasses import dataclass

from crm.domain.customers import CustomerState
from crm.i18n import Says, says


@dataclass(frozen=True, slots=True)
class Claimable:
    """What the rule asks of a customer."""

    state: CustomerState
    last_consultant_id: int | None = None


@dataclass(frozen=True, slots=True)
class Claimant:
    """What the rule asks of a consultant: how many customers are held now, and how many may be."""

    id: int
    holding: int
    max_customers: int


@dataclass(frozen=True, slots=True)
class Allowed:
    """Nothing stands against it."""


@dataclass(frozen=True, slots=True)
class Denied:
    """Not now, and why."""

    reason: Says


def may_claim(customer: Claimable, consultant: Claimant) -> Allowed | Denied:
    """A public customer goes to anyone with room but the one who held it last.

    The reason names nobody: whoever asks about a customer that is not in the pool may not learn of it.
    Room is the cap of customers held. The cap of new ones a day and being away stop only what is shared
    out: a claim is the consultant's own doing.
    """
    if customer.state is not CustomerState.PUBLIC:
        return Denied(says("This customer is no longer in the pool."))
    if customer.last_consultant_id == consultant.id:
        return Denied(says("You held this customer last, so somebody else has to claim it first."))
    if consultant.holding >= consultant.max_customers:
        return Denied(
            says("You hold {held} of {cap} customers.", held=consultant.holding, cap=consultant.max_customers)
        )
    return Allowed()
