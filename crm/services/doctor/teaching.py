"""Checks of teaching: one record a student and day, only of who was in the class, taken only what was initialised."""

from crm.i18n import says
from crm.services.doctor.ask import Check

TWICE = Check(
    "study_record",
    "SELECT course_record_id, student_id, count(*) AS times FROM study_record"
    " GROUP BY course_record_id, student_id HAVING count(*) > 1",
    lambda row: says(
        "study_record: student {student} has {count} records on course record {record}. Keep one of them.",
        student=str(row.student_id),
        count=row.times,
        record=str(row.course_record_id),
    ),
)

# Who leaves as of an earlier day keeps what was written by then: it stays, and never counts.
OUTSIDER = Check(
    "study_record",
    """
    SELECT s.id, s.student_id, r.class_group_id, r.held_on FROM study_record s
    JOIN course_record r ON r.id = s.course_record_id
    WHERE s.makes_up_id IS NULL AND NOT EXISTS (
        SELECT 1 FROM enrolment e
        WHERE e.student_id = s.student_id AND e.class_group_id = r.class_group_id AND e.joined_on <= r.held_on
    )
    """,
    lambda row: says(
        "study_record {id}: student {student} was not in class {group} on {day} and makes nothing up there. Correct the"
        " place in the class, or delete the record.",
        id=str(row.id),
        student=str(row.student_id),
        group=str(row.class_group_id),
        day=str(row.held_on),
    ),
)

TAKEN = Check(
    "course_record",
    "SELECT id FROM course_record WHERE taken_at IS NOT NULL AND initialised_at IS NULL",
    lambda row: says(
        "course_record {id}: was taken, but never initialised. Empty taken_at and initialise it.", id=str(row.id)
    ),
)

MADE_UP_ELSEWHERE = Check(
    "study_record",
    """
    SELECT s.id, s.makes_up_id FROM study_record s
    JOIN study_record m ON m.id = s.makes_up_id
    JOIN course_record r ON r.id = s.course_record_id JOIN course_record q ON q.id = m.course_record_id
    JOIN class_group g ON g.id = r.class_group_id JOIN class_group h ON h.id = q.class_group_id
    WHERE m.student_id <> s.student_id OR g.course_id <> h.course_id OR s.id = m.id
    """,
    lambda row: says(
        "study_record {id}: makes up record {missed}, which is of another student or course. Empty makes_up_id.",
        id=str(row.id),
        missed=str(row.makes_up_id),
    ),
)

CHECKS = (TWICE, OUTSIDER, TAKEN, MADE_UP_ELSEWHERE)
