"""Checks of the history: episodes that follow one another, and what is derived from them."""

from typing import Any

from crm.i18n import Says, says
from crm.services.doctor.ask import Check, moment

SEVERAL_OPEN = Check(
    "assignment",
    """
    SELECT customer_id, count(*) AS open_episodes FROM assignment WHERE closed_at IS NULL
    GROUP BY customer_id HAVING count(*) > 1
    """,
    lambda row: says(
        "assignment: customer {customer} has {count} open episodes. Close all but the holder's.",
        customer=str(row.customer_id),
        count=row.open_episodes,
    ),
)

NO_OUTCOME = Check(
    "assignment",
    "SELECT id FROM assignment WHERE closed_at IS NOT NULL AND outcome = 'following'",
    lambda row: says(
        "assignment {id}: was closed, but its outcome is following. Set the outcome it ended with.", id=str(row.id)
    ),
)

OPEN_WITH_OUTCOME = Check(
    "assignment",
    "SELECT id, outcome FROM assignment WHERE closed_at IS NULL AND outcome <> 'following'",
    lambda row: says(
        "assignment {id}: is open, but its outcome is {outcome}. Set closed_at.",
        id=str(row.id),
        outcome=str(row.outcome),
    ),
)

BACKWARDS = Check(
    "assignment",
    "SELECT id, opened_at, closed_at FROM assignment WHERE closed_at < opened_at",
    lambda row: says(
        "assignment {id}: was closed at {closed}, before it was opened at {opened}. Correct the two moments.",
        id=str(row.id),
        closed=moment(row.closed_at),
        opened=moment(row.opened_at),
    ),
)


def _out_of_order(row: Any) -> Says:
    if moment(row.before_end) > moment(row.opened_at):
        return says(
            "assignment {id}: begins at {opened}, before episode {before} of the same customer {customer} ended at"
            " {ended}. Correct the moments: episodes of a customer never overlap.",
            id=str(row.id),
            opened=moment(row.opened_at),
            before=str(row.before_id),
            customer=str(row.customer_id),
            ended=moment(row.before_end),
        )
    return says(
        "assignment {id}: consultant {consultant} claimed customer {customer}, whom the same consultant held last."
        " Hand the customer to somebody else.",
        id=str(row.id),
        consultant=str(row.consultant_id),
        customer=str(row.customer_id),
    )


# Two rules in one pass, because each episode is compared with the one before it.
OUT_OF_ORDER = Check(
    "assignment",
    """
    SELECT * FROM (
        SELECT id, customer_id, consultant_id, origin, opened_at,
               lag(id) OVER life AS before_id,
               lag(consultant_id) OVER life AS before_consultant,
               lag(coalesce(closed_at, opened_at)) OVER life AS before_end
        FROM assignment
        WINDOW life AS (PARTITION BY customer_id ORDER BY opened_at, id)
    ) AS lives
    WHERE before_end > opened_at OR (origin = 'claimed' AND before_consultant = consultant_id)
    """,
    _out_of_order,
)

LAST_HOLDER = Check(
    "customer",
    """
    SELECT c.id, c.last_consultant_id, past.consultant_id AS last_holder
    FROM customer c
    LEFT JOIN (
        SELECT customer_id, consultant_id,
               row_number() OVER (PARTITION BY customer_id ORDER BY closed_at DESC, opened_at DESC, id DESC) AS place
        FROM assignment WHERE closed_at IS NOT NULL
    ) AS past ON past.customer_id = c.id AND past.place = 1
    WHERE coalesce(c.last_consultant_id, 0) <> coalesce(past.consultant_id, 0)
    """,
    lambda row: says(
        "customer {id}: last_consultant_id is {stored}, but the episode that closed last was {right}'s."
        " Set it to that, or claims refuse the wrong person.",
        id=str(row.id),
        stored=str(row.last_consultant_id or "-"),
        right=str(row.last_holder or "-"),
    ),
)

FOLLOW_UP_ASTRAY = Check(
    "follow_up",
    """
    SELECT f.id, f.assignment_id FROM follow_up f JOIN assignment a ON a.id = f.assignment_id
    WHERE a.customer_id <> f.customer_id OR a.consultant_id <> f.consultant_id
       OR f.at < a.opened_at OR f.at > a.closed_at
    """,
    lambda row: says(
        "follow_up {id}: belongs to episode {episode}, which is of another customer, consultant or time."
        " Correct assignment_id.",
        id=str(row.id),
        episode=str(row.assignment_id),
    ),
)

CHECKS = (SEVERAL_OPEN, NO_OUTCOME, OPEN_WITH_OUTCOME, BACKWARDS, OUT_OF_ORDER, LAST_HOLDER, FOLLOW_UP_ASTRAY)
