"""Apologies in advance: a student asks to be excused from a day of an own class, the class teacher decides.

Of a class without a class teacher its lecturers decide.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.calendar import day_of
from crm.domain.classes import ClassGroup
from crm.domain.normalise import visible
from crm.domain.staff import Employee
from crm.domain.students import Enrolment, Student
from crm.domain.teaching import Apology, ApologyState, Attendance, CourseRecord, StudyRecord
from crm.errors import Invalid, NotFound, Refused, deny
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.classes import class_names
from crm.services.classes.class_scopes import APOLOGIES, in_class_on, student_of, was_in_class
from crm.services.classes.course_record_cells import teachers
from crm.services.notices import notices
from crm.services.students import student_names
from crm.settings import settings
from crm.store.many_rows import is_one_of

APOLOGISE, DECIDE = "attendance.apologise", "attendance.decide"
LONGEST = 500
NO_SUCH = says("There is no such apology, or it is not yours.")
_UNSEEN = {"synchronize_session": False}

# The student


def mine(session: Session, actor: Actor) -> list[Apology]:
    """The actor's own apologies, the latest day first."""
    actor.require(APOLOGISE)
    asked = select_rows(Apology).join(Student, col(Student.id) == col(Apology.student_id))
    return list(session.exec(asked.where(student_of(actor.account_id)).order_by(col(Apology.day).desc()).limit(50)))


def own_classes(session: Session, actor: Actor, now: datetime) -> Mapping[int, Says]:
    """The classes that the actor is a student of today, or will be."""
    actor.require(APOLOGISE)
    today = day_of(now, settings().zone)
    asked = (
        select(col(Enrolment.class_group_id))
        .join(Student, col(Student.id) == col(Enrolment.student_id))
        .where(student_of(actor.account_id), (col(Enrolment.joined_on) >= today) | in_class_on(today))
    )
    return class_names.named(session, session.scalars(asked))


def ask(
    session: Session, actor: Actor, class_group_id: int | None, day: date | None, reason: str | None, now: datetime
) -> int:
    """Ask to be excused from a day of an own class, from today on; returns the id. Raises `Invalid` by field.

    Whoever asked before and took it back asks anew; whoever decides is told.
    """
    actor.require(APOLOGISE)
    actor.require_to_be_oneself(APOLOGISE)
    student = session.scalar(select(col(Student.id)).where(student_of(actor.account_id)))
    text = visible(reason or "")
    wrong: dict[str, Says] = {}
    if day is None or day < day_of(now, settings().zone):
        wrong["day"] = says("Choose a day from today on.")
    elif student is None or not session.scalar(select(was_in_class(student, class_group_id, day))):
        wrong["day"] = says("Choose a day on which you are in this class.")
    elif session.scalar(select(exists().where(_on(class_group_id, day), col(CourseRecord.taken_at).is_not(None)))):
        wrong["day"] = says("The attendance of this day was confirmed already. Speak to your teacher.")
    if not text or len(text) > LONGEST:
        wrong["reason"] = says("Give a reason of at most {count} characters.", count=LONGEST)
    if wrong or student is None or day is None or class_group_id is None:
        raise Invalid.of(wrong or {"class_group_id": says("Choose one of your classes.")})
    apology_id = _asked(session, student, class_group_id, day, text, now)
    _tell_who_decides(session, class_group_id, day, now)
    audit.record(session, actor, APOLOGISE, "apology", apology_id, None, {"day": day}, now)
    return apology_id


def _asked(session: Session, student: int, group: int, day: date, reason: str, now: datetime) -> int:
    again: int | None = session.scalar(
        update(Apology)
        .where(
            col(Apology.student_id) == student,
            col(Apology.class_group_id) == group,
            col(Apology.day) == day,
            col(Apology.state) == ApologyState.WITHDRAWN,
        )
        .values(
            reason=reason,
            state=ApologyState.ASKED,
            asked_at=now,
            decided_at=None,
            decided_by_id=None,
            answer=None,
            version=col(Apology.version) + 1,
        )
        .returning(col(Apology.id)),
        execution_options=_UNSEEN,
    )
    if again is not None:
        return again
    row = Apology(student_id=student, class_group_id=group, day=day, reason=reason, asked_at=now)
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise Invalid.of({"day": says("You asked for this day already.")}) from error
    assert row.id is not None
    return row.id


def _on(group: int | None, day: date) -> Any:
    return (col(CourseRecord.class_group_id) == group) & (col(CourseRecord.held_on) == day)


def _tell_who_decides(session: Session, group: int, day: date, now: datetime) -> None:
    teacher = session.scalar(select(col(ClassGroup.teacher_id)).where(col(ClassGroup.id) == group))
    people = [teacher] if teacher is not None else teachers(session, group)
    asked = select(col(Employee.account_id)).where(col(Employee.id).in_(people)).order_by(col(Employee.id))
    accounts = [account for account in session.scalars(asked) if account is not None]
    if accounts:
        name = class_names.named(session, [group])[group]
        body = says("{name}, {day}", name=name, day=day)
        notices.tell(session, accounts, says("An apology waits for your decision"), body, _TO_APOLOGIES, now)


_TO_APOLOGIES = "/attendance?tab=apologies"


def take_back(session: Session, actor: Actor, apology_id: int, now: datetime) -> None:
    """Take an own apology back, as long as its day has not gone by. Raises `NotFound`, `Refused`.

    Where it was accepted and the day is not yet taken, the student counts as present again.
    """
    actor.require(APOLOGISE)
    actor.require_to_be_oneself(APOLOGISE)
    own = select(col(Student.id)).where(student_of(actor.account_id))
    mine = (col(Apology.id) == apology_id) & col(Apology.student_id).in_(own)
    _lock_days(session, mine)
    asked = select(Apology).where(mine).with_for_update()
    row = session.scalars(asked, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise NotFound(NO_SUCH, APOLOGISE, apology_id)
    if row.day < day_of(now, settings().zone):
        raise Refused(says("This day has gone by."))
    if row.state not in (ApologyState.ASKED, ApologyState.ACCEPTED):
        raise Refused(says("This apology was answered or taken back already."))
    if row.state is ApologyState.ACCEPTED:
        _remark(session, [apology_id], (Attendance.EXCUSED,), Attendance.PRESENT, taken_too=False)
    session.execute(
        update(Apology)
        .where(col(Apology.id) == apology_id)
        .values(state=ApologyState.WITHDRAWN, version=col(Apology.version) + 1),
        execution_options=_UNSEEN,
    )
    audit.record(session, actor, APOLOGISE, "apology", apology_id, None, {"taken back": True}, now)


# The class teacher


def to_decide(_session: Session, actor: Actor) -> SelectOfScalar[Apology]:
    """The apologies for the actor's classes (with a farther reach: for the department's, for all)."""
    actor = actor.looking()
    actor.require(DECIDE)
    return select_rows(Apology).where(APOLOGIES.where(actor, DECIDE))


def called(session: Session, ids: Sequence[int]) -> dict[int, Says]:
    """What people call these apologies: the student and the day. For those whom a service lets see them."""
    asked = select(col(Apology.id), col(Apology.student_id), col(Apology.day))
    found = list(session.execute(asked.where(is_one_of(session, col(Apology.id), ids))))
    names = student_names.named(session, (row.student_id for row in found))
    return {row.id: says("{name}, {day}", name=names[row.student_id], day=row.day) for row in found}


def accept_many(
    session: Session, actor: Actor, ids: Sequence[int], now: datetime, answer: str | None = None
) -> Mapping[int, Says | None]:
    """Accept apologies: the student is excused, also where the day was initialised already. Per id: why not.

    Who was noted as late or as having left early was there, and stays so.
    """
    told, done = _decided(session, actor, ids, ApologyState.ACCEPTED, answer, now)
    _remark(session, done, (Attendance.PRESENT, Attendance.ABSENT), Attendance.EXCUSED, taken_too=True)
    return told


def decline_many(
    session: Session, actor: Actor, ids: Sequence[int], now: datetime, answer: str | None = None
) -> Mapping[int, Says | None]:
    """Decline apologies. Per id: None, or why not."""
    return _decided(session, actor, ids, ApologyState.DECLINED, answer, now)[0]


def _decided(
    session: Session, actor: Actor, ids: Sequence[int], state: ApologyState, answer: str | None, now: datetime
) -> tuple[dict[int, Says | None], list[int]]:
    actor.require(DECIDE)
    text = visible(answer or "") or None
    if text is not None and len(text) > LONGEST:
        raise Invalid.of({"answer": says("At most {count} characters fit here.", count=LONGEST)})
    mine = is_one_of(session, col(Apology.id), ids) & APOLOGIES.where(actor, DECIDE)
    _lock_days(session, mine)
    there = set(session.scalars(select(col(Apology.id)).where(mine).order_by(col(Apology.id)).with_for_update()))
    rows = list(
        session.execute(
            update(Apology)
            .where(mine, col(Apology.state) == ApologyState.ASKED)
            .values(
                state=state, answer=text, decided_at=now, decided_by_id=actor.account_id,
                version=col(Apology.version) + 1,
            )
            .returning(col(Apology.id), col(Apology.student_id), col(Apology.class_group_id), col(Apology.day)),
            execution_options=_UNSEEN,
        )
    )  # fmt: skip
    for each in set(ids) - there:
        deny(DECIDE, each)
    _tell_students(session, rows, state, text, now)
    audit.record_many(session, actor, DECIDE, "apology", ((row.id, None, {"state": state}) for row in rows), now)
    done = [row.id for row in rows]
    why = says("This apology was answered or taken back already.")
    return {each: None if each in done else why if each in there else NO_SUCH for each in dict.fromkeys(ids)}, done


def _lock_days(session: Session, condition: Any) -> None:
    """Hold the days of these apologies until the commit, in the order and before the rows that initialising does.

    So whoever initialises a day either sees what was decided, or has made the records that the decision then marks.
    """
    days = select(col(Apology.class_group_id), col(Apology.day)).where(condition).subquery()
    theirs = (days.c.class_group_id == col(CourseRecord.class_group_id)) & (days.c.day == col(CourseRecord.held_on))
    asked = select(col(CourseRecord.id)).where(select(days).where(theirs).exists()).order_by(col(CourseRecord.id))
    session.execute(asked.with_for_update(of=CourseRecord)).all()


def _tell_students(
    session: Session, rows: Sequence[Any], state: ApologyState, answer: str | None, now: datetime
) -> None:
    asked = select(col(Student.id), col(Student.account_id)).where(
        is_one_of(session, col(Student.id), [row.student_id for row in rows]), col(Student.account_id).is_not(None)
    )
    accounts = {student: account for student, account in session.execute(asked)}  # noqa: C416
    names = class_names.named(session, (row.class_group_id for row in rows))
    accepted = state is ApologyState.ACCEPTED
    title = says("Your apology was accepted") if accepted else says("Your apology was declined")
    notices.tell_each(
        session,
        [
            notices.Notice(
                accounts[row.student_id],
                title,
                says("{name}, {day}. {answer}", name=names[row.class_group_id], day=row.day, answer=answer or ""),
                "/grades",
            )
            for row in rows
            if row.student_id in accounts
        ],
        now,
    )


def _remark(
    session: Session, ids: Sequence[int], before: Sequence[Attendance], after: Attendance, *, taken_too: bool
) -> None:
    """The study records of these apologies' days, where one of the marks `before` is noted, are noted as `after`."""
    day = (
        select(col(Apology.id))
        .join(
            CourseRecord,
            (col(CourseRecord.class_group_id) == col(Apology.class_group_id))
            & (col(CourseRecord.held_on) == col(Apology.day)),
        )
        .where(
            is_one_of(session, col(Apology.id), ids),
            col(CourseRecord.id) == col(StudyRecord.course_record_id),
            col(Apology.student_id) == col(StudyRecord.student_id),
        )
    )
    if not taken_too:
        day = day.where(col(CourseRecord.taken_at).is_(None))
    session.execute(
        update(StudyRecord)
        .where(day.correlate(StudyRecord).exists(), col(StudyRecord.attendance).in_(before))
        .values(attendance=after, late_minutes=None, version=col(StudyRecord.version) + 1),
        execution_options=_UNSEEN,
    )
