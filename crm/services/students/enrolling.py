"""Students and their places: made, moved and ended here and nowhere else, each by a payment that finance confirms.

All of it in the caller's transaction, which has locked the customer and the classes. Raises `Refused` with the reason;
the caller undoes what was written before.
"""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from crm.domain.calendar import day_of
from crm.domain.classes import ClassGroup, ClassState
from crm.domain.customers import Customer, CustomerState
from crm.domain.episodes import Outcome
from crm.domain.payments import Payment
from crm.domain.places import Place, free_from, joins_on, most_at_once
from crm.domain.students import Enrolment, Student
from crm.domain.teaching import Attendance, CourseRecord, ScoreState, StudyRecord
from crm.errors import Refused
from crm.i18n import says
from crm.services.classes import study_records
from crm.services.classes.class_names import named
from crm.services.customers.episodes import to_pool
from crm.services.students import student_sign_ins
from crm.settings import settings

_UNSEEN = {"synchronize_session": False}


def student_of(session: Session, customer_id: int) -> Student | None:
    """The student whom this customer became."""
    return session.scalars(select(Student).where(col(Student.customer_id) == customer_id)).one_or_none()


def open_places(session: Session, student_id: int) -> Sequence[Enrolment]:
    """The student's places that have no end yet."""
    asked = select(Enrolment).where(col(Enrolment.student_id) == student_id, col(Enrolment.left_on).is_(None))
    return session.scalars(asked.order_by(col(Enrolment.id))).all()


def enrol(session: Session, payment: Payment, now: datetime) -> None:
    """What a confirmed deposit or tuition does: the first makes a student, each gives a place in its class.

    Whoever has that place already keeps it; whoever left it by a later payment is not put back.
    """
    if payment.class_group_id is None:
        raise Refused(says("This payment names no class. Enter the class first."))
    student = student_of(session, payment.customer_id)
    if student is None:
        student = _become_student(session, payment.customer_id, now)
    assert student.id is not None
    _not_left_since(session, student.id, payment.class_group_id, payment)
    _join(session, student.id, payment.class_group_id, payment, now)


def _not_left_since(session: Session, student_id: int, class_group_id: int, payment: Payment) -> None:
    """Raises `Refused` where the place in the class was ended by a later payment, one with a higher number."""
    asked = select(col(Enrolment.left_on), col(Enrolment.ended_by_id)).where(
        col(Enrolment.student_id) == student_id, col(Enrolment.class_group_id) == class_group_id
    )
    places = session.execute(asked).all()
    if all(left_on is not None for left_on, _by in places) and any((by or 0) > (payment.id or 0) for _on, by in places):
        raise Refused(
            says(
                "The student left {name} by a payment that was recorded after this one. Correct the class of this"
                " payment, or reject it and record a new one.",
                name=named(session, [class_group_id])[class_group_id],
            )
        )


def change_class(session: Session, payment: Payment, now: datetime) -> None:
    """What a confirmed class change does: the student leaves the one class and joins the other on the same day."""
    student, place = _place_in(session, payment, payment.from_class_group_id)
    assert payment.class_group_id is not None
    group = session.get_one(ClassGroup, payment.class_group_id)
    day = max(joins_on(payment.takes_effect_on, _today(now), group.starts_on), place.joined_on)
    _leave(session, place, day, payment, now)
    _join(session, student, payment.class_group_id, payment, now, day)


def withdraw(session: Session, payment: Payment, now: datetime) -> None:
    """What a confirmed withdrawal does: the place ends on the day it takes effect, else today."""
    _student, place = _place_in(session, payment, payment.class_group_id)
    _leave(session, place, payment.takes_effect_on or _today(now), payment, now)


def leave_if_there(session: Session, payment: Payment, now: datetime) -> None:
    """What a refund of all that was paid does: the place ends, where there still is one."""
    student = student_of(session, payment.customer_id)
    places = open_places(session, student.id) if student is not None and student.id is not None else ()
    for place in places:
        if place.class_group_id == payment.class_group_id:
            _leave(session, place, payment.takes_effect_on or _today(now), payment, now)


def _today(now: datetime) -> date:
    return day_of(now, settings().zone)


def _become_student(session: Session, customer_id: int, now: datetime) -> Student:
    customer = session.get_one(Customer, customer_id, populate_existing=True)
    if customer.deleted_at is not None:
        raise Refused(says("{name} was deleted. Bring the customer back first.", name=customer.name))
    if customer.state is CustomerState.PRIVATE:
        to_pool(session, [customer_id], Outcome.ENROLLED, now, then=CustomerState.ENROLLED)
    elif customer.state is not CustomerState.ENROLLED:
        session.execute(
            update(Customer)
            .where(col(Customer.id) == customer_id)
            .values(state=CustomerState.ENROLLED, waiting_reason=None, version=col(Customer.version) + 1),
            execution_options=_UNSEEN,
        )
    session.expire(customer)
    student = Student(customer_id=customer_id, created_at=now)
    session.add(student)
    session.flush()
    student_sign_ins.make(session, student, customer, now)
    return student


def _place_in(session: Session, payment: Payment, class_group_id: int | None) -> tuple[int, Enrolment]:
    student = student_of(session, payment.customer_id)
    if student is not None and student.id is not None:
        for place in open_places(session, student.id):
            if place.class_group_id == class_group_id:
                return student.id, place
    raise Refused(says("The student has no place in this class that could end."))


def _join(
    session: Session, student_id: int, class_group_id: int, payment: Payment, now: datetime, day: date | None = None
) -> None:
    group = session.get_one(ClassGroup, class_group_id)
    taken = session.execute(
        select(col(Enrolment.student_id), col(Enrolment.joined_on), col(Enrolment.left_on)).where(
            col(Enrolment.class_group_id) == class_group_id
        )
    ).all()
    wanted = day or joins_on(payment.takes_effect_on, _today(now), group.starts_on)
    own = [Place(row.joined_on, row.left_on) for row in taken if row.student_id == student_id]
    since = free_from(own, wanted)
    if since is None:
        return
    name = named(session, [class_group_id])[class_group_id]
    if group.state is ClassState.FINISHED or (group.ends_on is not None and since > group.ends_on):
        raise Refused(says("{name} has ended, so nobody can join it on {day}.", name=name, day=since))
    most = most_at_once((Place(row.joined_on, row.left_on) for row in taken), since)
    if most >= group.capacity:
        raise Refused(
            says(
                "{name} is full from {day} on: {taken} of {capacity} places are taken.",
                name=name,
                day=since,
                taken=most,
                capacity=group.capacity,
            )
        )
    session.add(Enrolment(student_id=student_id, class_group_id=class_group_id, joined_on=since, payment_id=payment.id))
    session.flush()
    study_records.initialise(session, initialised_days(session, class_group_id, max(since, _today(now))), now)


def initialised_days(session: Session, class_group_id: int, since: date) -> list[int]:
    """The course records of the class from that day on that were initialised and not yet taken."""
    asked = select(col(CourseRecord.id)).where(
        col(CourseRecord.class_group_id) == class_group_id,
        col(CourseRecord.held_on) >= since,
        col(CourseRecord.initialised_at).is_not(None),
        col(CourseRecord.taken_at).is_(None),
    )
    return [each for each in session.scalars(asked) if each is not None]


def _leave(session: Session, place: Enrolment, day: date, payment: Payment, now: datetime) -> None:
    """End the place on that day, or on the day it began where that is later: then it never counted."""
    place.left_on = max(day, place.joined_on)
    place.ended_by_id = payment.id
    place.version += 1
    session.flush()
    forget_untouched(session, place.student_id, place.class_group_id, max(place.left_on, _today(now)))


def forget_untouched(session: Session, student_id: int, class_group_id: int, since: date) -> None:
    """The student's study records of days from `since` on that were not taken go, unless somebody wrote in them."""
    makes_up = aliased(StudyRecord)
    days = select(col(CourseRecord.id)).where(
        col(CourseRecord.class_group_id) == class_group_id,
        col(CourseRecord.held_on) >= since,
        col(CourseRecord.taken_at).is_(None),
    )
    empty = (
        StudyRecord.late_minutes, StudyRecord.makes_up_id, StudyRecord.score, StudyRecord.homework_text,
        StudyRecord.homework_file, StudyRecord.handed_in_at, StudyRecord.teacher_remark, StudyRecord.student_remark,
        StudyRecord.scored_at,
    )  # fmt: skip
    untouched = (
        col(StudyRecord.student_id) == student_id,
        col(StudyRecord.course_record_id).in_(days),
        col(StudyRecord.version) == 1,
        col(StudyRecord.attendance).in_([Attendance.PRESENT, Attendance.EXCUSED]),
        col(StudyRecord.score_state) == ScoreState.NOT_DUE,
        *(col(one).is_(None) for one in empty),
        ~exists().where(makes_up.makes_up_id == StudyRecord.id),  # type: ignore[arg-type]
    )
    # Who links a make-up to one of them holds it and changes nothing of it: only what is asked afterwards sees that.
    session.execute(select(col(StudyRecord.id)).where(*untouched).order_by(col(StudyRecord.id)).with_for_update()).all()
    session.execute(delete(StudyRecord).where(*untouched), execution_options=_UNSEEN)
