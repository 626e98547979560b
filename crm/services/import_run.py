"""Importing a sheet that was checked: all its new rows, shared out, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.imports import ImportBatch
from crm.domain.quotas import Shut, room
from crm.domain.staff import Employee
from crm.errors import Refused
from crm.i18n import Says, says, says_n
from crm.rbac import Actor
from crm.services import audit, sharing_round
from crm.services.assignment import share_out
from crm.services.import_check import (
    PHONE_KNOWN,
    QQ_KNOWN,
    RUN,
    Checked,
    Duplicate,
    Progress,
    drop,
    drop_known_wechats,
    who,
)
from crm.store import import_rows
from crm.xlsx.check import POSITION, Values
from crm.xlsx.fields import COURSES, REFERRED_BY

_PHONE, _QQ, _WECHAT = POSITION["phone"], POSITION["qq"], POSITION["wechat"]
_COURSES, _REFERRED_BY = POSITION[COURSES], POSITION[REFERRED_BY]
_STORED = tuple(POSITION[column] for column in import_rows.COLUMNS)


@dataclass(frozen=True, slots=True)
class Part:
    """How many of the new customers one consultant got, and why."""

    consultant_id: int
    name: str
    count: int
    why: Says


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did. `late` are rows that somebody else entered between the check and now.

    `parts` has the consultants, most first; `waiting` counts this sheet's customers that wait, and `waiting_reason`
    says why.
    """

    batch: int
    rows: int
    imported: int
    duplicates: int
    errors: int
    assigned: int
    waiting: int
    parts: tuple[Part, ...]
    waiting_reason: Says | None
    late: tuple[Duplicate, ...] = ()


def run_import(
    session: Session, actor: Actor, checked: Checked, now: datetime, progress: Progress | None = None
) -> ImportResult:
    """Store the new rows of a sheet and share them out, with history, notices and an entry in the audit log.

    Customers entered by somebody else since the check are left out and told as `late`. A second call with the same
    `checked` raises `Refused` (a double click); so does a sheet without a new row.
    """
    actor.require(RUN)
    tell = progress or (lambda _done, _what: None)
    import_rows.take_turn(session)
    _once(session, checked)
    late = drop_known_wechats(checked, _known_wechats(session, checked))
    batch = _batch(session, actor, checked, now)
    ids = import_rows.new_ids(session, len(checked.numbers))
    rows = [_stored(values) for values in checked.values]
    what = says_n("Storing {count} customer", "Storing {count} customers", count=len(rows))
    tell(0.0, what)
    for done in import_rows.insert(session, ids, rows, batch=batch.id or 0, now=now, by=actor.account_id):
        tell(0.5 * done / len(rows), what)
    del rows
    there = import_rows.inserted(session, batch.id or 0)
    if len(there) != len(ids):
        late += _taken_meanwhile(session, checked, ids, there)
        ids = [each for each in ids if each in there]
    _insert_courses(session, ids, checked.values)
    shares = says("Sharing them out")
    tell(0.5, shares)
    shared = share_out(
        session, ids, now=now, by=actor, progress=lambda done, every: tell(0.5 + 0.49 * done / max(every, 1), shares)
    )
    batch.imported, batch.duplicates = len(ids), len(checked.duplicates)
    batch.assigned, batch.waiting = shared.assigned, shared.waiting
    session.add(batch)
    counts = {"rows": batch.rows, "imported": batch.imported, "assigned": batch.assigned, "waiting": batch.waiting}
    audit.record(session, actor, RUN, "import_batch", batch.id, None, counts, now)
    session.flush()
    return ImportResult(
        batch=batch.id or 0,
        rows=batch.rows,
        imported=batch.imported,
        duplicates=batch.duplicates,
        errors=batch.errors,
        assigned=batch.assigned,
        waiting=batch.waiting,
        parts=_parts(session, shared.by_consultant, now),
        waiting_reason=shared.waiting_reason,
        late=tuple(late),
    )


def _once(session: Session, checked: Checked) -> None:
    """Refuses a sheet that came in since it was checked, or that has nothing to bring."""
    if not checked.numbers:
        raise Refused(says("This sheet has no new customer, so there is nothing to import."))
    again = session.scalar(
        select(col(ImportBatch.id))
        .where(col(ImportBatch.digest) == checked.digest, col(ImportBatch.id) > checked.last_batch)
        .limit(1)
    )
    if again is not None:
        raise Refused(
            says("This sheet has just been imported as number {batch}. Nothing came in twice.", batch=str(again))
        )


def _batch(session: Session, actor: Actor, checked: Checked, now: datetime) -> ImportBatch:
    batch = ImportBatch(
        file_name=checked.file_name[-255:],
        digest=checked.digest,
        rows=checked.rows,
        imported=0,
        duplicates=0,
        errors=len(checked.wrong),
        assigned=0,
        waiting=0,
        imported_at=now,
        imported_by_id=actor.account_id,
    )
    session.add(batch)
    session.flush()
    return batch


def _stored(values: Values) -> tuple[object, ...]:
    return (*values[: len(_STORED)], values[_REFERRED_BY])


def _known_wechats(session: Session, checked: Checked) -> set[str]:
    only = [row[_WECHAT] for row in checked.values if row[_PHONE] is None and row[_QQ] is None]
    return import_rows.known(session, "wechat", only)


def _taken_meanwhile(session: Session, checked: Checked, ids: Sequence[int], there: set[int]) -> list[Duplicate]:
    """The rows that did not go in, because somebody else had entered the customer since the check."""
    gone = [
        (number, values)
        for each, number, values in zip(ids, checked.numbers, checked.values, strict=True)
        if each not in there
    ]
    phones = import_rows.known(session, "phone", [values[_PHONE] for _, values in gone if values[_PHONE]])
    late = [
        Duplicate(number, *who(values), PHONE_KNOWN if values[_PHONE] in phones else QQ_KNOWN)
        for number, values in gone
    ]
    drop(checked, late)
    return late


def _insert_courses(session: Session, ids: Sequence[int], values: Sequence[Values]) -> None:
    import_rows.insert_courses(
        session,
        [(each, course) for each, row in zip(ids, values, strict=True) if row[_COURSES] for course in row[_COURSES]],
    )


def _parts(session: Session, by_consultant: dict[int, int], now: datetime) -> tuple[Part, ...]:
    """What each consultant with a quota got and why, most first; those who got nothing for good reason, too."""
    names = dict(list(session.execute(select(col(Employee.id), col(Employee.name)))))
    today = sharing_round.school_day(now)
    standing = {each.id: (each.weight, room(each, today)) for each in sharing_round.standings(session, now)}
    total = sum(weight for each, (weight, left) in standing.items() if by_consultant.get(each) or isinstance(left, int))
    parts = []
    for each, (weight, left) in standing.items():
        count = by_consultant.get(each, 0)
        why = says("Weight {weight} of {total}", weight=weight, total=total)
        if isinstance(left, Shut):
            why = says("{share}, then: {shut}", share=why, shut=left.label) if count else left.label
        parts.append(Part(each, names.get(each, ""), count, why))
    return tuple(sorted(parts, key=lambda part: (-part.count, part.consultant_id)))
