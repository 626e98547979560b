"""A sheet comes in: looked at, imported, shared out."""

import io
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from crm.domain.customers import Customer, CustomerCourse, CustomerState
from crm.domain.episodes import Assignment
from crm.domain.imports import ImportBatch
from crm.domain.records import AuditEntry, Notification
from crm.domain.school import Course
from crm.errors import NotAllowed, Refused, Unreadable
from crm.i18n import says
from crm.services import imports
from crm.services.imports import Checked
from tests.builders import NOON, a_consultant, a_customer, an_actor
from tests.sheets import HEADERS, a_sheet

LATER = NOON + timedelta(minutes=5)
MANAGER = an_actor(role="sales_manager")


def checked(
    session: Session, rows: Sequence[Sequence[Any]], headers: Sequence[str] = HEADERS, **values: Any
) -> Checked:
    return imports.check_sheet(session, MANAGER, a_sheet(rows, headers), "sheet.xlsx", NOON, **values)


def imported(session: Session, rows: Sequence[Sequence[Any]], headers: Sequence[str] = HEADERS) -> imports.ImportResult:
    return imports.run_import(session, MANAGER, checked(session, rows, headers), LATER)


def test_the_classic_sheet_comes_in_and_is_shared_out(session: Session) -> None:
    one, two = a_consultant(session, "Ada", weight=20), a_consultant(session, "Ben", weight=10)

    result = imported(
        session,
        [("张三", 1, 13800138001, 10001), ("李四", "女", "+86 138-0013-8002", None), ("王五", None, None, 10003)],
    )

    found = session.exec(select(Customer).order_by(Customer.id)).all()  # type: ignore[arg-type]
    assert [(each.name, each.gender, each.phone, each.qq) for each in found] == [
        ("张三", "male", "13800138001", "10001"),
        ("李四", "female", "13800138002", None),
        ("王五", None, None, "10003"),
    ]
    assert all(each.state == CustomerState.PRIVATE and each.import_batch_id == result.batch for each in found)
    assert (result.rows, result.imported, result.assigned, result.waiting) == (3, 3, 3, 0)
    assert [(part.consultant_id, part.name, part.count) for part in result.parts] == [
        (one.id, "Ada", 2),
        (two.id, "Ben", 1),
    ]
    assert len(session.exec(select(Assignment)).all()) == 3
    assert len(session.exec(select(Notification)).all()) == 2


def test_nothing_is_written_by_looking(session: Session) -> None:
    checked(session, [("张三", 1, 13800138001, 10001)])

    assert not session.exec(select(Customer)).all()
    assert not session.exec(select(ImportBatch)).all()


def test_rows_are_told_apart_as_new_duplicate_and_wrong(session: Session) -> None:
    a_customer(session, "Known", phone="13800138001")
    a_customer(session, "Known too", qq="10002")

    sheet = checked(
        session,
        [
            ("张三", 1, 13800138001, None),
            ("李四", 1, 13800138002, 10002),
            ("王五", 1, 13800138003, 10003),
            ("王五", 1, "138 0013 8003", None),
            ("赵六", 3, "1380013", None),
            ("钱七", None, None, None),
        ],
    )

    assert [(row.row, row.verdict) for row in sheet.preview()] == [
        (2, "duplicate"),
        (3, "duplicate"),
        (4, "new"),
        (5, "duplicate"),
        (6, "wrong"),
        (7, "wrong"),
    ]
    assert [row.says for row in sheet.duplicates] == [
        says("A customer with this phone is in the school's records already."),
        says("A customer with this QQ is in the school's records already."),
        says("This is the same customer as in row {row}.", row="4"),
    ]
    assert [(row, column) for row, column, _why in sheet.errors()] == [(6, "性别(1-男,2-女)"), (6, "手机"), (7, "手机")]


def test_a_duplicate_tells_nothing_of_who_is_known(session: Session) -> None:
    holder = a_consultant(session, "Ada")
    a_customer(session, "Secret name", phone="13800138001", company="Secret company", last_consultant_id=holder.id)

    sheet = checked(session, [("张三", 1, 13800138001, None)])

    told = repr(sheet.duplicates) + repr(sheet.preview()) + str(sheet.duplicates[0].says)
    assert "Secret" not in told and "Ada" not in told


def test_the_deleted_do_not_count_as_known(session: Session) -> None:
    a_customer(session, phone="13800138001", deleted_at=NOON)

    result = imported(session, [("张三", 1, 13800138001, None)])

    assert result.imported == 1


def test_who_has_nothing_but_wechat_is_known_by_it(session: Session) -> None:
    headers = ("Name", "WeChat", "Phone")
    a_customer(session, wechat="wx_1", phone="13800138001")

    sheet = checked(
        session, [("A", "wx_1", ""), ("B", "wx_2", ""), ("C", "wx_2", ""), ("D", "wx_1", "13800138004")], headers
    )

    assert [(row.row, row.verdict) for row in sheet.preview()] == [
        (2, "duplicate"),
        (3, "new"),
        (4, "duplicate"),
        (5, "new"),
    ]


def test_the_row_after_a_known_one_is_judged_by_itself(session: Session) -> None:
    a_customer(session, phone="13800138001")

    sheet = checked(session, [("A", 1, 13800138001, 10001), ("B", 1, 13800138002, 10001)])

    assert [row.verdict for row in sheet.preview()] == ["duplicate", "new"]


def test_without_room_customers_wait_and_the_reason_is_told(session: Session) -> None:
    a_consultant(session, max_customers=1)

    result = imported(session, [("张三", 1, 13800138001, None), ("李四", 1, 13800138002, None)])

    assert (result.assigned, result.waiting) == (1, 1)
    assert result.waiting_reason is not None
    assert session.exec(select(Customer.state).order_by(Customer.id)).all() == [  # type: ignore[arg-type]
        CustomerState.PRIVATE,
        CustomerState.WAITING,
    ]


def test_the_same_file_is_recognised(session: Session) -> None:
    rows = [("张三", 1, 13800138001, None)]
    content = a_sheet(rows)
    first = imports.run_import(session, MANAGER, imports.check_sheet(session, MANAGER, content, "a.xlsx", NOON), NOON)

    again = imports.check_sheet(session, MANAGER, content, "renamed.xlsx", LATER)

    assert again.seen is not None and again.seen.batch == first.batch
    assert any("already" in str(warning) for warning in again.warnings)
    assert [row.verdict for row in again.preview()] == ["duplicate"]


def test_a_double_click_imports_once(session: Session) -> None:
    sheet = checked(session, [("张三", 1, 13800138001, None), ("李四", 1, None, 10002)])
    imports.run_import(session, MANAGER, sheet, LATER)

    with pytest.raises(Refused, match="just been imported"):
        imports.run_import(session, MANAGER, sheet, LATER)

    assert len(session.exec(select(Customer)).all()) == 2


def test_whom_somebody_enters_meanwhile_is_left_out(session: Session) -> None:
    headers = ("Name", "Phone", "QQ", "WeChat")
    sheet = checked(
        session,
        [
            ("A", "13800138001", "", ""),
            ("B", "13800138002", "10002", ""),
            ("C", "", "10003", ""),
            ("D", "", "", "wx_4"),
            ("E", "13800138005", "", ""),
        ],
        headers,
    )
    a_customer(session, phone="13800138001")
    a_customer(session, qq="10002")
    a_customer(session, wechat="wx_4")

    result = imports.run_import(session, MANAGER, sheet, LATER)

    assert sorted(row.number for row in result.late) == [2, 3, 5]
    assert (result.imported, result.duplicates, result.rows) == (2, 3, 5)
    names = session.exec(select(Customer.name).where(Customer.import_batch_id == result.batch)).all()
    assert sorted(names) == ["C", "E"]


def test_courses_and_referrers_are_found_by_name_and_number(session: Session) -> None:
    for name in ("Python 全栈", "Java"):
        session.add(Course(name=name))
    session.flush()
    friend = a_customer(session, phone="13800138009")
    other = a_customer(session, qq="10009")
    headers = ("Name", "Phone", "Courses", "Referred by")

    imported(
        session,
        [
            ("A", "13800138001", "python全栈；JAVA", "+86 138 0013 8009"),
            ("B", "13800138002", "Java", 10009),
            ("C", "13800138003", "", ""),
        ],
        headers,
    )

    rows = {row.name: row for row in session.exec(select(Customer))}
    wanted = session.exec(
        select(Customer.name, Course.name)
        .where(CustomerCourse.customer_id == Customer.id, CustomerCourse.course_id == Course.id)
        .order_by(Customer.name, Course.name)
    ).all()
    assert wanted == [("A", "Java"), ("A", "Python 全栈"), ("B", "Java")]
    assert (rows["A"].referred_by_id, rows["B"].referred_by_id, rows["C"].referred_by_id) == (friend.id, other.id, None)


def test_unknown_courses_and_referrers_are_wrong(session: Session) -> None:
    session.add(Course(name="Python"))
    session.flush()
    headers = ("Name", "Phone", "Courses", "Referred by")

    sheet = checked(
        session, [("A", "13800138001", "Pyton", "13800138009"), ("B", "13800138002", "Python", "")], headers
    )

    assert [(row, column, str(why)) for row, column, why in sheet.errors()] == [
        (2, "Courses", "There is no course Pyton. Did you mean Python?"),
        (
            2,
            "Referred by",
            "Nobody in the school's records has this phone or QQ. Import that customer first, or leave it empty.",
        ),
    ]
    assert [row.verdict for row in sheet.preview()] == ["wrong", "new"]


def test_wrong_rows_come_back_corrected(session: Session) -> None:
    sheet = checked(session, [("张三", 3, 138001, 10001), ("李四", 1, 13800138002, None)])
    file = io.BytesIO()
    imports.write_report(MANAGER, sheet, file, "en")
    imports.run_import(session, MANAGER, sheet, NOON)

    again = imports.check_sheet(session, MANAGER, file.getvalue(), "errors.xlsx", NOON)

    assert [row.verdict for row in again.preview()] == ["wrong"]
    assert not again.warnings
    assert [column for _row, column, _why in again.errors()] == ["性别(1-男,2-女)", "手机"]


def test_only_who_may_import_can_look_or_import(session: Session) -> None:
    nobody = an_actor("import.view")
    sheet = checked(session, [("张三", 1, 13800138001, None)])

    with pytest.raises(NotAllowed):
        imports.check_sheet(session, nobody, a_sheet([]), "a.xlsx", NOON)
    with pytest.raises(NotAllowed):
        imports.run_import(session, nobody, sheet, NOON)


def test_an_import_leaves_its_trace_without_personal_data(session: Session) -> None:
    result = imported(session, [("张三", 1, 13800138001, None), ("李四", 1, "no", None)])

    batch = session.get(ImportBatch, result.batch)
    entry = session.exec(select(AuditEntry).where(AuditEntry.action == "import.run")).one()
    assert batch is not None
    assert (batch.rows, batch.imported, batch.errors, batch.duplicates) == (2, 1, 1, 0)
    assert entry.subject_id == result.batch
    assert "138" not in entry.after and "张" not in entry.after


def test_a_sheet_without_new_rows_is_not_imported(session: Session) -> None:
    a_customer(session, phone="13800138001")

    with pytest.raises(Refused, match="no new customer"):
        imported(session, [("张三", 1, 13800138001, None)])


def test_a_file_that_is_not_there_is_named(session: Session, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"nowhere\.xlsx: There is no file"):
        imports.check_sheet(session, MANAGER, tmp_path / "nowhere.xlsx", "nowhere.xlsx", NOON)


def test_more_rows_than_the_settings_allow_are_refused(session: Session, use_settings: Callable[[str], None]) -> None:
    use_settings("[imports]\nmax_rows = 3")
    rows = [(f"N{number}", 1, 13800138000 + number, None) for number in range(4)]

    assert checked(session, [*rows[:3], ("", "", "", "")]).rows == 3
    with pytest.raises(Unreadable, match=r"sheet\.xlsx: 客户: 3 rows are the most at once\. Split the sheet\."):
        checked(session, rows)


def test_a_sheet_without_rows_is_refused(session: Session) -> None:
    with pytest.raises(Unreadable, match="no row below the header"):
        checked(session, [])


def test_progress_rises_to_the_end(session: Session) -> None:
    seen: list[float] = []
    sheet = checked(
        session,
        [(f"N{n}", 1, 13800138000 + n, None) for n in range(50)],
        progress=lambda done, _what: seen.append(done),
    )
    looked = len(seen)
    imports.run_import(session, MANAGER, sheet, NOON, progress=lambda done, _what: seen.append(done))

    assert looked
    assert seen[looked:] == sorted(seen[looked:])
    assert all(0 <= done <= 1 for done in seen)
