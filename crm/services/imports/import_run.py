"""Importing a sheet that was checked: all its new rows, shared out, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, repeat

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from crm.domain.calendar import day_of
from crm.domain.deadlines import Deadlines
from crm.domain.imports import ImportBatch
from crm.domain.quotas import Shut, room
from crm.domain.sharing import Pick
from crm.domain.staff import Employee
from crm.errors import Refused, Unavailable
from crm.i18n import Says, says, says_n
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.imports.import_checked import (
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
from crm.services.sharing import sharing_round
from crm.services.sharing.assignment import Shared, share_out_new, stored_reason
from crm.settings import settings
from crm.store import import_rows, name_pairs
from crm.xlsx.check import POSITION
from crm.xlsx.fields import COURSES, REFERRED_BY, STORED

_PHONE, _QQ, _WECHAT = POSITION["phone"], POSITION["qq"], POSITION["wechat"]
_COURSES, _REFERRED_BY = POSITION[COURSES], POSITION[REFERRED_BY]
_CUSTOMER = (
    *STORED,
    "referred_by_id",
    "state",
    "consultant_id",
    "follow_up_due_at",
    "deal_due_at",
    "waiting_reason",
    "import_batch_id",
    "created_at",
    "created_by_id",
    "version",
)
_ASSIGNMENT = ("customer_id", "consultant_id", "origin", "opened_at", "outcome", "reason", "opened_by_id")
TRIES = 3


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
    import_rows.take_turn(session)
    _once(session, checked)
    late = drop_known_wechats(checked, _known_wechats(session, checked))
    batch = _batch(session, actor, checked, now)
    for _try in range(TRIES):
        try:
            with session.begin_nested():
                shared = _stored(session, actor, checked, batch, now, progress or _silent)
            break
        except IntegrityError:
            known = _known_meanwhile(session, checked)
            if not known:
                raise
            late += known
    else:
        raise Unavailable(
            says("Others are entering the same customers now. Nothing was written. Try again in a moment.")
        )
    batch.imported, batch.duplicates = len(checked.numbers), len(checked.duplicates)
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


def _stored(
    session: Session, actor: Actor, checked: Checked, batch: ImportBatch, now: datetime, tell: Progress
) -> Shared:
    """The new rows become customers, each written once, with its consultant. Raises `IntegrityError`."""
    count = len(checked.numbers)
    at = import_rows.moment(session, now)

    def store(picks: Sequence[Pick], due: Deadlines, reason: Says | None) -> None:
        deadlines = [import_rows.moment(session, each) for each in due]
        told = reason.stored() if reason else None
        last = (batch.id, at, actor.account_id)
        holders = chain(
            # The start of an episode counts one version up, wherever it starts.
            (("private", pick.id, *deadlines, None, *last, 2) for pick in picks),
            repeat(("waiting", None, None, None, told, *last, 1)),
        )
        customers = (
            (*values[: len(STORED)], values[_REFERRED_BY], *holder)
            for values, holder in zip(checked.values, holders, strict=False)
        )
        what = says_n("Storing {count} customer", "Storing {count} customers", count=count)
        for done in import_rows.insert(session, "customer", _CUSTOMER, customers):
            tell(0.7 * done / count, what)
        ids = import_rows.ids_of(session, batch.id or 0)
        episodes = (
            (each, pick.id, "shared", at, "following", stored_reason(pick), actor.account_id)
            for each, pick in zip(ids, picks, strict=False)
        )
        name_pairs.index_import(session, batch.id or 0)
        what = says("Sharing them out")
        for done in import_rows.insert(session, "assignment", _ASSIGNMENT, episodes):
            tell(0.7 + 0.25 * done / count, what)
        wanted = zip(ids, checked.values, strict=True)
        import_rows.insert_courses(
            session, [(each, course) for each, values in wanted for course in values[_COURSES] or ()]
        )

    tell(0.0, says("Sharing them out"))
    return share_out_new(session, count, store, now=now)


def _silent(_done: float, _what: Says) -> None:
    """Nobody watches."""


def _known_wechats(session: Session, checked: Checked) -> set[str]:
    only = [row[_WECHAT] for row in checked.values if row[_PHONE] is None and row[_QQ] is None]
    return import_rows.known(session, "wechat", only)


def _known_meanwhile(session: Session, checked: Checked) -> list[Duplicate]:
    """The rows whose customers somebody else has entered since the check, as duplicates now."""
    phones = import_rows.known(session, "phone", [row[_PHONE] for row in checked.values if row[_PHONE]])
    qqs = import_rows.known(session, "qq", [row[_QQ] for row in checked.values if row[_QQ]])
    late = [
        Duplicate(number, *who(row), PHONE_KNOWN if row[_PHONE] in phones else QQ_KNOWN)
        for number, row in zip(checked.numbers, checked.values, strict=True)
        if row[_PHONE] in phones or row[_QQ] in qqs
    ]
    drop(checked, late)
    return late


def _parts(session: Session, by_consultant: dict[int, int], now: datetime) -> tuple[Part, ...]:
    """What each consultant with a quota got and why, most first; those who got nothing for good reason, too."""
    names = dict(list(session.execute(select(col(Employee.id), col(Employee.name)))))
    today = day_of(now, settings().zone)
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
