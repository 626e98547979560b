"""Whose a class is, and who is in it on a day, said once: the same condition filters lists and checks single rows."""

from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select
from sqlmodel import col

from crm.domain.classes import ClassGroup, ClassLecturer
from crm.domain.staff import Employee
from crm.domain.students import Enrolment, Student
from crm.domain.teaching import Apology, CourseRecord, StudyRecord
from crm.i18n import says
from crm.rbac import Scope

NO_SUCH_CLASS = says("There is no such class, or it is not yours to open.")
"""Said alike of those that do not exist and those that are none of the asker's business."""


def _taught_by(staff: Any) -> ColumnElement[bool]:
    """Classes whose class teacher, or one of whose lecturers, is in `staff`, a select of employees' ids."""
    lectured = select(col(ClassLecturer.class_group_id)).where(col(ClassLecturer.employee_id).in_(staff))
    return or_(col(ClassGroup.teacher_id).in_(staff), col(ClassGroup.id).in_(lectured))


def _decided_by(staff: Any) -> ColumnElement[bool]:
    """Classes whose class teacher is in `staff`; of those without a class teacher, such as have a lecturer in it."""
    lectured = select(col(ClassLecturer.class_group_id)).where(col(ClassLecturer.employee_id).in_(staff))
    return or_(
        col(ClassGroup.teacher_id).in_(staff), col(ClassGroup.teacher_id).is_(None) & col(ClassGroup.id).in_(lectured)
    )


def _of(department: int) -> Any:
    return select(col(Employee.id)).where(col(Employee.department_code) == department)


def by_class(key: Any, class_group: Any, whose: Callable[[Any], ColumnElement[bool]] = _taught_by) -> Scope:
    """Rows that belong to a class, the column `class_group`: of those one teaches, of one's department's, of all."""
    return Scope(
        key=key,
        own=lambda owner: class_group.in_(select(col(ClassGroup.id)).where(whose([owner]))),
        department=lambda code: class_group.in_(select(col(ClassGroup.id)).where(whose(_of(code)))),
    )


CLASSES = by_class(col(ClassGroup.id), col(ClassGroup.id))
"""Classes: those one is a lecturer or the class teacher of, those of one's department's staff, all."""

COURSE_RECORDS = by_class(col(CourseRecord.id), col(CourseRecord.class_group_id))
"""Course records, by whose class they are of."""

APOLOGIES = by_class(col(Apology.id), col(Apology.class_group_id), _decided_by)
"""Apologies, by who decides for the class: its class teacher, without one its lecturers. Own ones: `student_of`."""

_OF_RECORD = (
    select(col(CourseRecord.class_group_id))
    .where(col(CourseRecord.id) == col(StudyRecord.course_record_id))
    # Of the study record alone: the query around may join course records of its own.
    .correlate(StudyRecord)
    .scalar_subquery()
)
STUDY_RECORDS = by_class(col(StudyRecord.id), _OF_RECORD)
"""Study records, by whose class their course record is of. A student's own are asked by `student_of`."""


def student_of(account_id: int | None) -> ColumnElement[bool]:
    """The student whose sign-in this is: what a student may see is in the query, whatever else was granted."""
    return col(Student.account_id) == account_id if account_id is not None else col(Student.id).is_(None)


def in_class_on(day: date | ColumnElement[date] | Any) -> ColumnElement[bool]:
    """Enrolments that count on `day`: joined by then, and not left by then (`left_on` is the first day without)."""
    return (col(Enrolment.joined_on) <= day) & or_(col(Enrolment.left_on).is_(None), col(Enrolment.left_on) > day)


ANYBODY: ColumnElement[bool] = or_(
    exists().where(
        col(Enrolment.class_group_id) == col(CourseRecord.class_group_id), in_class_on(col(CourseRecord.held_on))
    ),
    select(col(StudyRecord.id))
    .where(col(StudyRecord.course_record_id) == col(CourseRecord.id), col(StudyRecord.makes_up_id).is_not(None))
    .correlate(CourseRecord)
    .exists(),
)
"""Course records of days on which anybody has a place in the class or makes up for another: of others no attendance
is taken.
"""


def was_in_class(student: Any, class_group: Any, day: Any) -> ColumnElement[bool]:
    """Whether the student had a place in the class on the day."""
    return exists().where(
        col(Enrolment.student_id) == student, col(Enrolment.class_group_id) == class_group, in_class_on(day)
    )


IN_CLASS: ColumnElement[bool] = was_in_class(
    col(StudyRecord.student_id), col(CourseRecord.class_group_id), col(CourseRecord.held_on)
)
"""Study records, beside their course record, of whoever had a place in the class on that day."""
