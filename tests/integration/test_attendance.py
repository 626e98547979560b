"""Taking attendance: by the list, in bulk, by names with undo; confirming; make-ups, the reminder, the month."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import select

from crm.domain.attendance import Attended
from crm.domain.marks import Mark
from crm.domain.records import Notification
from crm.domain.students import Enrolment
from crm.domain.teaching import Attendance, CourseRecord, StudyRecord
from crm.errors import Invalid, NotAllowed, NotFound, Refused
from crm.grid.edits import Change
from crm.grid.saving import save_all
from crm.rbac import Reach
from crm.services.access.permissions import SYSTEM
from crm.services.attendance import attendance, attendance_reminders, class_day, make_ups, month_sheet, taken_days
from crm.services.classes.study_records import initialise
from crm.services.students import student_names
from crm.store.session import is_postgres
from crm.tables.attendance import RECORDS
from tests.builders import NOON, an_actor, an_employee
from tests.school_builders import a_class_group, a_course, a_course_record, a_student, a_study_record
from tests.teaching import DAY, in_class

P, E, L, A, LE = Attendance.PRESENT, Attendance.EXCUSED, Attendance.LATE, Attendance.ABSENT, Attendance.LEFT_EARLY


def test_a_cell_is_saved_and_minutes_make_late(session, taught):
    row = taught.row(session, taught.ann)

    attendance.save(session, taught.actor, row.id, row.version, {"late_minutes": 12}, NOON)
    row = taught.row(session, taught.ann)
    assert (row.attendance, row.late_minutes) == (L, 12)

    attendance.save(session, taught.actor, row.id, row.version, {"attendance": "absent"}, NOON)
    row = taught.row(session, taught.ann)
    assert (row.attendance, row.late_minutes) == (A, None)


def test_two_of_one_name_stand_in_one_order_whatever_is_noted(session, taught):
    first, second = (a_student(session, "Cao") for _each in range(2))
    for student in (first, second):
        in_class(session, student, taught.group)
    initialise(session, [taught.day.id], NOON)
    if is_postgres(session):
        # As it reads a larger table: in the order in which rows were last written.
        session.execute(text("SET LOCAL enable_indexscan = off"))
        session.execute(text("SET LOCAL enable_bitmapscan = off"))

    def order():
        return [one.student_id for one in class_day.day(session, taught.actor, taught.day.id).students][2:]

    before = order()
    attendance.mark_many(session, taught.actor, [taught.row(session, first).id], NOON, "absent")

    assert order() == before == [first.id, second.id]


def test_two_of_one_name_are_told_apart_by_the_number_that_the_list_of_students_has(session, taught):
    twins = [a_student(session, "Cao") for _each in range(2)]
    for student in twins:
        in_class(session, student, taught.group)
    initialise(session, [taught.day.id], NOON)
    apart = [f"Cao · {student.customer_id}" for student in twins]

    day = class_day.day(session, taught.actor, taught.day.id)
    rows = session.exec(attendance.on_day(session, taught.actor, taught.day.id)).all()

    assert [one.name for one in day.students] == ["Ann", "Ben", *apart]
    assert [one.name for one in month_sheet.sheet(session, taught.actor, taught.group.id, DAY).lines][2:] == apart
    assert sorted(student_names.of_rows(session, rows, NOON).values()) == ["Ann", "Ben", *sorted(apart)]
    assert sorted(attendance.students_seen(session, taught.actor).values()) == ["Ann", "Ben", *sorted(apart)]


@pytest.mark.parametrize(
    ("was", "typed", "becomes"),
    [
        (Mark(P), {"late_minutes": 12}, Mark(L, 12)),
        (Mark(L, 12), {"attendance": A}, Mark(A)),
        (Mark(L, 12), {"attendance": P}, Mark(P)),
        (Mark(A), {"attendance": L}, Mark(L)),
        (Mark(A), {"attendance": L, "late_minutes": 3}, Mark(L, 3)),
    ],
)
def test_a_save_in_the_list_is_undone_with_all_that_it_changed(session, taught, was, typed, becomes):
    row = taught.row(session, taught.ann)
    row.attendance, row.late_minutes = was
    session.flush()

    saved = save_all(RECORDS, session, taught.actor, [Change(row.id, row.version, typed)], NOON)
    row = taught.row(session, taught.ann)
    assert Mark(row.attendance, row.late_minutes) == becomes
    undone = save_all(RECORDS, session, taught.actor, saved.undo, NOON)
    row = taught.row(session, taught.ann)

    assert (undone.faults, undone.contests) == ((), ())
    assert Mark(row.attendance, row.late_minutes) == was


def test_a_misspelt_status_in_bulk_is_refused_and_nothing_is_written(session, taught):
    rows = [taught.row(session, each) for each in (taught.ann, taught.ben)]
    for forged in ("vacate", "presnt", "Absent", None):
        with pytest.raises(Invalid) as refused:
            attendance.mark_many(session, taught.actor, [row.id for row in rows], NOON, attendance=forged)
        assert "attendance" in refused.value.fields

    assert [taught.row(session, each).attendance for each in (taught.ann, taught.ben)] == [P, P]

    told = attendance.mark_many(session, taught.actor, [row.id for row in rows], NOON, attendance="late", minutes=7)
    assert set(told.values()) == {None}
    assert [taught.row(session, each).late_minutes for each in (taught.ann, taught.ben)] == [7, 7]


def test_exceptions_are_noted_by_student_and_taken_back_but_for_what_somebody_changed_since(session, taught):
    seen = {one.student_id: one.version for one in class_day.day(session, taught.actor, taught.day.id).students}
    marks = {taught.ann.id: Mark(L, 5), taught.ben.id: Mark(A)}

    applied = attendance.apply(session, taught.actor, taught.day.id, marks, seen, NOON)
    assert taught.row(session, taught.ann).late_minutes == 5
    ben = taught.row(session, taught.ben)
    attendance.save(session, taught.head, ben.id, ben.version, {"attendance": "excused"}, NOON)
    back = attendance.undo(session, taught.actor, applied, NOON)

    assert back.changed == ("Ben",)
    assert taught.row(session, taught.ann).attendance is P
    assert taught.row(session, taught.ben).attendance is E


def test_whom_somebody_changed_since_the_preview_stays_as_he_is(session, taught):
    seen = {one.student_id: one.version for one in class_day.day(session, taught.actor, taught.day.id).students}
    ben = taught.row(session, taught.ben)
    attendance.save(session, taught.head, ben.id, ben.version, {"attendance": "excused"}, NOON)

    applied = attendance.apply(session, taught.actor, taught.day.id, {taught.ben.id: Mark(A)}, seen, NOON)

    assert (applied.before, applied.changed) == ({}, ("Ben",))
    assert taught.row(session, taught.ben).attendance is E


def test_a_foreign_day_or_record_never_answers(session, taught):
    stranger = an_actor(role="lecturer", of=an_employee(session))
    row = taught.row(session, taught.ann)
    said = set()
    for key in (taught.day.id, 999_999):
        for call in (
            lambda key=key: class_day.day(session, stranger, key),
            lambda key=key: attendance.apply(session, stranger, key, {taught.ann.id: Mark(A)}, {}, NOON),
            lambda key=key: make_ups.link(session, stranger, key, row.id, NOON),
        ):
            with pytest.raises(NotFound) as refused:
                call()
            said.add(str(refused.value))
    assert len(said) == 1
    with pytest.raises(NotFound):
        attendance.save(session, stranger, row.id, row.version, {"attendance": "absent"}, NOON)
    assert None not in attendance.mark_many(session, stranger, [row.id], NOON, attendance="absent").values()
    assert None not in taken_days.confirm_many(session, stranger, [taught.day.id], NOON).values()
    assert month_sheet.sheet(session, stranger, taught.group.id, DAY).lines == ()
    assert taught.row(session, taught.ann).attendance is P


def test_initialised_becomes_taken_when_confirmed_and_can_be_taken_back_with_permission(session, taught):
    assert taken_days.confirm_many(session, taught.actor, [taught.day.id], NOON) == {taught.day.id: None}
    session.refresh(taught.day)
    assert (taught.day.taken_at, taught.day.taken_by_id) == (NOON, taught.lecturer.account_id)
    assert str(taken_days.confirm_many(session, taught.actor, [taught.day.id], NOON)[taught.day.id]).startswith(
        "This day"
    )

    with pytest.raises(NotAllowed):
        taken_days.reopen_many(session, taught.actor, [taught.day.id], NOON)
    assert taken_days.reopen_many(session, taught.head, [taught.day.id], NOON) == {taught.day.id: None}
    session.refresh(taught.day)
    assert (taught.day.taken_at, taught.day.taken_by_id) == (None, None)


def test_a_day_whose_confirmation_was_taken_back_is_reminded_of_again(session, taught):
    attendance_reminders.remind(session, SYSTEM, NOON, NOON)
    taken_days.confirm_many(session, taught.actor, [taught.day.id], NOON)
    assert attendance_reminders.remind(session, SYSTEM, NOON, NOON) == 0

    taken_days.reopen_many(session, taught.head, [taught.day.id], NOON)

    assert attendance_reminders.remind(session, SYSTEM, NOON, NOON) == 1


def test_a_day_to_come_one_not_initialised_and_one_that_lacks_a_late_joiner_cannot_be_confirmed(session, taught):
    tomorrow = a_course_record(session, taught.group, DAY + timedelta(days=1), initialised_at=NOON)
    fresh = a_course_record(session, taught.group, DAY - timedelta(days=1))
    in_class(session, a_student(session), taught.group)

    told = taken_days.confirm_many(session, taught.actor, [tomorrow.id, fresh.id, taught.day.id], NOON)

    assert [str(told[each.id])[:16] for each in (tomorrow, fresh, taught.day)] == [
        "This day is stil", "This day was not", "1 student of thi",
    ]  # fmt: skip


def test_who_joins_while_a_day_is_taken_is_looked_at_before_it_is_confirmed(session, taught):
    seen = {one.student_id for one in class_day.day(session, taught.actor, taught.day.id).students}
    late = a_student(session, "Late")
    in_class(session, late, taught.group)
    initialise(session, [taught.day.id], NOON)

    told = taken_days.confirm_many(session, taught.actor, [taught.day.id], NOON, seen=seen)

    assert str(told[taught.day.id]) == "Since you looked, somebody joined: Late. Look once more."
    seen.add(late.id)
    assert taken_days.confirm_many(session, taught.actor, [taught.day.id], NOON, seen=seen) == {taught.day.id: None}


# Make-ups


def test_a_missed_day_is_made_up_once_on_a_day_of_the_same_course(session, taught):
    row = taught.row(session, taught.ann)
    attendance.save(session, taught.actor, row.id, row.version, {"attendance": "absent"}, NOON)
    twin = a_class_group(session, taught.lecturer, course_id=taught.group.course_id, semester=2)
    foreign = a_class_group(session, taught.lecturer, course_id=a_course(session).id)
    days = [a_course_record(session, twin, DAY + timedelta(days=each), initialised_at=NOON) for each in (1, 2)]

    assert list(make_ups.missed_days(session, taught.actor, days[0].id)) == [row.id]
    with pytest.raises(Invalid):
        make_ups.link(session, taught.actor, a_course_record(session, foreign).id, row.id, NOON)
    with pytest.raises(Invalid):
        make_ups.link(session, taught.actor, days[0].id, taught.row(session, taught.ben).id, NOON)
    made = make_ups.link(session, taught.actor, days[0].id, row.id, NOON)
    with pytest.raises(Invalid):
        make_ups.link(session, taught.actor, days[1].id, row.id, NOON)

    guest = taught.row(session, taught.ann, days[0])
    assert (guest.id, guest.makes_up_id) == (made, row.id)
    told = make_ups.made_on(session, [guest, row], NOON)
    assert [str(told[each]) for each in (made, row.id)] == ["Makes up 2025-03-03", "Made up on 2025-03-04"]

    guest.teacher_remark = "Well made up."
    session.flush()
    with pytest.raises(Refused):
        make_ups.unlink(session, taught.actor, made, NOON)
    guest.teacher_remark = None
    session.flush()
    make_ups.unlink(session, taught.actor, made, NOON)
    assert session.exec(select(StudyRecord).where(StudyRecord.course_record_id == days[0].id)).all() == []


def test_a_guest_who_stayed_away_missed_no_day_and_the_make_up_is_taken_back(session, taught):
    missed = taught.row(session, taught.ann)
    attendance.mark_many(session, taught.actor, [missed.id], NOON, "absent")
    twin = a_class_group(session, taught.lecturer, course_id=taught.group.course_id, semester=2)
    first, second = [a_course_record(session, twin, DAY + timedelta(days=each)) for each in (1, 2)]
    guest = make_ups.link(session, taught.actor, first.id, missed.id, NOON)
    attendance.mark_many(session, taught.actor, [guest], NOON, "absent")

    assert make_ups.missed_days(session, taught.actor, second.id) == {}
    with pytest.raises(Invalid):
        make_ups.link(session, taught.actor, second.id, guest, NOON)
    make_ups.unlink(session, taught.actor, guest, NOON)
    assert list(make_ups.missed_days(session, taught.actor, second.id)) == [missed.id]


def test_a_make_up_that_is_itself_made_up_elsewhere_is_not_taken_back_where_its_student_is_a_guest_now(session, taught):
    missed = taught.row(session, taught.ann)
    twin = a_class_group(session, taught.lecturer, course_id=taught.group.course_id, semester=2)
    first, second = [a_course_record(session, twin, DAY + timedelta(days=each)) for each in (1, 2)]
    place = in_class(session, taught.ann, twin)
    attendance.mark_many(session, taught.actor, [missed.id], NOON, "absent")
    making = make_ups.link(session, taught.actor, first.id, missed.id, NOON)
    attendance.mark_many(session, taught.actor, [making], NOON, "absent")
    make_ups.link(session, taught.actor, second.id, making, NOON)
    place.left_on = place.joined_on
    session.flush()

    with pytest.raises(Refused):
        make_ups.unlink(session, taught.actor, making, NOON)


def test_the_latest_missed_day_comes_first_among_those_to_make_up(session, taught):
    rows = []
    for ago in (9, 2, 5):
        day = a_course_record(session, taught.group, DAY - timedelta(days=ago))
        rows.append((ago, a_study_record(session, day, taught.ann, attendance=A).id))

    assert list(make_ups.missed_days(session, taught.actor, taught.day.id)) == [key for _ago, key in sorted(rows)]


# The reminder


def test_lecturer_and_class_teacher_are_told_once_of_a_day_that_nobody_confirmed(session, taught):
    evening = NOON.replace(hour=12)
    a_course_record(session, a_class_group(session, taught.lecturer), DAY)  # nobody is in that class
    a_course_record(session, taught.group, DAY + timedelta(days=1))
    done = a_course_record(session, taught.group, DAY - timedelta(days=1), taken_at=NOON)
    a_study_record(session, done, taught.ann)

    assert attendance_reminders.remind(session, SYSTEM, evening, evening) == 1
    assert attendance_reminders.remind(session, SYSTEM, evening, evening) == 0

    told = session.exec(select(Notification.account_id, Notification.link)).all()
    link = f"/attendance?day={taught.day.id}"
    assert set(told) == {(taught.lecturer.account_id, link), (taught.teacher.account_id, link)}
    assert len(told) == 2
    session.expire_all()
    assert session.get(CourseRecord, taught.day.id).reminded_at == evening


def test_the_month_sheet_has_each_mark_and_counts_by_the_formula(session, taught, tmp_path):
    row = taught.row(session, taught.ann)
    attendance.save(session, taught.actor, row.id, row.version, {"attendance": "absent"}, NOON)
    taken_days.confirm_many(session, taught.actor, [taught.day.id], NOON)
    file = tmp_path / "sheet.xlsx"

    sheet = month_sheet.sheet(session, taught.actor, taught.group.id, DAY)
    month_sheet.export(session, taught.actor, taught.group.id, DAY, file, NOON)

    assert [(line.name, line.marks[taught.day.id].attendance, line.month.share) for line in sheet.lines] == [
        ("Ann", A, 0.0), ("Ben", P, 1.0),
    ]  # fmt: skip
    assert file.read_bytes()[:2] == b"PK"
    looks = an_actor("attendance.view", reach=Reach.ALL)
    takes_home_own = replace(looks, grants={**looks.grants, "attendance.export": Reach.OWN})
    with pytest.raises(NotFound):
        month_sheet.export(session, takes_home_own, taught.group.id, DAY, file, NOON)
    assert month_sheet.sheet(session, taught.actor, taught.group.id, DAY + timedelta(days=40)).lines == ()


def test_the_month_sheet_has_the_days_in_the_order_of_the_calendar(session, taught):
    days = [taught.day, *(a_course_record(session, taught.group, DAY + timedelta(days=each)) for each in (5, -1, 2))]

    sheet = month_sheet.sheet(session, taught.actor, taught.group.id, DAY)

    assert [day.id for day in sheet.days] == [days[2].id, days[0].id, days[3].id, days[1].id]


def test_guests_stand_in_their_own_class_and_what_was_made_up_or_counts_nowhere_is_told(session, taught, tmp_path):
    host = a_class_group(session, taught.lecturer, course_id=taught.group.course_id)
    friday = a_course_record(session, host, DAY, initialised_at=NOON, taken_at=NOON)
    missed = taught.row(session, taught.ann)
    missed.attendance = A
    left = taught.row(session, taught.ben)
    place = session.exec(select(Enrolment).where(Enrolment.student_id == taught.ben.id)).one()
    place.left_on, left.attendance = DAY, A
    session.flush()
    make_ups.link(session, taught.actor, friday.id, missed.id, NOON)
    taught.day.taken_at = NOON
    session.flush()

    sheet = month_sheet.sheet(session, taught.actor, taught.group.id, DAY)

    assert [(line.name, line.marks[taught.day.id], line.month.says.values) for line in sheet.lines] == [
        ("Ann", Attended(A, made_up=True), (("share", 100), ("attended", 1.0), ("days", 1))),
        ("Ben", Attended(A, in_class=False), ()),
    ]  # fmt: skip
    assert month_sheet.sheet(session, taught.actor, host.id, DAY).lines == ()


def test_a_day_that_a_link_names_is_named_however_far_it_is_and_only_to_whose_it_is(session, taught):
    old = a_course_record(session, taught.group, DAY - timedelta(days=300))
    foreign = a_course_record(session, a_class_group(session), DAY)

    assert list(class_day.days_to_take(session, taught.actor, NOON)) == [taught.day.id]
    assert list(class_day.days_to_take(session, taught.actor, NOON, old.id)) == [taught.day.id, old.id]
    assert list(class_day.days_to_take(session, taught.actor, NOON, foreign.id)) == [taught.day.id]


def test_a_day_with_guests_only_is_reminded_of_too(session, taught):
    row = taught.row(session, taught.ann)
    attendance.save(session, taught.actor, row.id, row.version, {"attendance": "absent"}, NOON)
    taken_days.confirm_many(session, taught.actor, [taught.day.id], NOON)
    twin = a_class_group(session, taught.lecturer, course_id=taught.group.course_id, semester=2)
    day = a_course_record(session, twin, DAY, initialised_at=NOON)

    assert attendance_reminders.remind(session, SYSTEM, NOON, NOON) == 0
    make_ups.link(session, taught.actor, day.id, row.id, NOON)

    assert attendance_reminders.remind(session, SYSTEM, NOON, NOON) == 1
