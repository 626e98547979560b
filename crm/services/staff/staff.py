"""Departments, employees, and how much each consultant is given."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.accounts import Account
from crm.domain.calendar import day_of
from crm.domain.quotas import Shut, room
from crm.domain.staff import ConsultantQuota, Department, Employee
from crm.errors import Invalid, NotAllowed, NotFound, deny
from crm.i18n import Says, says
from crm.rbac import Actor, Reach
from crm.services.access import accounts, audit
from crm.services.access.permissions import ADMINISTERS, gives_rights
from crm.services.customers.scopes import ACCOUNTS, DEPARTMENTS, STAFF, WORKS
from crm.services.seen_rows import require_seen
from crm.services.sharing import sharing_round
from crm.services.staff.staff_cells import DEPARTMENT, EMPLOYEE, FREE, QUOTA, checked
from crm.services.typed_cells import Check
from crm.settings import settings
from crm.store.session import is_postgres

VIEW, EDIT = "staff.view", "staff.edit"
CONSULTS = "consults"
_UNSEEN = {"synchronize_session": False}
_QUOTAS = SQLModel.metadata.tables["consultant_quota"]

# Who is seen


def employees(_session: Session, actor: Actor) -> SelectOfScalar[Employee]:
    """The staff, as far as the actor's reach goes."""
    actor.require(VIEW)
    return select_rows(Employee).where(STAFF.where(actor, VIEW))


def quotas(_session: Session, actor: Actor) -> SelectOfScalar[ConsultantQuota]:
    """The quotas of the consultants, as far as the actor's reach goes."""
    actor.require(VIEW)
    return select_rows(ConsultantQuota).join(Employee).where(STAFF.where(actor, VIEW))


def departments(_session: Session, actor: Actor) -> SelectOfScalar[Department]:
    """All departments, by code. Their names are no secret to who sees staff."""
    actor.require(VIEW)
    return select_rows(Department).order_by(col(Department.code))


def free_accounts(_session: Session, actor: Actor) -> SelectOfScalar[Account]:
    """Active sign-ins that no employee has yet, for whoever may link them."""
    return select_rows(Account).where(FREE, ACCOUNTS.where(actor, ADMINISTERS))


def consultants(_session: Session, actor: Actor) -> Select[Any]:
    """Those with a quota, whose customers the actor may list: the choices of a filter."""
    actor.require("customers.view")
    return _with_quota().where(STAFF.where(actor, "customers.view")).order_by(col(Employee.name))


def who_sold(_session: Session, actor: Actor) -> Select[Any]:
    """Those with a quota, whose customers' payments the actor may list: the choices of a filter."""
    actor.require("payments.view")
    return _with_quota().where(STAFF.where(actor, "payments.view")).order_by(col(Employee.name))


def choices(session: Session, actor: Actor) -> Mapping[int, Says]:
    """Active consultants to whom the actor may assign customers, with what they hold now, by id."""
    actor.require("customers.assign")
    held = sharing_round.held_now(session)
    asked = (
        select(col(Employee.id), col(Employee.name), col(ConsultantQuota.max_customers))
        .join(ConsultantQuota, col(ConsultantQuota.employee_id) == col(Employee.id))
        .where(WORKS, STAFF.where(actor, "customers.assign"))
        .order_by(col(Employee.name))
    )
    return {
        key: says("{name} ({held} of {cap})", name=name, held=held.get(key, 0), cap=cap)
        for key, name, cap in session.execute(asked)
        if key is not None
    }


# What stands beside each quota


def shares(session: Session, _rows: Sequence[ConsultantQuota], now: datetime) -> dict[int, Says]:
    """The part of the next customers that each consultant gets, or why none."""
    today = day_of(now, settings().zone)
    standing = {each.id: (each.weight, room(each, today)) for each in sharing_round.standings(session, now)}
    total = sum(weight for weight, left in standing.values() if not isinstance(left, Shut))
    return {
        key: left.label if isinstance(left, Shut) else says("{share} %", share=round(100 * weight / total, 1))
        for key, (weight, left) in standing.items()
    }


def held(session: Session, rows: Sequence[ConsultantQuota], _now: datetime) -> dict[int, int]:
    """How many customers each of these consultants holds now."""
    found = sharing_round.held_now(session)
    return {row.employee_id: found.get(row.employee_id, 0) for row in rows}


def today(session: Session, rows: Sequence[ConsultantQuota], now: datetime) -> dict[int, int]:
    """How many customers were shared out to each of these consultants since the school's midnight."""
    ids = [row.employee_id for row in rows]
    found = sharing_round.given_today(session, ids, now)
    return {each: found.get(each, 0) for each in ids}


# What is changed


def save_quota(
    session: Session, actor: Actor, employee_id: int, version: int, changes: Mapping[str, Any], now: datetime
) -> int:
    """Save changed fields of one quota against the version seen; returns the new version.

    It counts from the next customer on; whoever waits is shared out within a minute where room appeared.
    Raises `Conflict` with the values now there, `Invalid` by field, `NotFound`, `NotAllowed`.
    """
    actor.require(EDIT)
    asked = select(ConsultantQuota).join(Employee).where(col(ConsultantQuota.employee_id) == employee_id)
    quota = _locked(session, asked.where(STAFF.where(actor, EDIT)), ConsultantQuota, employee_id)
    return _save(
        session, actor, quota, col(ConsultantQuota.employee_id) == employee_id, employee_id, version, changes, now
    )


def save_employee(
    session: Session, actor: Actor, employee_id: int, version: int, changes: Mapping[str, Any], now: datetime
) -> int:
    """Save changed fields of one employee against the version seen; returns the new version.

    Who becomes inactive is given no more customers and keeps those held, until somebody hands them over.
    The sign-in is changed only by who manages sign-ins, and both the old and the new one; it is theirs from its
    next click on. Nobody moves themselves, for whose department and sign-in one has decides how far one reaches.
    Raises `Conflict` with the values now there, `Invalid` by field, `NotFound`, `NotAllowed`.
    """
    actor.require(EDIT)
    if "account_id" in changes:
        actor.require(ADMINISTERS)
    employee = _locked(
        session,
        select(Employee).where(col(Employee.id) == employee_id, STAFF.where(actor, EDIT)),
        Employee,
        employee_id,
    )
    _require_not_oneself(actor, employee, changes)
    if "account_id" in changes and employee.account_id is not None:
        accounts.require_manageable(session, actor, session.get_one(Account, employee.account_id))
    with _or_invalid(session, "account_id", _TAKEN):
        return _save(session, actor, employee, col(Employee.id) == employee_id, employee_id, version, changes, now)


def add_department(session: Session, actor: Actor, values: Mapping[str, Any], now: datetime) -> int:
    """Add a department by `code` and `name`; returns the id. For who looks after all. Raises `Invalid` by field."""
    actor.require(EDIT)
    if actor.reach(EDIT) is not Reach.ALL:
        raise NotAllowed(says("You look after your own department only."), EDIT)
    row = Department(**checked(session, actor, DEPARTMENT, {"code": None, "name": None, **values}))
    with _or_invalid(session, "code", _SAME_CODE):
        session.add(row)
        session.flush()
    assert row.id is not None
    audit.record(session, actor, EDIT, "department", row.id, None, {"code": row.code, "name": row.name}, now)
    return row.id


def save_department(
    session: Session, actor: Actor, department_id: int, version: int, changes: Mapping[str, Any], now: datetime
) -> int:
    """Save changed fields of one department against the version seen; returns the new version.

    The code stays as it is while somebody is in the department. Raises as `save_employee`.
    """
    actor.require(EDIT)
    asked = select(Department).where(col(Department.id) == department_id, DEPARTMENTS.where(actor, EDIT))
    row = _locked(session, asked, Department, department_id)
    if "code" in changes and actor.reach(EDIT) is not Reach.ALL:
        raise Invalid.of({"code": says("You look after your own department only.")})
    with _or_invalid(session, "code", _SAME_CODE):
        return _save(session, actor, row, col(Department.id) == department_id, department_id, version, changes, now)


def add_employee(session: Session, actor: Actor, values: Mapping[str, Any], now: datetime) -> int:
    """Add an employee, with `consults` also a quota to start with; returns the id.

    With a sign-in (`account_id`) only by who manages sign-ins. Raises `Invalid` by field, `NotAllowed`.
    """
    actor.require(EDIT)
    fields = {key: value for key, value in values.items() if key != CONSULTS}
    row = Employee(**checked(session, actor, EMPLOYEE, {"name": None, "department_code": None, **fields}))
    with _or_invalid(session, "account_id", _TAKEN):
        session.add(row)
        session.flush()
    assert row.id is not None
    # Department and sign-in give reach over the department's rows and the own ones: they are kept as they are.
    given = {key: getattr(row, key) for key in fields}
    audit.record(session, actor, EDIT, "employee", row.id, None, audit.named_only(given, _ABOUT_THEM), now)
    if values.get(CONSULTS):
        _start(session, actor, row.id, now)
    return row.id


def give_quota_many(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Says | None]:
    """Let employees take part in sharing out, with the quota that the settings name. Per id: None, or why not."""
    actor.require(EDIT)
    there = set(session.scalars(select(col(Employee.id)).where(col(Employee.id).in_(ids), STAFF.where(actor, EDIT))))
    # Two who do it at once wait for each other in one order, and the second finds the quota there.
    given = {each for each in sorted(set(ids)) if each in there and _start(session, actor, each, now)}
    for each in set(ids) - there:
        deny(EDIT, each)
    return {
        each: None if each in given else says("This employee has a quota already.") if each in there else _NO_SUCH
        for each in dict.fromkeys(ids)
    }


_ABOUT_THEM = ("name", "email", "mobile", "wecom")
_NO_SUCH = says("There is no such employee, or it is not yours to change.")
_TAKEN = says("Choose a sign-in that is active and that nobody has yet.")
_SAME_CODE = says("Another department has this code, or somebody is in this department, so that its code has to stay.")
_CHECKS: dict[Any, Mapping[str, Check]] = {ConsultantQuota: QUOTA, Employee: EMPLOYEE, Department: DEPARTMENT}


@contextmanager
def _or_invalid(session: Session, field: str, why: Says) -> Iterator[None]:
    """Undo what is written inside, and say why of that field, if the database refuses it."""
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        raise Invalid.of({field: why}) from error


def _require_not_oneself(actor: Actor, employee: Employee, changes: Mapping[str, Any]) -> None:
    """Raises `Invalid` for who would give themselves another reach; who may give any right may do that too."""
    kept = {key: getattr(employee, key) for key in ("department_code", "account_id")}
    moved = [key for key, value in kept.items() if str(changes.get(key, value)) != str(value)]
    if moved and employee.id == actor.owner_id and not gives_rights(actor):
        raise Invalid.of({moved[0]: says("Somebody else has to change this for you: it decides how far you reach.")})


def _with_quota() -> Select[Any]:
    return select(Employee).join(ConsultantQuota, col(ConsultantQuota.employee_id) == col(Employee.id))


def _start(session: Session, actor: Actor, employee_id: int, now: datetime) -> bool:
    """Give the quota to start with; False where there is one already, also of somebody a moment earlier."""
    rules = settings().rules
    after = {"weight": rules.default_weight, "max_customers": rules.default_max_customers}
    make = postgresql.insert if is_postgres(session) else sqlite.insert
    insert = make(_QUOTAS).values(employee_id=employee_id, **after).on_conflict_do_nothing()
    if session.connection().execute(insert.returning(_QUOTAS.c.employee_id)).one_or_none() is None:
        return False
    audit.record(session, actor, EDIT, "consultant_quota", employee_id, None, after, now)
    return True


def _locked(session: Session, asked: Select[Any], table: type[SQLModel], row_id: int) -> Any:
    found = session.execute(
        asked.with_for_update(of=table), execution_options={"populate_existing": True}
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(_NO_SUCH, EDIT, row_id)
    return found


def _save(
    session: Session,
    actor: Actor,
    row: Any,
    condition: Any,
    row_id: int,
    version: int,
    changes: Mapping[str, Any],
    now: datetime,
) -> int:
    require_seen(row, version, changes)
    cells = checked(session, actor, _CHECKS[type(row)], changes)
    before = {key: getattr(row, key) for key in cells}
    about = _ABOUT_THEM if isinstance(row, Employee) else ()
    was, becomes = (audit.named_only(one, about) for one in (before, cells))
    session.execute(update(type(row)).where(condition).values(**cells, version=version + 1), execution_options=_UNSEEN)
    session.expire(row)
    audit.record(session, actor, EDIT, row.__tablename__, row_id, was, becomes, now)
    return version + 1
