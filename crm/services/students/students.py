"""Students: who sees them, and what may be changed of them. They are made by `enrolling` alone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain import normalise
from crm.domain.accounts import Account
from crm.domain.balances import Balance
from crm.domain.customers import Customer
from crm.domain.students import Enrolment, Student
from crm.errors import Invalid, NotFound
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.classes.class_names import named
from crm.services.seen_rows import NO_RECORD, lock_row, require_seen
from crm.services.students import money_of
from crm.services.students.money_of import Balances
from crm.services.students.student_scopes import STUDENTS
from crm.services.typed_cells import a_day, read_cells
from crm.store.many_rows import is_one_of

VIEW, EDIT, MONEY = "students.view", "students.edit", "students.money"


@dataclass(frozen=True, slots=True)
class InClass:
    """One place of a student: the class, its days, and what is paid and owed for it where the reader may see that.

    That is one sum for each class: who came back to a class has it on the latest place there.
    """

    class_group_id: int
    name: Says
    joined_on: date
    left_on: date | None
    balance: Balance | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One student as somebody may read it."""

    student: Student
    name: str
    sign_in: str | None
    places: tuple[InClass, ...]


def visible_to(_session: Session, actor: Actor) -> SelectOfScalar[Student]:
    """The students in the actor's reach: own ones are those one won and those one teaches or taught."""
    actor.require(VIEW)
    return select_rows(Student).where(STUDENTS.where(actor, VIEW))


def sheet(session: Session, actor: Actor, student_id: int) -> Sheet:
    """All about one student. Raises `NotFound`."""
    found = session.exec(visible_to(session, actor).where(Student.id == student_id)).one_or_none()
    if found is None:
        raise NotFound(NO_RECORD, VIEW, student_id)
    places = session.scalars(
        select(Enrolment)
        .where(col(Enrolment.student_id) == student_id)
        .order_by(col(Enrolment.joined_on), col(Enrolment.id))
    ).all()
    names = named(session, [one.class_group_id for one in places])
    may_money = actor.may(MONEY) and STUDENTS.allows(session, actor, MONEY, student_id)
    balances = money(session, actor, student_id) if may_money else {}
    latest = {one.class_group_id: one for one in places}
    account = session.get(Account, found.account_id) if found.account_id is not None else None
    return Sheet(
        found,
        session.get_one(Customer, found.customer_id).name,
        account.name if account is not None else None,
        tuple(
            InClass(
                one.class_group_id,
                names[one.class_group_id],
                one.joined_on,
                one.left_on,
                balances.get(one.class_group_id) if latest[one.class_group_id] is one else None,
            )
            for one in places
        ),
    )


def money(session: Session, actor: Actor, student_id: int) -> Balances:
    """What one student has paid and owes, by class. Raises `NotFound`, `NotAllowed`."""
    actor.require(MONEY)
    asked = select(col(Student.customer_id)).where(col(Student.id) == student_id, STUDENTS.where(actor, MONEY))
    customer_id = session.scalar(asked)
    if customer_id is None:
        raise NotFound(NO_RECORD, MONEY, student_id)
    return money_of.customers(session, [customer_id]).get(customer_id, {})


def called(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """The names of these students, by id."""
    asked = (
        select(col(Student.id), col(Customer.name))
        .join(Customer, col(Customer.id) == col(Student.customer_id))
        .where(is_one_of(session, col(Student.id), ids))
    )
    return dict(map(tuple, session.execute(asked)))


def classes_of(session: Session, rows: Sequence[Student], _now: datetime) -> dict[int, str]:
    """Each student's classes as they stand: names, and where it is over the day of leaving."""
    ids = [row.id for row in rows]
    places = session.scalars(
        select(Enrolment).where(col(Enrolment.student_id).in_(ids)).order_by(col(Enrolment.joined_on))
    ).all()
    names = named(session, [one.class_group_id for one in places])
    found: dict[int, list[str]] = defaultdict(list)
    for one in places:
        name = str(names[one.class_group_id])
        found[one.student_id].append(name if one.left_on is None else str(_left(name, one.left_on)))
    return {key: "; ".join(parts) for key, parts in found.items()}


def classes_seen(session: Session, actor: Actor) -> Mapping[int, Says]:
    """The classes in which somebody whom the actor may see has or had a place, by course, the latest run first."""
    seen = visible_to(session, actor).with_only_columns(col(Student.id))
    asked = select(col(Enrolment.class_group_id)).where(col(Enrolment.student_id).in_(seen)).distinct()
    return named(session, session.scalars(asked))


def placed_in(class_ids: Sequence[int]) -> ColumnElement[bool]:
    """Students who have or had a place in one of these classes."""
    placed = select(col(Enrolment.student_id)).where(col(Enrolment.class_group_id).in_(class_ids))
    return col(Student.id).in_(placed)


def _left(name: str, day: date) -> Says:
    return says("{name} (left {day})", name=name, day=day)


def save(
    session: Session, actor: Actor, student_id: int, version: int, changes: Mapping[str, Any], now: datetime
) -> int:
    """Save the contact in need and the placement against the version seen; returns the new version.

    Raises `Conflict` with the values now there, `Invalid` by field, `NotFound`, `NotAllowed`.
    """
    actor.require(EDIT)
    row = lock_row(session, Student, student_id, STUDENTS.where(actor, EDIT), EDIT)
    require_seen(row, version, changes)
    cells, wrong = read_cells(_CHECKS, changes)
    if wrong:
        raise Invalid.of(wrong)
    for key, value in cells.items():
        setattr(row, key, value)
    row.version = version + 1
    session.flush()
    audit.record(session, actor, EDIT, "student", student_id, None, {"fields": sorted(changes)}, now)
    return version + 1


_CHECKS: Mapping[str, Any] = {
    "contact_in_need": lambda value: normalise.name(value),
    "contact_in_need_phone": normalise.phone,
    "placed_company": lambda value: normalise.line(value, 100),
    "placed_place": lambda value: normalise.line(value, 100),
    "placed_position": lambda value: normalise.line(value, 100),
    "placed_salary": normalise.salary,
    "placed_benefits": lambda value: normalise.lines(value, 500),
    "placed_on": a_day,
}
