"""Checks of the school itself: students behind enrolled customers, places, and the money behind them."""

from collections.abc import Iterator

from crm.i18n import Says, says
from crm.services.doctor.ask import Check
from crm.settings import settings

ENROLLED_WITHOUT_STUDENT = Check(
    "customer",
    """
    SELECT id FROM customer c
    WHERE state = 'enrolled' AND deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM student s WHERE s.customer_id = c.id)
    """,
    lambda row: says(
        "customer {id}: is enrolled, but there is no student. Record a deposit or tuition and confirm it.",
        id=str(row.id),
    ),
)

STUDENT_NOT_ENROLLED = Check(
    "student",
    """
    SELECT s.id, s.customer_id FROM student s JOIN customer c ON c.id = s.customer_id
    WHERE c.state <> 'enrolled' OR c.deleted_at IS NOT NULL
    """,
    lambda row: says(
        "student {id}: customer {customer} is not enrolled. Set the state to enrolled, without a consultant.",
        id=str(row.id),
        customer=str(row.customer_id),
    ),
)

STUDENT_UNPAID = Check(
    "student",
    """
    SELECT s.id, s.customer_id FROM student s
    WHERE NOT EXISTS (SELECT 1 FROM payment p WHERE p.customer_id = s.customer_id AND p.state = 'confirmed')
    """,
    lambda row: says(
        "student {id}: customer {customer} has no confirmed payment. Confirm the payment that enrolled them.",
        id=str(row.id),
        customer=str(row.customer_id),
    ),
)

PLACE_UNPAID = Check(
    "enrolment",
    """
    SELECT e.id, e.student_id FROM enrolment e JOIN student s ON s.id = e.student_id
    WHERE NOT EXISTS (
        SELECT 1 FROM payment p WHERE p.id = e.payment_id AND p.state = 'confirmed' AND p.customer_id = s.customer_id
    )
    """,
    lambda row: says(
        "enrolment {id}: no confirmed payment gave student {student} this place. Name the payment in payment_id.",
        id=str(row.id),
        student=str(row.student_id),
    ),
)

PLACES_OVERLAP = Check(
    "enrolment",
    """
    SELECT a.id, b.id AS other, a.student_id, a.class_group_id FROM enrolment a
    JOIN enrolment b ON b.student_id = a.student_id AND b.class_group_id = a.class_group_id AND b.id > a.id
    WHERE (b.left_on IS NULL OR b.left_on > a.joined_on) AND (a.left_on IS NULL OR a.left_on > b.joined_on)
      AND (a.left_on IS NULL OR a.left_on > a.joined_on) AND (b.left_on IS NULL OR b.left_on > b.joined_on)
    """,
    lambda row: says(
        "enrolment {id} and enrolment {other}: student {student} has two places in class {group} on the same days."
        " Correct the days.",
        id=str(row.id),
        other=str(row.other),
        student=str(row.student_id),
        group=str(row.class_group_id),
    ),
)

# Counted on the days on which somebody joins, where alone a class can become too full.
CLASS_TOO_FULL = Check(
    "class_group",
    """
    SELECT g.id, g.capacity, max(days.taken) AS taken FROM class_group g
    JOIN (
        SELECT j.class_group_id, j.joined_on, (
            SELECT count(*) FROM enrolment e
            WHERE e.class_group_id = j.class_group_id AND e.joined_on <= j.joined_on
              AND (e.left_on IS NULL OR e.left_on > j.joined_on)
        ) AS taken
        FROM (SELECT DISTINCT class_group_id, joined_on FROM enrolment) AS j
    ) AS days ON days.class_group_id = g.id
    WHERE days.taken > g.capacity AND g.state <> 'finished'
    GROUP BY g.id, g.capacity
    """,
    lambda row: says(
        "class_group {id}: {taken} students are in it on a day, but it has {capacity} places."
        " Raise the capacity, or let somebody change class.",
        id=str(row.id),
        taken=row.taken,
        capacity=row.capacity,
    ),
)

ENROLLED_OTHERWISE = Check(
    "assignment",
    """
    SELECT a.id, a.customer_id FROM assignment a JOIN customer c ON c.id = a.customer_id
    WHERE (a.outcome = 'enrolled' AND c.state <> 'enrolled')
       OR (a.closed_at IS NULL AND c.state = 'enrolled')
    """,
    lambda row: says(
        "assignment {id}: does not agree with customer {customer}: an episode closes as enrolled exactly when its"
        " customer enrols. Correct the outcome, or the customer's state.",
        id=str(row.id),
        customer=str(row.customer_id),
    ),
)


def departments() -> Iterator[Says]:
    """Without codes in the settings, anybody of the staff can be chosen to teach: worth knowing, and no fault."""
    if not settings().lecturer_departments:
        yield says(
            "school.lecturer_departments is empty: staff of any department can be lecturers of a class."
            " Name the codes of the departments in the settings file."
        )
    if not settings().class_teacher_departments:
        yield says(
            "school.class_teacher_departments is empty: staff of any department can be class teachers."
            " Name the codes of the departments in the settings file."
        )


CHECKS = (
    ENROLLED_WITHOUT_STUDENT,
    STUDENT_NOT_ENROLLED,
    STUDENT_UNPAID,
    PLACE_UNPAID,
    PLACES_OVERLAP,
    CLASS_TOO_FULL,
    ENROLLED_OTHERWISE,
)
