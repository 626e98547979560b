"""The people of the demo school: departments, staff, sign-ins, roles, and how much each consultant takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlmodel import Session, SQLModel, col

from crm.rbac.tables import AccountRole, Role
from crm.services.access.passwords import OF_THE_DEMO, hashed
from crm.services.access.permissions import install_roles
from crm.services.demo.clock import Clock
from crm.services.demo.lives import Holder

PASSWORD = OF_THE_DEMO

DEPARTMENTS = (
    (1001, "管理部 Management"),
    (1002, "咨询部 Consulting"),
    (1003, "教学部 Teaching"),
    (1004, "教务部 Student Affairs"),
    (1005, "财务部 Finance"),
)
CONSULTING = 1002


@dataclass(frozen=True, slots=True)
class Person:
    """One sign-in, and the member of staff behind it where there is one."""

    login: str
    name: str
    role: str
    department: int | None
    locale: str | None = None
    active: bool = True


STUDENT = Person("student", "何同学 He Xin", "student", None)
STAFF = (
    Person("admin", "管理员 Administrator", "administrator", 1001),
    Person("manager", "周经理 Grace Zhou", "sales_manager", CONSULTING),
    Person("lina", "李娜", "consultant", CONSULTING, "zh"),
    Person("wangwei", "王伟", "consultant", CONSULTING, "zh"),
    Person("zhangmin", "张敏", "consultant", CONSULTING, "zh"),
    Person("liuyang", "刘洋", "consultant", CONSULTING, "zh"),
    Person("chenjie", "陈杰", "consultant", CONSULTING, "zh"),
    Person("yangfan", "杨帆", "consultant", CONSULTING, "zh"),
    Person("zhaolei", "赵磊", "consultant", CONSULTING, "zh"),
    Person("huangting", "黄婷", "consultant", CONSULTING, "zh"),
    Person("sunli", "孙丽", "consultant", CONSULTING, "zh"),
    Person("emma", "Emma Clarke", "consultant", CONSULTING, "en"),
    Person("david", "David Miller", "consultant", CONSULTING, "en"),
    Person("maria", "Maria Lopez", "consultant", CONSULTING, "en"),
    Person("lecturer", "吴老师 Wu Hao", "lecturer", 1003),
    Person("teacher", "郑老师 Zheng Lan", "class_teacher", 1004),
    Person("finance", "钱会计 Qian Fang", "finance", 1005),
    STUDENT,
    Person("xuhao", "徐浩", "consultant", CONSULTING, "zh", active=False),
)
# Staff who teach and have no sign-in of their own.
TEACHING = (
    ("guochen", "郭晨", 1003),
    ("linyue", "林悦", 1003),
    ("hexin", "何欣", 1003),
    ("songjia", "宋佳", 1004),
)
LECTURERS = ("lecturer", "guochen", "linyue", "hexin")
CLASS_TEACHERS = ("teacher", "songjia")
AWAY, NOT_ACCEPTING, FULL, GONE = "emma", "sunli", "zhangmin", "xuhao"
FULL_AT = 45
LEFT_DAYS_AGO = 60


@dataclass(frozen=True, slots=True)
class School:
    """Who is there once the people are in: consultants as the lives see them, and accounts by employee.

    `employees` are all staff by login, or by the name that stands for one.
    """

    holders: Sequence[Holder]
    accounts: dict[int, int]
    logins: dict[str, int]
    employees: dict[str, int]
    student_role: int

    def account(self, login: str) -> int:
        """The account of one of `STAFF`."""
        return self.logins[login]


def settle(session: Session, seed: int, clock: Clock) -> School:
    """Write departments, accounts, roles, staff and quotas. Weights are all different, by the seed."""
    rng = Random(f"{seed}:people")
    connection = session.connection()
    install_roles(session)
    session.flush()
    roles = {name: key for key, name in session.execute(select(col(Role.id), col(Role.name)))}
    joined = clock.now - timedelta(days=400)
    _write(connection, "department", [{"code": code, "name": name, "version": 1} for code, name in DEPARTMENTS])
    secret = hashed(PASSWORD)
    logins = {person.login: number for number, person in enumerate(STAFF, start=1)}
    _write(connection, "account", [_account(logins[person.login], person, secret, joined) for person in STAFF])
    session.execute(
        insert(AccountRole), [{"account_id": logins[one.login], "role_id": roles[one.role]} for one in STAFF]
    )
    staff = [person for person in STAFF if person.department is not None]
    employees = {person.login: number for number, person in enumerate(staff, start=1)}
    _write(
        connection,
        "employee",
        [_employee(employees[person.login], logins[person.login], person) for person in staff],
    )
    first = len(employees) + 1
    teaching = {login: number for number, (login, _name, _department) in enumerate(TEACHING, start=first)}
    _write(
        connection,
        "employee",
        [_teacher(teaching[login], login, name, department) for login, name, department in TEACHING],
    )
    quotas = _quotas(rng, employees, clock)
    _write(connection, "consultant_quota", quotas)
    return School(
        holders=[_holder(quota, employees, clock) for quota in quotas],
        accounts={number: logins[login] for login, number in employees.items()},
        logins=logins,
        employees=employees | teaching,
        student_role=roles["student"],
    )


def _account(number: int, person: Person, secret: str, joined: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "name": person.login,
        "display_name": person.name,
        "email": f"{person.login}@example.com",
        "password_hash": secret,
        "active": person.active,
        "must_change_password": True,
        "locale": person.locale,
        "session_epoch": 0,
        "created_at": joined,
        "version": 1,
    }


def _employee(number: int, account_id: int, person: Person) -> dict[str, Any]:
    return {
        "id": number,
        "name": person.name,
        "department_code": person.department,
        "account_id": account_id,
        "email": f"{person.login}@example.com",
        "mobile": f"198000000{number:02d}",
        "wecom": person.login,
        "active": person.active,
        "version": 1,
    }


def _teacher(number: int, login: str, name: str, department: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "department_code": department,
        "account_id": None,
        "email": f"{login}@example.com",
        "mobile": f"198000000{number:02d}",
        "wecom": login,
        "active": True,
        "version": 1,
    }


def _quotas(rng: Random, employees: dict[str, int], clock: Clock) -> list[dict[str, Any]]:
    consultants = [person for person in STAFF if person.role == "consultant"]
    weights = rng.sample(range(5, 21), len(consultants))
    quotas = []
    for person, weight in zip(consultants, weights, strict=True):
        cap = rng.choice((150, 180, 200, 200, 240))
        quotas.append(
            {
                "employee_id": employees[person.login],
                "weight": weight,
                "max_customers": FULL_AT if person.login == FULL else cap,
                "max_per_day": rng.choice((30, 40)) if rng.random() < 0.25 else None,
                "accepting": person.login not in (NOT_ACCEPTING, GONE),
                "away_until": clock.day(clock.now) + timedelta(days=4) if person.login == AWAY else None,
                "served": 0,
                "carry": 0,
                "taking_part": False,
                "round_weight": 0,
                "version": 1,
            }
        )
    return quotas


def _holder(quota: dict[str, Any], employees: dict[str, int], clock: Clock) -> Holder:
    number = quota["employee_id"]
    holder = Holder(number, quota["weight"], quota["max_customers"])
    if number == employees[GONE]:
        holder.left_at = holder.closed_from = clock.last_run() - timedelta(days=LEFT_DAYS_AGO, hours=-14)
    elif number == employees[AWAY]:
        holder.closed_from = clock.last_run() - timedelta(days=2)
    elif number == employees[NOT_ACCEPTING]:
        holder.closed_from = clock.last_run() - timedelta(days=5)
    return holder


def _write(connection: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(SQLModel.metadata.tables[table]), rows)
