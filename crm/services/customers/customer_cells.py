"""What a person fills in about one customer, checked as an import checks a row: cells are read the same way."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from crm.domain.customer_fields import CLEAN, CONTACTS
from crm.domain.customers import Customer, CustomerCourse
from crm.domain.school import Course
from crm.errors import Invalid
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.customers.scopes import LIVE, may_open
from crm.services.typed_cells import read_cells

COURSE_IDS, REFERRED_BY_ID = "course_ids", "referred_by_id"

# The same words whoever holds the other customer, so that nobody learns of one who is not theirs.
_TAKEN = {
    "phone": says("This phone number is in the school's records already."),
    "qq": says("This QQ number is in the school's records already."),
}


@dataclass(frozen=True, slots=True)
class Cells:
    """Values ready for the columns, and the courses of interest: None leaves them as they are."""

    columns: dict[str, Any]
    course_ids: tuple[int, ...] | None


def checked(session: Session, actor: Actor, values: Mapping[str, Any], before: Customer | None) -> Cells:
    """The values of some fields, made uniform. `before` is the customer as it stands, None for a new one.

    Raises `Invalid` with a message for every field that cannot be saved.
    """
    typed = {key: value for key, value in values.items() if key not in (COURSE_IDS, REFERRED_BY_ID)}
    columns, wrong = read_cells(CLEAN, typed)
    if (before is None or "name" in columns) and not columns.get("name"):
        wrong.setdefault("name", says("Enter a name."))
    if not any(columns.get(key, getattr(before, key, None)) for key in CONTACTS):
        wrong.setdefault("phone", says("Enter a phone number, a QQ number or a WeChat name."))
    wrong |= {key: text for key, text in _taken(session, columns, before).items() if key not in wrong}
    if values.get(REFERRED_BY_ID) is not None:
        wrong |= _not_a_referrer(session, actor, values[REFERRED_BY_ID], before)
    course_ids = None if values.get(COURSE_IDS) is None else tuple(dict.fromkeys(values[COURSE_IDS]))
    if course_ids:
        wrong |= _no_courses(session, course_ids)
    if wrong:
        raise Invalid.of(wrong)
    if REFERRED_BY_ID in values:
        columns[REFERRED_BY_ID] = values[REFERRED_BY_ID]
    return Cells(columns, course_ids)


@contextmanager
def unique_or_invalid(session: Session) -> Iterator[None]:
    """Undo what is written inside, and say which field it was, if somebody took the number a moment earlier."""
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        said = str(error.orig)
        for key, text in _TAKEN.items():
            if f"uq_customer_{key}" in said or f"customer.{key}" in said:
                raise Invalid.of({key: text}) from error
        raise


def set_courses(session: Session, customer_id: int, course_ids: tuple[int, ...]) -> None:
    """Make these the courses that interest the customer."""
    session.execute(delete(CustomerCourse).where(col(CustomerCourse.customer_id) == customer_id))
    if course_ids:
        rows = [{"customer_id": customer_id, "course_id": course} for course in course_ids]
        session.execute(insert(CustomerCourse), rows)


def numbers_taken(session: Session, customers: Iterable[Any]) -> dict[int, Says]:
    """Which of these cannot live, and why: a customer who does, or one before it, has the same phone or QQ number."""
    rows = list(customers)
    wrong: dict[int, Says] = {}
    for key, why in _TAKEN.items():
        column = getattr(Customer, key)
        theirs = [value for row in rows if (value := getattr(row, key)) is not None]
        taken = set(session.scalars(select(column).where(LIVE, column.in_(theirs))))
        for row in rows:
            value = getattr(row, key)
            if value is None or row.id in wrong:
                continue
            if value in taken:
                wrong[row.id] = why
            else:
                taken.add(value)
    return wrong


def _taken(session: Session, columns: Mapping[str, Any], before: Customer | None) -> dict[str, Says]:
    asked = {key: columns[key] for key in _TAKEN if columns.get(key)}
    if not asked:
        return {}
    same = select(col(Customer.phone), col(Customer.qq)).where(
        LIVE, or_(*(getattr(Customer, key) == value for key, value in asked.items()))
    )
    if before is not None:
        same = same.where(col(Customer.id) != before.id)
    found = session.execute(same).all()
    return {key: _TAKEN[key] for key, value in asked.items() if any(getattr(row, key) == value for row in found)}


def _not_a_referrer(session: Session, actor: Actor, referrer: Any, before: Customer | None) -> dict[str, Says]:
    if before is not None and referrer == before.id:
        return {REFERRED_BY_ID: says("Nobody refers themselves.")}
    known = session.scalar(select(col(Customer.id)).where(col(Customer.id) == referrer, may_open(actor)))
    return {} if known else {REFERRED_BY_ID: says("There is no such customer among those you may open.")}


def _no_courses(session: Session, course_ids: tuple[int, ...]) -> dict[str, Says]:
    known = set(session.scalars(select(col(Course.id)).where(col(Course.id).in_(course_ids))))
    return {} if known.issuperset(course_ids) else {COURSE_IDS: says("One of these courses is no longer taught here.")}
