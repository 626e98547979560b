"""How the doctor asks: one query finds the rows that break a rule, one sentence tells of each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, text
from sqlmodel import Session

from crm.domain.base import Moment
from crm.i18n import Says, says_n

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Check:
    """One rule. `sql` finds the rows that break it (`:name` places are filled from the facts of the visit),
    `tell` makes the sentence of one such row: table, row, what is wrong, remedy."""

    table: str
    sql: str
    tell: Callable[[Any], Says]


def ask(session: Session, check: Check, facts: dict[str, Any]) -> list[Says]:
    """The sentences of the rows that break the rule: at most `SHOWN`, then how many more there are."""
    used = {name: value for name, value in facts.items() if f":{name}" in check.sql}
    typed = [
        bindparam(name, value, type_=Moment()) if isinstance(value, datetime) else bindparam(name, value)
        for name, value in used.items()
    ]
    found = session.execute(text(f"{check.sql} LIMIT {SHOWN + 1}").bindparams(*typed)).all()
    told = [check.tell(row) for row in found[:SHOWN]]
    if len(found) > SHOWN:
        total = session.execute(text(f"SELECT count(*) FROM ({check.sql}) AS found").bindparams(*typed)).scalar_one()
        told.append(more(check.table, total - SHOWN))
    return told


def more(table: str, count: int) -> Says:
    """That there are so many rows more of the kind just told of."""
    return says_n(
        "{table}: {count} more row with the same fault as the one before.",
        "{table}: {count} more rows with the same fault as the one before.",
        count,
        table=table,
    )


def moment(value: datetime | str) -> datetime:
    """A moment as a plain query brings it: aware from PostgreSQL, text in UTC from SQLite."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def later(column: str, days: str, *, postgres: bool) -> str:
    """SQL for a moment so many days of 24 hours after `column`, exact to the microsecond. `days` is a place."""
    if postgres:
        return f"({column} + make_interval(hours => 24 * CAST(:{days} AS integer)))"
    # Only the date changes, so the time of the stored text is kept as it is.
    return f"(date({column}, '+' || :{days} || ' days') || substr({column}, 11))"


def not_digits(column: str, *, postgres: bool) -> str:
    """SQL for a text that holds anything but ASCII digits."""
    return f"{column} !~ '^[0-9]+$'" if postgres else f"{column} GLOB '*[^0-9]*'"
