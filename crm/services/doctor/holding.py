"""Checks of who holds a customer now: state, holder, open episode, deadlines, expiry."""

from datetime import datetime

from sqlalchemy import bindparam, text
from sqlmodel import Session

from crm.domain.base import Moment
from crm.i18n import Says, says, says_n
from crm.services.doctor.ask import Check, later, moment

STATE = Check(
    "customer",
    "SELECT id, state FROM customer WHERE state NOT IN ('waiting', 'private', 'public', 'enrolled')",
    lambda row: says(
        "customer {id}: state is {state}, which is none. Set waiting, private, public or enrolled.",
        id=str(row.id),
        state=str(row.state),
    ),
)

HOLDER_MISSING = Check(
    "customer",
    "SELECT id FROM customer WHERE state = 'private' AND consultant_id IS NULL",
    lambda row: says(
        "customer {id}: is private, but nobody holds it. Set consultant_id to the holder of its open episode,"
        " or set the state to public.",
        id=str(row.id),
    ),
)

HOLDER_LEFT_OVER = Check(
    "customer",
    "SELECT id, state, consultant_id FROM customer WHERE state <> 'private' AND consultant_id IS NOT NULL",
    lambda row: says(
        "customer {id}: is {state}, but consultant {consultant} still holds it. Empty consultant_id.",
        id=str(row.id),
        state=str(row.state),
        consultant=str(row.consultant_id),
    ),
)

DEADLINES_MISSING = Check(
    "customer",
    "SELECT id FROM customer WHERE state = 'private' AND (follow_up_due_at IS NULL OR deal_due_at IS NULL)",
    lambda row: says(
        "customer {id}: is private, but a deadline is missing, so it never expires. Record a follow-up.",
        id=str(row.id),
    ),
)

DEADLINES_LEFT_OVER = Check(
    "customer",
    "SELECT id, state FROM customer"
    " WHERE state <> 'private' AND (follow_up_due_at IS NOT NULL OR deal_due_at IS NOT NULL)",
    lambda row: says(
        "customer {id}: is {state}, but has deadlines. Empty follow_up_due_at and deal_due_at.",
        id=str(row.id),
        state=str(row.state),
    ),
)

NO_OPEN_EPISODE = Check(
    "customer",
    """
    SELECT c.id, c.consultant_id FROM customer c
    WHERE c.state = 'private'
      AND NOT EXISTS (SELECT 1 FROM assignment a WHERE a.customer_id = c.id AND a.closed_at IS NULL)
    """,
    lambda row: says(
        "customer {id}: is private with consultant {consultant}, but has no open episode in assignment."
        " Set the state to public, or assign it again.",
        id=str(row.id),
        consultant=str(row.consultant_id),
    ),
)

OTHER_HOLDER = Check(
    "assignment",
    """
    SELECT a.id, a.customer_id, a.consultant_id, c.consultant_id AS holder, c.state
    FROM assignment a JOIN customer c ON c.id = a.customer_id
    WHERE a.closed_at IS NULL AND c.consultant_id <> a.consultant_id
    """,
    lambda row: says(
        "assignment {id}: the open episode is consultant {one}'s, but customer {customer} is held by consultant"
        " {other}. Make the two agree.",
        id=str(row.id),
        one=str(row.consultant_id),
        customer=str(row.customer_id),
        other=str(row.holder),
    ),
)

OPEN_WITHOUT_HOLDER = Check(
    "assignment",
    """
    SELECT a.id, a.customer_id, c.state FROM assignment a JOIN customer c ON c.id = a.customer_id
    WHERE a.closed_at IS NULL AND c.state <> 'private'
    """,
    lambda row: says(
        "assignment {id}: is open, but customer {customer} is {state}. Close the episode with its outcome.",
        id=str(row.id),
        customer=str(row.customer_id),
        state=str(row.state),
    ),
)


def deadlines(*, postgres: bool) -> Check:
    """Rule 3: both deadlines, recomputed from the open episode and the follow-ups that belong to it."""
    follow_up, deal = (
        later("heard", "follow_up_days", postgres=postgres),
        later("opened_at", "deal_days", postgres=postgres),
    )
    return Check(
        "customer",
        f"""
        SELECT id, follow_up_due_at, {follow_up} AS follow_up_rule, deal_due_at, {deal} AS deal_rule
        FROM (
            SELECT c.id, c.follow_up_due_at, c.deal_due_at, a.opened_at,
                   coalesce((SELECT max(f.at) FROM follow_up f
                             WHERE f.customer_id = c.id AND f.assignment_id = a.id), a.opened_at) AS heard
            FROM customer c JOIN assignment a ON a.customer_id = c.id AND a.closed_at IS NULL
            WHERE c.state = 'private'
        ) AS held
        WHERE follow_up_due_at <> {follow_up} OR deal_due_at <> {deal}
        """,
        lambda row: says(
            "customer {id}: the deadlines are {follow_up} and {deal}, but start and last follow-up say {follow_up_rule}"
            " and {deal_rule}. A follow-up sets them right; so does the length that the settings had before.",
            id=str(row.id),
            follow_up=moment(row.follow_up_due_at),
            deal=moment(row.deal_due_at),
            follow_up_rule=moment(row.follow_up_rule),
            deal_rule=moment(row.deal_rule),
        ),
    )


_LAPSED = """
    FROM customer c
    WHERE state = 'private' AND deleted_at IS NULL AND (follow_up_due_at <= :run OR deal_due_at <= :run)
      AND (extended_until IS NULL OR extended_until <= :run)
      AND NOT EXISTS (SELECT 1 FROM payment p
                      WHERE p.customer_id = c.id AND p.state = 'pending' AND p.recorded_at <= :run)
"""

NOT_EXPIRED = Check(
    "customer",
    f"""
    SELECT id, follow_up_due_at, deal_due_at,
           CASE WHEN deal_due_at < follow_up_due_at THEN deal_due_at ELSE follow_up_due_at END AS due
    {_LAPSED}
    """,
    lambda row: says(
        "customer {id}: expired at {due}, before the last scheduled run, but is still private."
        " Run: python -m crm expire",
        id=str(row.id),
        due=moment(row.due),
    ),
)


def late(session: Session, run: datetime, last_run: datetime) -> list[Says]:
    """Who still waits for a run that is late: no fault, since it will give the result of an on-time run."""
    if run == last_run:
        return []
    asked = text(f"SELECT count(*) {_LAPSED}").bindparams(bindparam("run", last_run, type_=Moment()))
    count = session.execute(asked).scalar_one()
    if not count:
        return []
    return [
        says_n(
            "The run of {run} has not ended yet: {count} customer goes to the public pool with it. The jobs process"
            " does it, or: python -m crm expire",
            "The run of {run} has not ended yet: {count} customers go to the public pool with it. The jobs process"
            " does it, or: python -m crm expire",
            count=count,
            run=last_run,
        )
    ]


DELETED_BUT_HELD = Check(
    "customer",
    "SELECT id, consultant_id FROM customer WHERE deleted_at IS NOT NULL AND state = 'private'",
    lambda row: says(
        "customer {id}: was deleted, but consultant {consultant} still holds it. Close its episode as released"
        " and set the state to public.",
        id=str(row.id),
        consultant=str(row.consultant_id),
    ),
)

CHECKS = (
    STATE,
    HOLDER_MISSING,
    HOLDER_LEFT_OVER,
    DEADLINES_MISSING,
    DEADLINES_LEFT_OVER,
    NO_OPEN_EPISODE,
    OTHER_HOLDER,
    OPEN_WITHOUT_HOLDER,
    NOT_EXPIRED,
    DELETED_BUT_HELD,
)
