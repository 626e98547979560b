"""A part of a customer's name finds the customer by the index of pairs, and the index follows every change."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, event, text, update
from sqlmodel import Session, col, select

from crm.domain.customers import Customer
from crm.grid import TableConfig, query, searching
from crm.grid.query import Page, read_page
from crm.grid.view import View
from crm.services.access.permissions import SYSTEM
from crm.services.classes.study_records import initialise
from crm.settings import settings
from crm.store.name_pairs import containing
from crm.tables.apologies import APOLOGIES
from crm.tables.attendance import RECORDS
from crm.tables.customers import CUSTOMERS
from crm.tables.payments import PAYMENTS
from crm.tables.students import STUDENTS
from tests.builders import NOON, a_customer, an_employee
from tests.school_builders import a_class_group, a_course_record, a_deposit, a_student
from tests.teaching import DAY, an_apology, in_class

MANY = text("""
    INSERT INTO customer (name, wechat, source, state, created_at, version)
    SELECT :name || number, 'w' || number, 'search', 'waiting', now() + number * interval '1 second', 1
    FROM generate_series(1, :count) AS number
""")


def found(session: Session, text: str) -> set[str]:
    """The names that the search box of *Customers* finds."""
    view = View(search=text, sort=CUSTOMERS.order)
    return {row.name for row in read_page(CUSTOMERS, session, SYSTEM, view, settings().zone).rows}


def indexed(session: Session, text: str) -> int | None:
    """How many the index names for the text."""
    keys = containing(session, text)
    return None if keys is None else len(session.execute(keys).all())


@pytest.fixture
def people(session: Session) -> Session:
    """Five people, one with a long name."""
    for number, name in enumerate(("王小明", "王明小", "小明王", "Ann-Marie O'Neil", "x" * 40 + "终点")):
        a_customer(session, name, phone=f"1380000000{number}", wechat=f"We_{number}")
    return session


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("小明", {"王小明", "小明王"}),
        ("王小明", {"王小明"}),
        ("明", {"王小明", "王明小", "小明王"}),
        ("ann-", {"Ann-Marie O'Neil"}),
        ("E O'N", {"Ann-Marie O'Neil"}),
        ("终点", {"x" * 40 + "终点"}),
        ('"', set()),
        ("小 明", set()),
        ("13800000001", {"王明小"}),
        ("1380000000", {"王小明", "王明小", "小明王", "Ann-Marie O'Neil", "x" * 40 + "终点"}),
        ("We_1", {"王明小"}),
        ("99", set()),
    ],
)
def test_a_part_of_a_name_or_the_beginning_of_a_number_finds(people: Session, text: str, names: set[str]) -> None:
    assert found(people, text) == names


@pytest.mark.parametrize("text", ["小明", "明", "1380000000", "We_", "99"])
@pytest.mark.parametrize("cap", [1, 1000])
@pytest.mark.parametrize("sparse", [0, 1, 5000])
@pytest.mark.parametrize("filters", [{}, {"state": ("waiting",)}], ids=["alone", "filtered"])
def test_a_large_table_is_searched_to_the_same_rows_whatever_way_is_taken(
    people: Session, monkeypatch: pytest.MonkeyPatch, text: str, cap: int, sparse: int, filters: dict[str, Any]
) -> None:
    config = replace(CUSTOMERS, cap=cap)

    def pages() -> list[Page]:
        views = [View(search=text, filters=filters, sort="-created_at", size=2, page=page) for page in (1, 2, 9)]
        return [read_page(config, people, SYSTEM, view, settings().zone) for view in views]

    small = pages()
    monkeypatch.setattr(query, "EXACT", 0)
    monkeypatch.setattr(searching, "SPARSE", sparse)
    large = pages()

    assert [page.rows for page in large[:2]] == [page.rows for page in small[:2]]
    assert [(page.total, page.more) for page in large] == [(min(one.total, cap), one.total > cap) for one in small]


def test_the_index_follows_a_change_of_name_and_a_row_that_is_gone(people: Session) -> None:
    first = people.scalars(select(Customer).where(Customer.name == "王小明")).one()
    people.execute(update(Customer).where(col(Customer.id) == first.id).values(name="赵小明"))

    assert (found(people, "王小"), found(people, "赵小")) == (set(), {"赵小明"})

    people.execute(delete(Customer).where(col(Customer.id) == first.id))
    assert (found(people, "赵小"), found(people, "小明")) == (set(), {"小明王"})


def test_what_the_index_names_first_and_is_called_otherwise_by_now_hides_nobody(
    people: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.execute(update(Customer).where(col(Customer.name).in_(("王小明", "小明王"))).values(name="赵小"))
    last = a_customer(people, "钱小明")
    monkeypatch.setattr(query, "EXACT", 0)
    monkeypatch.setattr(searching, "SPARSE", 0)

    view = View(search="小明", sort="-created_at")
    page = read_page(replace(CUSTOMERS, cap=1), people, SYSTEM, view, settings().zone)

    assert ([row.id for row in page.rows], page.total, page.more) == ([last.id], 1, False)


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_postgres_walks_the_order_for_many_matches_although_its_statistics_hold_none(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It guesses from some names how many hold a text: where none of those did, it read the whole table."""
    for name, count in (("李", 20_000), ("张伟", 2_000)):
        session.execute(MANY, {"name": name, "count": count})
        if name == "李":
            session.execute(text("ANALYZE customer"))
    monkeypatch.setattr(query, "EXACT", 0)
    monkeypatch.setattr(searching, "SPARSE", 0)
    asked: list[tuple[str, Any]] = []
    event.listen(
        session.get_bind(), "before_cursor_execute", lambda _c, _cursor, sql, given, *_: asked.append((sql, given))
    )

    view = View(search="张伟", sort="-created_at", size=20)
    assert read_page(CUSTOMERS, session, SYSTEM, view, settings().zone).more

    sql, given = next(one for one in asked if "ORDER BY" in one[0])
    plan = session.connection().exec_driver_sql(f"EXPLAIN {sql}", given).scalars().all()
    assert any("ix_customer_created" in line for line in plan), "\n".join(plan)


def test_one_sign_alone_and_signs_without_letters_have_no_index(people: Session) -> None:
    assert indexed(people, "明") is None
    assert indexed(people, "- ") is None


@pytest.mark.parametrize("gathered", [True, False], ids=["few", "many"])
@pytest.mark.parametrize("table", [STUDENTS, PAYMENTS, APOLOGIES, RECORDS], ids=lambda table: table.name)
def test_a_part_of_a_customers_name_finds_what_belongs_to_them(
    session: Session, table: TableConfig, gathered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through one foreign key or two, whether few customers are so called or many."""
    group = a_class_group(session, an_employee(session))
    day = a_course_record(session, group, DAY)
    for name in ("王小明", "王明小"):
        student = a_student(session, name)
        in_class(session, student, group)
        an_apology(session, student, group, DAY)
        a_deposit(session, session.get_one(Customer, student.customer_id), group)
    initialise(session, [day.id], NOON)
    if not gathered:
        monkeypatch.setattr(searching, "RARE", 0)
    monkeypatch.setattr(query, "EXACT", 0)

    def count(text: str) -> int:
        page = read_page(table, session, SYSTEM, View(search=text, sort=table.order), settings().zone)
        return page.total

    assert [count(text) for text in ("小明", "王", "明小", "王小明", "赵")] == [1, 2, 1, 1, 0]
