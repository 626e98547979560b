"""A school with a row for every relation somebody can have to it, and who may be expected to see which.

Each row carries a mark of its own, which nothing else in the world holds, so that it is known wherever it turns up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session, SQLModel

from crm.domain.accounts import Account
from crm.domain.classes import ClassGroup
from crm.domain.customers import Customer, CustomerState
from crm.domain.imports import ImportBatch
from crm.domain.payments import Payment
from crm.domain.records import AuditEntry, JobOutcome, JobPlan, JobRun, NoticeState, Notification
from crm.domain.school import Course, School
from crm.domain.staff import ConsultantQuota, Department, Employee
from crm.domain.students import Student
from crm.domain.teaching import Apology, CourseRecord, DeletedDay, StudyRecord
from crm.grid import TableConfig
from crm.i18n import says
from crm.rbac import Actor, Grants, Reach
from crm.services.access.permissions import DEFAULT_ROLES, PAGES, install_roles
from crm.services.sharing import sharing_round
from tests.builders import a_consultant, a_customer, a_department, a_private_customer, an_account, school_day
from tests.school_builders import (
    a_class_group,
    a_course,
    a_course_record,
    a_deleted_day,
    a_deposit,
    a_school,
    a_student,
    a_student_in,
    a_study_record,
    an_enrolment,
)
from tests.teaching import an_apology

NOW = datetime.now(UTC)
HERE, THERE = 1001, 1002
OWN, DEPARTMENT, OTHER, NOBODYS = "own", "department", "other", "nobodys"
MINE = "mine"
PUBLIC, RELEASED, WAITING, ENROLLED, DELETED = "public", "released", "waiting", "enrolled", "deleted"
LED, TAUGHT = "led", "taught"
SENT = "-sent"
MISSING = 999_999

Seen = Mapping[Reach, Iterable[str]]


@dataclass(frozen=True)
class World:
    """The rows: model -> relation -> key. `me` is the employee whose relations they are."""

    me: Any
    rows: Mapping[type[SQLModel], Mapping[str, int]]

    def actor(self, grants: Grants, name: str = "Somebody") -> Actor:
        """The person of whom the relations are told, with these grants."""
        return Actor(self.me.account_id, name, grants, owner_id=self.me.id, department=HERE, address="10.0.0.7")


def mark(model: type[SQLModel], relation: str) -> str:
    """What tells this row from any other, wherever it is shown."""
    return f"Zq{model.__name__}{relation.title()}"


# What a reach covers, unless a table says otherwise below.
COVERED: Seen = {
    Reach.OWN: (OWN,),
    Reach.DEPARTMENT: (OWN, DEPARTMENT),
    Reach.ALL: (OWN, DEPARTMENT, OTHER, NOBODYS, PUBLIC, RELEASED, WAITING, ENROLLED),
}

_HELD = {reach: tuple(one for one in seen if one in (OWN, DEPARTMENT, OTHER)) for reach, seen in COVERED.items()}
_TAUGHT = {**COVERED, Reach.ALL: (OWN, DEPARTMENT, OTHER, NOBODYS, MINE)}
_ONLY_ALL = {Reach.OWN: (), Reach.DEPARTMENT: ()}


def _with(relation: str) -> Seen:
    """As usual, and those of one more relation, which is as near as one's own."""
    return {reach: (*seen, relation) for reach, seen in COVERED.items()}


# The tables of which something else is true, and why.
OTHERWISE: dict[str, Seen] = {
    # One's own page shows whom somebody holds: who waits or is public is nobody's own.
    "my-customers": _HELD,
    # The pool is everybody's but of who held the customer last.
    "pool": dict.fromkeys(Reach, (PUBLIC,)),
    # Who was deleted was let go before, so is nobody's own.
    "deleted": {**_ONLY_ALL, Reach.ALL: (DELETED,)},
    # The names of departments are no secret within the school.
    "departments": dict.fromkeys(Reach, (OWN, OTHER)),
    # An inbox is one's own, whatever the reach.
    "notifications": dict.fromkeys(Reach, (OWN,)),
    # The same notice on its way by email is read when it is read in the app.
    "notifications: notifications.view": dict.fromkeys(Reach, (OWN, f"{OWN}{SENT}")),
    # Campuses and courses are nobody's own: seen by whoever sees the page, changed for the whole school.
    "schools": dict.fromkeys(Reach, (NOBODYS,)),
    "schools: courses.edit": {**_ONLY_ALL, Reach.ALL: (NOBODYS,)},
    "courses": dict.fromkeys(Reach, (NOBODYS,)),
    "courses: courses.edit": {**_ONLY_ALL, Reach.ALL: (NOBODYS,)},
    # A class is of its class teacher as well as of its lecturers.
    "classes": _with(LED),
    # A student is of who won them and of who teaches them; money is for who won them.
    "students": _with(TAUGHT),
    "students: payments.record": {**COVERED, Reach.ALL: (*COVERED[Reach.ALL], TAUGHT)},
    # Everybody who sees staff reads them; a department is changed by who looks after it.
    "departments: staff.edit": {Reach.OWN: (), Reach.DEPARTMENT: (OWN,), Reach.ALL: (OWN, OTHER)},
    # What one scores is of the classes one teaches; one's own as a student is of nobody's class here.
    "gradebook": _TAUGHT,
    "course-records": _TAUGHT,
    "deleted-days": _TAUGHT,
    "attendance-of-day": _TAUGHT,
    "study-records": _TAUGHT,
    "apologies": _TAUGHT,
    # A student's own, whatever the reach.
    "grades": dict.fromkeys(Reach, (MINE,)),
    # Nobody whom this world tells of has asked to be excused as a student.
    "own-apologies": dict.fromkeys(Reach, ()),
    # What the app itself shows of notices.
    "inbox": dict.fromkeys(Reach, (OWN,)),
    # What has left the app, by whom it is for.
    "outbox": {reach: tuple(f"{one}{SENT}" for one in seen) for reach, seen in COVERED.items()},
}


def covered(config: TableConfig, reach: Reach | None, doing: str = "") -> set[str]:
    """The relations of the rows that a grant of this reach covers in the table, to see them or to do something.

    No reach: no row.
    """
    if reach is None:
        return set()
    return set(OTHERWISE.get(f"{config.name}: {doing}", OTHERWISE.get(config.name, COVERED))[reach])


ROLES: Mapping[str, Grants] = {
    **{role.name: role.grants for role in DEFAULT_ROLES},
    "nothing": {},
    **{f"everything {reach.name.lower()}": dict.fromkeys(PAGES.permissions, reach) for reach in Reach},
}
"""The roles of the product, none at all, and every permission at one reach."""


def a_world(session: Session) -> World:
    """The school, its roles, and a row for every relation to every model that a table shows."""
    install_roles(session)
    sharing_round.take_turn(session)
    staff = {}
    for relation, code in ((OWN, HERE), (DEPARTMENT, HERE), (OTHER, THERE)):
        a_department(session, code, mark(Department, OWN if code == HERE else OTHER))
        made = an_account(session, mark(Account, relation).lower(), display_name=mark(Account, relation), locale="en")
        staff[relation] = a_consultant(session, mark(Employee, relation), department=code, account_id=made.id)
    alone = an_account(session, mark(Account, NOBODYS).lower(), display_name=mark(Account, NOBODYS))
    whose = {relation: one.account_id for relation, one in staff.items()}
    ids = {relation: one.id for relation, one in staff.items()}
    return World(
        staff[OWN],
        {
            Employee: ids,
            ConsultantQuota: ids,
            Account: {**whose, NOBODYS: alone.id},
            Department: {OWN: a_department(session, HERE).id, OTHER: a_department(session, THERE).id},
            Customer: _customers(session, staff),
            **_school(session, staff),
            **_teaching(session, staff),
            **_records(session, {**whose, NOBODYS: alone.id}),
        },
    )


def _customers(session: Session, staff: Mapping[str, Any]) -> dict[str, int]:
    made = {
        relation: a_private_customer(
            session, who, since=NOW, name=mark(Customer, relation), wechat=mark(Customer, relation) + "Wx"
        )
        for relation, who in staff.items()
    }
    for relation, values in (
        (PUBLIC, {"state": CustomerState.PUBLIC, "last_consultant_id": staff[OTHER].id}),
        (RELEASED, {"state": CustomerState.PUBLIC, "last_consultant_id": staff[OWN].id}),
        (WAITING, {"state": CustomerState.WAITING}),
        (ENROLLED, {"state": CustomerState.ENROLLED}),
        (DELETED, {"state": CustomerState.WAITING, "deleted_at": NOW}),
    ):
        name = mark(Customer, relation)
        made[relation] = a_customer(session, name, wechat=f"{name}Wx", created_at=NOW, **values)
    return {relation: one.id for relation, one in made.items()}


def _school(session: Session, staff: Mapping[str, Any]) -> dict[type[SQLModel], dict[str, int]]:
    """A class of each, a student whom each won, and a pending payment of a customer whom each holds."""
    classes = {
        relation: a_class_group(
            session,
            *([staff[relation]] if relation in staff else []),
            teacher=staff[OWN] if relation == LED else None,
            note=mark(ClassGroup, relation),
        )
        for relation in (*staff, NOBODYS, LED)
    }
    won = {
        relation: a_student(session, mark(Student, relation), consultant=staff.get(relation))
        for relation in (*staff, NOBODYS, TAUGHT)
    }
    an_enrolment(session, won[TAUGHT], classes[OWN])
    paying = {
        relation: a_private_customer(session, who, since=NOW, name=mark(Payment, relation))
        for relation, who in staff.items()
    }
    paying[NOBODYS] = a_customer(session, mark(Payment, NOBODYS), state=CustomerState.ENROLLED)
    pending = {relation: a_deposit(session, who, classes[OWN], recorded_at=NOW) for relation, who in paying.items()}
    made: dict[type[SQLModel], dict[str, Any]] = {
        ClassGroup: classes,
        Student: won,
        Payment: pending,
        School: {NOBODYS: a_school(session, mark(School, NOBODYS))},
        Course: {NOBODYS: a_course(session, mark(Course, NOBODYS))},
    }
    return {model: {relation: row.id for relation, row in rows.items()} for model, rows in made.items()}


def _teaching(session: Session, staff: Mapping[str, Any]) -> dict[type[SQLModel], dict[str, int]]:
    """A student's day of a class for each who teaches it, of one that nobody teaches, and of oneself as a student."""
    made: dict[type[SQLModel], dict[str, int]] = {CourseRecord: {}, StudyRecord: {}, Apology: {}, DeletedDay: {}}
    for relation, lecturer in {**staff, NOBODYS: None, MINE: None}.items():
        group = a_class_group(session, *([lecturer] if lecturer else []), starts_on=school_day(NOW))
        signs_in = {"account_id": staff[OWN].account_id} if relation == MINE else {}
        student = a_student_in(session, group, mark(StudyRecord, relation), sign_in=False, **signs_in)
        day = a_course_record(
            session, group, initialised_at=NOW, title=mark(CourseRecord, relation), homework_title="Exercise"
        )
        made[CourseRecord][relation] = day.id or 0
        made[StudyRecord][relation] = a_study_record(session, day, student).id or 0
        made[DeletedDay][relation] = a_deleted_day(session, group, NOW, title=mark(DeletedDay, relation)).id or 0
        sorry = a_student_in(session, group, mark(Apology, relation), sign_in=False)
        made[Apology][relation] = an_apology(session, sorry, group, school_day(NOW)).id or 0
    return made


def _records(session: Session, whose: Mapping[str, int]) -> dict[type[SQLModel], dict[str, int]]:
    def kept(model: type[SQLModel], relation: str, **values: Any) -> Any:
        row = model(**values)
        session.add(row)
        session.flush()
        return row.id  # type: ignore[attr-defined]

    made: dict[type[SQLModel], dict[str, int]] = {}
    for relation, account in whose.items():
        for model, values in (
            (
                AuditEntry,
                {"at": NOW, "account_id": account, "action": "home.view", "subject": mark(AuditEntry, relation)},
            ),
            (
                ImportBatch,
                {
                    **dict.fromkeys(("rows", "imported", "duplicates", "errors", "assigned", "waiting"), 0),
                    "file_name": mark(ImportBatch, relation),
                    "digest": relation,
                    "imported_at": NOW,
                    "imported_by_id": account,
                },
            ),
        ):
            made.setdefault(model, {})[relation] = kept(model, relation, **values)
        for channel in ("app", "email"):
            title = says("{text}", text=mark(Notification, relation)).stored()
            values = {"account_id": account, "channel": channel, "title": title, "created_at": NOW}
            made.setdefault(Notification, {})[relation if channel == "app" else f"{relation}{SENT}"] = kept(
                Notification, relation, state=NoticeState.FAILED, **values
            )
    plan = {
        "about": says("x").stored(),
        "rhythm": says("x").stored(),
        "next_due_at": NOW,
        "alive_at": NOW,
        "runner": "x",
    }
    made[JobPlan] = {NOBODYS: kept(JobPlan, NOBODYS, job=mark(JobPlan, NOBODYS), **plan)}
    run = {"due_at": NOW, "started_at": NOW, "alive_at": NOW, "runner": "x", "outcome": JobOutcome.DONE}
    made[JobRun] = {NOBODYS: kept(JobRun, NOBODYS, job=mark(JobRun, NOBODYS), **run)}
    return made
