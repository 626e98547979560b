"""A class's scores as a sheet: what goes out can come in again, and every wrong cell is named."""

from datetime import timedelta

import pytest
from openpyxl import Workbook, load_workbook
from sqlmodel import select

from crm.domain.customers import Customer
from crm.domain.records import AuditEntry
from crm.domain.teaching import ScoreState
from crm.errors import NotFound, Unreadable
from crm.services.scores.score_sheets import check, export, note_export, run
from crm.xlsx.scores import NAME, NUMBER
from tests.builders import NOON, an_actor
from tests.school_builders import TODAY
from tests.scored import a_day, a_scored_class, grade

GRADED = ScoreState.GRADED


@pytest.fixture
def klass(session):
    return a_scored_class(session, 2)


@pytest.fixture
def rows(session, klass):
    """The study records of two days, the earlier day first."""
    return [a_day(session, klass, TODAY - timedelta(days=ago))[1] for ago in (2, 1)]


@pytest.fixture
def lecturer(klass):
    return an_actor(role="lecturer", of=klass.lecturer)


@pytest.fixture
def out(session, klass, lecturer, tmp_path):
    """Exports the class's scores and gives the sheet as a workbook."""

    def exported(lang="en"):
        session.flush()
        export(session, lecturer, klass.group.id, tmp_path / "scores.xlsx", lang, NOON)
        return load_workbook(tmp_path / "scores.xlsx")

    return exported


@pytest.fixture
def back(session, klass, lecturer, tmp_path):
    """Looks at a workbook that came back."""

    def looked(book):
        book.save(tmp_path / "back.xlsx")
        return check(session, lecturer, klass.group.id, (tmp_path / "back.xlsx").read_bytes(), NOON)

    return looked


def test_what_was_exported_changes_nothing_when_it_comes_back(rows, out, back):
    grade(rows[0][0], 85)
    rows[0][1].score_state = ScoreState.COPIED
    for lang in ("en", "zh"):
        checked = back(out(lang))

        assert (checked.rows, checked.same, checked.cells, checked.wrong) == (2, 2, [], [])


def test_a_sheet_has_students_by_name_and_days_by_the_calendar(klass, rows, out):
    grade(rows[1][0], 70)
    sheet = out().active

    assert [cell.value for cell in sheet[1]] == [NUMBER, NAME, "1 · 2025-03-01", "2 · 2025-03-02"]
    assert [cell.value for cell in sheet[2]] == [klass.students[0].id, "01", None, 70]


def test_averages_and_medians_are_beside_the_scores_and_do_not_come_in_again(klass, rows, out, back):
    for row, number in zip((*rows[0], *rows[1]), (90, 61, 80, None), strict=True):
        grade(row, number)

    book = out()

    _head, *lines = book["统计 Figures"].iter_rows(values_only=True)
    ann, ben = klass.students
    days = [f"{number} · {TODAY - timedelta(days=ago)}" for number, ago in ((1, 2), (2, 1))]
    assert lines == [
        (None, "全部 Everything", 77, 80),
        (None, days[0], 75.5, 75.5),
        (None, days[1], 80, 80),
        (ann.id, "01", 85, 85),
        (ben.id, "02", 61, 61),
    ]
    assert back(book).wrong == []


def test_what_was_filled_in_is_shown_and_then_written_in_one_go(session, lecturer, rows, out, back):
    grade(rows[0][1], 60)
    book = out()
    book.active["C2"], book.active["D2"], book.active["C3"] = "b+", "抄袭", 75

    checked = back(book)

    assert [(one.row, one.name, one.before, one.after) for one in checked.new] == [
        (2, "01", "", "85"),
        (2, "01", "", "Copied"),
        (3, "02", "60", "75"),
    ]
    assert rows[0][1].score == 60
    told = run(session, lecturer, checked, NOON)
    for each in rows:
        for row in each:
            session.refresh(row)
    assert (told.saved, told.why) == (3, {})
    assert [(row.score_state, row.score) for row in rows[0]] == [(GRADED, 85), (GRADED, 75)]
    assert rows[1][0].score_state is ScoreState.COPIED


@pytest.mark.parametrize("sentinel", [-1, -100, -1000, 101, "ninety"])
def test_a_wrong_cell_is_named_by_row_and_column_and_harms_no_other(rows, out, back, sentinel):
    book = out()
    book.active["D2"], book.active["D3"] = sentinel, "A"

    checked = back(book)

    assert [(one.row, one.column) for one in checked.wrong] == [(2, "D (2 · 2025-03-02)")]
    assert [(one.row, one.after) for one in checked.new] == [(3, "90")]


def test_a_row_is_taken_only_where_number_and_name_agree(klass, rows, out, back):
    book = out()
    sheet = book.active
    sheet["A2"] = klass.students[1].id
    sheet["C2"] = 100
    sheet.append([999_999, "Nobody", 100])
    sheet.append([klass.students[1].id, "02", 100])
    sheet.append(["x", "Nobody", 100])

    checked = back(book)

    assert [(one.row, one.column) for one in checked.wrong] == [(2, NAME), (4, NUMBER), (5, NUMBER), (6, NUMBER)]
    assert checked.new == []


def test_a_column_that_is_no_day_of_the_class_is_named(rows, out, back):
    book = out()
    book.active["D1"], book.active["E1"], book.active["F1"] = "Total", "9 · 2030-01-01", "1 · 2025-03-01"
    book.active["C2"] = 50

    checked = back(book)

    assert [(one.row, one.column) for one in checked.wrong] == [(1, "D"), (1, "E"), (1, "F")]
    assert len(checked.new) == 1


def test_what_was_scored_since_the_look_stays(session, lecturer, rows, out, back):
    book = out()
    book.active["C2"] = 50
    checked = back(book)
    grade(rows[0][0], 95)
    rows[0][0].version += 1
    session.flush()

    told = run(session, lecturer, checked, NOON)

    session.refresh(rows[0][0])
    assert (told.saved, len(told.why), rows[0][0].score) == (0, 1, 95)


@pytest.mark.parametrize("book", [Workbook()])
def test_a_sheet_of_something_else_is_refused(rows, back, book):
    book.active["A1"] = "Name"

    with pytest.raises(Unreadable, match="Export the scores"):
        back(book)


def test_nobody_imports_or_exports_another_class(session, klass, rows, tmp_path):
    other = an_actor(role="lecturer", of=a_scored_class(session).lecturer)

    with pytest.raises(NotFound):
        export(session, other, klass.group.id, tmp_path / "x.xlsx", "en", NOON)
    with pytest.raises(NotFound):
        check(session, other, klass.group.id, b"", NOON)
    assert not (tmp_path / "x.xlsx").exists()


def test_an_export_is_in_the_audit_log(session, klass, lecturer):
    note_export(session, lecturer, f"class={klass.group.id}", 2, NOON)
    session.flush()

    kept = session.exec(select(AuditEntry)).one()
    assert (kept.action, kept.subject) == ("gradebook.export", "gradebook")


def test_a_long_course_fits_into_one_sheet(session, klass, rows, out, back):
    for ago in range(3, 130):
        a_day(session, klass, TODAY - timedelta(days=ago))
    book = out()
    book.active.cell(row=2, column=131, value="A")

    checked = back(book)

    assert (len(checked.new), checked.wrong) == (1, [])


def test_a_name_never_becomes_a_formula_and_is_known_again(session, klass, rows, out, back):
    session.get(Customer, klass.students[0].customer_id).name = "=1+1"
    book = out()

    assert book.active["B3"].value == "'=1+1"
    assert back(book).wrong == []


def test_a_formula_without_a_value_and_merged_cells_are_named_and_not_passed_over(rows, out, back):
    book = out()
    sheet = book.active
    sheet["C2"], sheet["D2"], sheet["D3"] = "=40+45", 50, 60
    sheet.merge_cells("D2:D3")

    checked = back(book)

    assert [(one.row, one.column) for one in checked.wrong] == [(2, "C (1 · 2025-03-01)"), (2, "D (2 · 2025-03-02)")]
    assert "no value yet" in str(checked.wrong[0].why)
    assert "D2:D3 are merged" in str(checked.wrong[1].why)
    assert checked.new == []
