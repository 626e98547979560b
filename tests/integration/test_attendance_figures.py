"""The formula as one query, equal to the formula as a function."""

from collections import Counter
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import true
from sqlmodel import Session, select

from crm.domain.attendance import THERE, Attended, figure, is_left
from crm.domain.students import Enrolment
from crm.domain.teaching import Attendance, CourseRecord, StudyRecord
from crm.services.attendance import attendance_figures
from crm.store.session import reading, writing
from tests.builders import NOON, an_actor, an_employee
from tests.school_builders import a_class_group, a_course_record, a_student, a_study_record
from tests.teaching import DAY, in_class

MARKS = st.tuples(st.sampled_from(list(Attendance)), st.none() | st.integers(1, 40))


class _Undone(Exception):
    pass


def plainly(session: Session):
    """(student, class) -> figure, row by row."""
    days = {one.id: one for one in session.exec(select(CourseRecord))}
    rows = session.exec(select(StudyRecord)).all()
    places = session.exec(select(Enrolment)).all()
    made: dict[tuple[int, int], list[Attended]] = {}
    for row in rows:
        day = days[row.course_record_id]
        inside = any(
            one.student_id == row.student_id
            and one.class_group_id == day.class_group_id
            and one.joined_on <= day.held_on
            and (one.left_on is None or day.held_on < one.left_on)
            for one in places
        )
        again = next((one for one in rows if one.makes_up_id == row.id), None)
        made_up = again is not None and again.attendance in THERE and days[again.course_record_id].taken_at is not None
        made.setdefault((row.student_id, day.class_group_id), []).append(
            Attended(row.attendance, row.late_minutes, day.taken_at is not None, inside, made_up)
        )
    found = {key: figure(some, attendance_figures.rule()) for key, some in made.items()}
    return {key: one for key, one in found.items() if one.days}


def left_plainly(session: Session):
    """(student, class) -> days that may still come to count, place by place."""
    found: Counter[tuple[int, int]] = Counter()
    for place in session.exec(select(Enrolment)):
        for day in session.exec(select(CourseRecord).where(CourseRecord.class_group_id == place.class_group_id)):
            inside = place.joined_on <= day.held_on and (place.left_on is None or day.held_on < place.left_on)
            seen = Attended(Attendance.PRESENT, taken=day.taken_at is not None, in_class=inside)
            found[place.student_id, place.class_group_id] += is_left(seen)
    return {key: count for key, count in found.items() if count}


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    taken=st.lists(st.booleans(), min_size=4, max_size=4),
    marks=st.lists(MARKS, min_size=8, max_size=8),
    spans=st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 4)), min_size=2, max_size=2),
    makes_up=st.none() | st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_the_query_and_the_function_agree(session: Session, taken, marks, spans, makes_up):
    try:
        with session.begin_nested():
            group, other = a_class_group(session), a_class_group(session)
            students = [a_student(session, sign_in=False) for _each in range(2)]
            for who, (start, length) in zip(students, spans, strict=True):
                joined = DAY + timedelta(days=start)
                in_class(session, who, group, joined, None if length is None else joined + timedelta(days=length))
                in_class(session, who, other)
            days = [
                a_course_record(
                    session, one, DAY + timedelta(days=each // 2), initialised_at=NOON,
                    taken_at=NOON if taken[each] else None,
                )
                for each, one in enumerate((group, other, group, other))
            ]  # fmt: skip
            rows = []
            for each, (mark, minutes) in enumerate(marks):
                late = minutes if mark is Attendance.LATE else None
                rows.append(
                    a_study_record(session, days[each % 4], students[each // 4], attendance=mark, late_minutes=late)
                )
            if makes_up is not None and makes_up[0] != makes_up[1]:
                rows[makes_up[0]].makes_up_id = rows[makes_up[1]].id
                session.flush()

            assert attendance_figures.figures(session, true()) == plainly(session)
            assert attendance_figures.days_left(session, true()) == left_plainly(session)
            raise _Undone
    except _Undone:
        session.expire_all()


def test_the_settings_say_what_late_counts(session, use_settings):
    use_settings("[attendance]\nlate_over_minutes = 5\nlate_absence = 0.25\nrequired_share = 0.9")
    group, student = a_class_group(session), a_student(session)
    in_class(session, student, group)
    day = a_course_record(session, group, taken_at=NOON)
    a_study_record(session, day, student, attendance=Attendance.LATE, late_minutes=6)

    found = attendance_figures.of_class(session, an_actor("attendance.view"), group.id)

    assert found[student.id].missed == 25
    assert attendance_figures.required() == 90


def test_of_a_class_that_is_not_the_actors_there_is_no_figure(session):
    group, student = a_class_group(session), a_student(session)
    in_class(session, student, group)
    a_study_record(session, a_course_record(session, group, taken_at=NOON), student)

    stranger, own = an_employee(session), an_employee(session)
    mine = a_class_group(session, own)
    in_class(session, student, mine)
    a_study_record(session, a_course_record(session, mine, taken_at=NOON), student)

    assert attendance_figures.of_class(session, an_actor(role="lecturer", of=stranger), group.id) == {}
    assert attendance_figures.of_class(session, an_actor(role="lecturer", of=own), group.id) == {}
    assert attendance_figures.of_class(session, an_actor(role="lecturer", of=own), mine.id)[student.id].days == 1


def test_what_was_made_up_is_looked_up_by_its_index_also_where_sqlite_has_statistics(sqlite_url):
    with writing() as session:
        group, missed = a_class_group(session), a_student(session)
        for each in range(30):
            day = a_course_record(session, group, held_on=DAY + timedelta(days=each), taken_at=NOON)
            for student in [missed, *(a_student(session) for _ in range(2))]:
                a_study_record(session, day, student)
        session.connection().exec_driver_sql("ANALYZE")
    asked = select(StudyRecord.id).where(StudyRecord.student_id == missed.id, attendance_figures.MADE_UP)

    # A new connection reads the statistics.
    with reading() as session:
        said = asked.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        plan = [step for *_ids, step in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {said}")]

    assert not [step for step in plan if step.startswith("SCAN")], plan
