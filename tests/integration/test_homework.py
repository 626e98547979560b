"""Homework: handed in for one's own day while it is not scored, kept out of reach, fetched by who may."""

import os
import time
import zipfile
from datetime import timedelta
from io import BytesIO

import pytest

from crm.domain.teaching import ScoreState
from crm.errors import Conflict, Invalid, NotFound, Refused
from crm.rbac import Reach
from crm.services.scores.homework import File, fetch, forget_files, hand_in
from crm.settings import settings
from tests.builders import NOON, an_actor
from tests.scored import a_day, a_scored_class, grade

PDF = b"%PDF-1.7 and so on"
LONG_AGO = 2 * 3600


@pytest.fixture
def klass(session):
    return a_scored_class(session, 2)


@pytest.fixture
def row(session, klass):
    return a_day(session, klass)[1][0]


@pytest.fixture
def me(klass):
    return an_actor(role="student", account_id=klass.students[0].account_id)


def give(session, actor, row, text="", note="", file=None, now=NOON):
    hand_in(session, actor, row.id, text=text, note=note, file=file, seen=row.handed_in_at, now=now)
    session.refresh(row)


def files():
    folder = settings().var / "homework"
    return sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []


def test_text_is_handed_in(session, me, row):
    give(session, me, row, " print(1) ", "It was hard.")

    assert (row.homework_text, row.student_remark, row.handed_in_at) == ("print(1)", "It was hard.", NOON)
    assert (row.score_state, row.version) == (ScoreState.NOT_DUE, 2)


def test_what_was_handed_in_meanwhile_is_not_replaced_unseen(session, me, row):
    give(session, me, row, "From my phone")

    with pytest.raises(Conflict, match="handed in meanwhile") as refused:
        hand_in(session, me, row.id, text="From here", note="", file=None, seen=None, now=NOON + timedelta(hours=1))

    assert row.homework_text == "From my phone"
    assert refused.value.theirs["text"] == "From my phone"
    give(session, me, row, "From here", now=NOON + timedelta(hours=1))
    assert row.homework_text == "From here"


def test_what_a_teacher_changed_of_the_day_is_no_conflict_for_who_hands_in(session, me, row):
    row.teacher_remark, row.version = "Mind the loop.", row.version + 1
    session.flush()

    hand_in(session, me, row.id, text="Here", note="", file=None, seen=None, now=NOON)

    assert row.homework_text == "Here"


def test_a_file_is_kept_under_a_name_that_says_nothing_for_its_owner_alone(session, me, row):
    give(session, me, row, file=File("C:\\me\\作业 1.pdf", PDF))

    path, called = fetch(session, me, row.id, row.homework_file)
    assert (called, path.read_bytes()) == ("作业 1.pdf", PDF)
    assert files() == [row.homework_file]
    assert "pdf" not in path.name
    assert path.stat().st_mode & 0o077 == 0
    assert settings().var in path.parents


def test_after_the_due_date_it_is_late_and_no_longer_missing(session, me, row):
    row.score_state = ScoreState.MISSING
    session.flush()

    give(session, me, row, "Sorry", now=NOON + timedelta(days=30))

    assert row.score_state is ScoreState.NOT_DUE


@pytest.mark.parametrize("state", [ScoreState.COPIED, ScoreState.FAILED, ScoreState.GRADED])
def test_what_is_scored_is_not_handed_in_again(session, me, row, state):
    grade(row, 50) if state is ScoreState.GRADED else setattr(row, "score_state", state)
    session.flush()

    with pytest.raises(Refused, match="scored already"):
        give(session, me, row, "Better")


def test_a_day_without_homework_takes_none(session, klass, me):
    _day, (row, _other) = a_day(session, klass, due_in=None)

    with pytest.raises(Refused, match="no homework"):
        give(session, me, row, "Here")


def test_nobody_hands_in_for_somebody_else(session, klass, me):
    _day, (_mine, theirs) = a_day(session, klass)

    for actor in (me, an_actor("grades.hand_in", "grades.view", "gradebook.score", account_id=me.account_id)):
        with pytest.raises(NotFound):
            give(session, actor, theirs, "Mine")


def test_a_file_is_fetched_by_its_owner_and_the_teachers_of_the_class_only(session, klass, me, row):
    give(session, me, row, file=File("a.pdf", PDF))
    classmate = an_actor(role="student", account_id=klass.students[1].account_id)
    stranger = an_actor(role="lecturer", of=a_scored_class(session).lecturer)

    assert fetch(session, an_actor(role="lecturer", of=klass.lecturer), row.id, row.homework_file)
    assert fetch(session, an_actor("gradebook.view", reach=Reach.ALL), row.id, row.homework_file)
    for actor in (classmate, stranger, an_actor("gradebook.score", reach=Reach.ALL), an_actor()):
        with pytest.raises(NotFound):
            fetch(session, actor, row.id, row.homework_file)
    for name in ("", "../thanos.db", "x" * 43):
        with pytest.raises(NotFound):
            fetch(session, me, row.id, name)


def test_what_was_replaced_is_gone_and_what_is_young_or_named_stays(session, me, row):
    give(session, me, row, file=File("a.pdf", PDF))
    old = row.homework_file
    give(session, me, row, file=File("b.pdf", PDF + b"2"))

    assert row.homework_file != old
    with pytest.raises(NotFound):
        fetch(session, me, row.id, old)
    assert forget_files(session) == 0
    ago = time.time() - LONG_AGO
    for name in files():
        os.utime(settings().var / "homework" / name, (ago, ago))

    assert forget_files(session) == 1
    assert files() == [row.homework_file]


def test_without_a_new_file_the_old_one_stays(session, me, row):
    give(session, me, row, file=File("a.pdf", PDF))
    kept = row.homework_file

    give(session, me, row, "More words")

    assert (row.homework_file, row.homework_text) == (kept, "More words")


def a_zip(*names):
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"<script>alert(1)</script>"),
        ("a.png", PDF),
        ("a.docx", a_zip("[Content_Types].xml", "xl/workbook.xml")),
        ("a.xlsx", a_zip("xl/workbook.xml")),
        ("a.docx", b"PK\x03\x04broken"),
        ("a.txt", b"MZ\0\0"),
        ("a.exe", b"MZ\0\0"),
        ("a.html", b"<html>"),
        ("pdf", PDF),
        ("a.pdf.svg", PDF),
        ("a.pdf", b""),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(session, me, row, name, content):
    with pytest.raises(Invalid) as refused:
        give(session, me, row, "And text", file=File(name, content))

    assert set(refused.value.fields) == {"file"}
    assert files() == []
    session.refresh(row)
    assert row.handed_in_at is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.PDF", PDF),
        ("a.docx", a_zip("[Content_Types].xml", "word/document.xml")),
        ("a.zip", a_zip("main.py")),
        ("a.py", "print('你好')".encode("gb18030")),
        ("a.jpg", b"\xff\xd8\xff\xe0"),
    ],
)
def test_a_file_of_a_kind_that_is_taken_comes_in(session, me, row, name, content):
    give(session, me, row, file=File(name, content))

    assert fetch(session, me, row.id, row.homework_file)[0].read_bytes() == content


def test_size_and_kinds_are_settings(session, me, row, use_settings):
    use_settings('[homework]\nmax_megabytes = 1\nkinds = ["txt"]')

    for file in (File("a.txt", b"x" * (1 << 20) + b"y"), File("a.pdf", PDF)):
        with pytest.raises(Invalid):
            give(session, me, row, file=file)
    give(session, me, row, file=File("a.txt", b"x" * (1 << 20)))


@pytest.mark.parametrize("given", [{}, {"text": "x" * 20_001}, {"text": "x", "note": "x" * 2_001}])
def test_nothing_or_too_much_is_not_handed_in(session, me, row, given):
    with pytest.raises(Invalid):
        give(session, me, row, **given)
