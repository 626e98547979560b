"""Course records: the days of a class. Adding one or a series, changing, initialising and deleting them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.calendar import day_of
from crm.domain.classes import ClassGroup
from crm.domain.staff import Employee
from crm.domain.teaching import Attendance, CourseRecord, DeletedDay, ScoreState, StudyRecord
from crm.errors import Invalid, NotFound, Told, deny
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.classes import class_names, study_records
from crm.services.classes.class_scopes import CLASSES, COURSE_RECORDS
from crm.services.classes.course_days import NO_SUCH, reached
from crm.services.classes.course_record_cells import checked, teach, teachers
from crm.services.seen_rows import lock_row, require_seen
from crm.settings import settings
from crm.store.many_rows import is_one_of

VIEW, ADD, EDIT = "course-records.view", "course-records.add", "course-records.edit"
INITIALISE, DELETE = "course-records.initialise", "course-records.delete"
_NOT_YOURS = says("Choose one of your classes.")
_UNSEEN = {"synchronize_session": False}

# Who is seen


def visible_to(_session: Session, actor: Actor) -> SelectOfScalar[CourseRecord]:
    """The days of the classes that the actor teaches (with a farther reach: of the department's, of all)."""
    actor.require(VIEW)
    return select_rows(CourseRecord).where(COURSE_RECORDS.where(actor, VIEW))


def classes_to_add_to(session: Session, actor: Actor) -> Mapping[int, Says]:
    """The classes to which the actor may add days."""
    return class_names.choices(session, actor, ADD)


def classes_seen(session: Session, actor: Actor) -> Mapping[int, Says]:
    """The classes whose days the actor may see."""
    return class_names.choices(session, actor, VIEW)


def lecturers(_session: Session, actor: Actor) -> SelectOfScalar[Employee]:
    """Who teaches the classes whose days the actor may see."""
    actor.require(VIEW)
    mine = select(col(ClassGroup.id)).where(CLASSES.where(actor, VIEW))
    return select_rows(Employee).where(col(Employee.id).in_(teach(mine))).order_by(col(Employee.name))


# What is added


@dataclass(frozen=True, slots=True)
class Added:
    """The day that was added, and what is odd about it: that it lies outside the class's own dates.

    `planned`: it is still to come, and the list of days begins with today's.
    """

    id: int
    odd: Says | None
    planned: bool

    @property
    def says(self) -> Says:
        """For the screen."""
        said = says("Added. {why}", why=self.odd) if self.odd else says("Added.")
        if not self.planned:
            return said
        return says("{said} It is to come, so a list of days up to today does not have it.", said=said)


def add(session: Session, actor: Actor, values: Mapping[str, Any], now: datetime) -> Added:
    """Add a day to one of the actor's classes; its number runs on. Raises `Invalid` by field.

    Without a lecturer it is the actor, where the actor teaches the class, else the first of its lecturers.
    """
    actor.require(ADD)
    group = class_to_add_to(session, actor, values.get("class_group_id"))
    fields = {key: value for key, value in values.items() if key != "class_group_id"}
    cells = checked(session, group, {"held_on": None, "lecturer_id": None, **fields}, None)
    cells["lecturer_id"] = cells["lecturer_id"] or usual_lecturer(session, actor, group)
    row = CourseRecord(class_group_id=group, day_number=last_number(session, group) + 1, **cells)
    session.add(row)
    session.flush()
    assert row.id is not None
    audit.record(session, actor, ADD, "course_record", row.id, None, {"class_group": group, "day": row.held_on}, now)
    planned = row.held_on > day_of(now, settings().zone)
    return Added(row.id, _odd(row.held_on, *own_dates(session, group)), planned)


def own_dates(session: Session, group: int) -> tuple[date, date | None]:
    """When the class begins and ends."""
    asked = select(col(ClassGroup.starts_on), col(ClassGroup.ends_on)).where(col(ClassGroup.id) == group)
    starts_on, ends_on = session.execute(asked).one()
    return starts_on, ends_on


def _odd(day: date, starts_on: date, ends_on: date | None) -> Says | None:
    """A class may begin early and run over, so nothing is refused for it; but it may be a slip of the hand."""
    if day < starts_on:
        return says("{day} is before the class begins, on {date}.", day=day, date=starts_on)
    if ends_on is not None and day > ends_on:
        return says("{day} is after the class ends, on {date}.", day=day, date=ends_on)
    return None


def class_to_add_to(session: Session, actor: Actor, class_group_id: Any) -> int:
    """The class, if the actor may add to it. Nobody else adds to it before the commit. Raises `Invalid`."""
    asked = select(col(ClassGroup.id)).where(col(ClassGroup.id) == class_group_id, CLASSES.where(actor, ADD))
    found = session.scalar(asked.with_for_update()) if isinstance(class_group_id, int) else None
    if found is None:
        if class_group_id is not None:
            deny(ADD, class_group_id)
        raise Invalid.of({"class_group_id": _NOT_YOURS})
    return found


def last_number(session: Session, group: int) -> int:
    asked = select(func.max(col(CourseRecord.day_number))).where(col(CourseRecord.class_group_id) == group)
    return session.scalar(asked) or 0


def usual_lecturer(session: Session, actor: Actor, group: int) -> int | None:
    some = teachers(session, group)
    return actor.owner_id if actor.owner_id in some else next(iter(some), None)


# What is changed


def save(
    session: Session, actor: Actor, record_id: int, version: int, changes: Mapping[str, Any], now: datetime
) -> int:
    """Save changed fields of a day against the version seen; returns the new version.

    Class and number stay; the date too once the day was initialised.
    Raises `Conflict` with the values now there, `Invalid` by field, `NotFound`, `NotAllowed`.
    """
    actor.require(EDIT)
    mine = (col(CourseRecord.id) == record_id) & COURSE_RECORDS.where(actor, EDIT)
    group = session.scalar(select(col(CourseRecord.class_group_id)).where(mine))
    if group is None:
        raise NotFound(NO_SUCH, EDIT, record_id)
    if "held_on" in changes:
        # Before the day itself, as whoever adds a day does.
        session.execute(select(col(ClassGroup.id)).where(col(ClassGroup.id) == group).with_for_update())
    record = lock_row(session, CourseRecord, record_id, mine, EDIT)
    require_seen(record, version, changes)
    cells = checked(session, record.class_group_id, changes, record)
    session.execute(
        update(CourseRecord).where(col(CourseRecord.id) == record_id).values(**cells, version=version + 1),
        execution_options=_UNSEEN,
    )
    session.expire(record)
    audit.record(session, actor, EDIT, "course_record", record_id, None, {"fields": sorted(cells)}, now)
    return version + 1


def initialise_many(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Any]:
    """Make the study records that these days lack, again at any time. Per id: what was done, or why nothing was."""
    actor.require(INITIALISE)
    _hold_classes(session, actor, ids)
    mine = reached(session, actor, INITIALISE, ids)
    made = study_records.initialise(session, list(mine), now)
    done = ((each, None, {"created": one.created}) for each, one in made.items() if one.created)
    audit.record_many(session, actor, INITIALISE, "course_record", done, now)
    return {
        each: _account(made[each], mine[each].taken_at is not None) if each in made else NO_SUCH
        for each in dict.fromkeys(ids)
    }


def _hold_classes(session: Session, actor: Actor, ids: Sequence[int]) -> None:
    """Nobody joins or leaves the classes of these days before the commit.

    Before the days themselves, as whoever confirms a payment does: else of two at once neither would see the other's
    rows, and who joins would have no record on a day that is initialised.
    """
    groups = select(col(CourseRecord.class_group_id)).where(
        is_one_of(session, col(CourseRecord.id), ids), COURSE_RECORDS.where(actor, INITIALISE)
    )
    asked = select(col(ClassGroup.id)).where(col(ClassGroup.id).in_(groups)).order_by(col(ClassGroup.id))
    session.execute(asked.with_for_update(read=True)).all()


def _account(made: study_records.Made, taken: bool) -> Any:
    if not sum(made):
        return says("Nobody is in the class on that day.")
    account = says("Created {created}, kept {kept}.", created=made.created, kept=made.kept)
    if made.created and taken:
        return Told(says("{account} The attendance has to be confirmed again.", account=account))
    return Told(account)


_makes_up = aliased(StudyRecord)
RECORDED = exists().where(
    col(StudyRecord.course_record_id) == col(CourseRecord.id),
    or_(
        col(StudyRecord.attendance) != Attendance.PRESENT,
        col(StudyRecord.score_state) != ScoreState.NOT_DUE,
        *(
            col(field).is_not(None)
            for field in (
                StudyRecord.makes_up_id,
                StudyRecord.handed_in_at,
                StudyRecord.homework_text,
                StudyRecord.homework_file,
                StudyRecord.teacher_remark,
                StudyRecord.student_remark,
            )
        ),
        exists().where(col(_makes_up.makes_up_id) == col(StudyRecord.id)),
    ),
)
"""Days of whose students something was recorded: an exception, score, homework, remark, either side of a make-up."""


def delete_many(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Says | None]:
    """Delete days of which nothing was recorded yet, with their untouched study records. Per id: None, or why not.

    For 30 days `deleted_days` brings them back.
    """
    actor.require(DELETE)
    mine = reached(session, actor, DELETE, ids)
    of_these = is_one_of(session, col(CourseRecord.id), list(mine))
    # Their study records too: whoever hands in, scores or notes something holds no more than one of those.
    theirs = is_one_of(session, col(StudyRecord.course_record_id), list(mine))
    session.execute(select(col(StudyRecord.id)).where(theirs).order_by(col(StudyRecord.id)).with_for_update()).all()
    stays = or_(col(CourseRecord.taken_at).is_not(None), RECORDED)
    kept = set(session.scalars(select(col(CourseRecord.id)).where(of_these, stays)))
    gone = [each for each in mine if each not in kept]
    _keep(session, actor, gone, now)
    session.execute(
        delete(StudyRecord).where(is_one_of(session, col(StudyRecord.course_record_id), gone)),
        execution_options=_UNSEEN,
    )
    session.execute(
        delete(CourseRecord).where(is_one_of(session, col(CourseRecord.id), gone)), execution_options=_UNSEEN
    )
    audit.record_many(session, actor, DELETE, "course_record", ((each, None, None) for each in gone), now)
    why = says("Something was recorded on this day already, so it stays.")
    return {each: None if each in gone else why if each in kept else NO_SUCH for each in dict.fromkeys(ids)}


def _keep(session: Session, actor: Actor, gone: Sequence[int], now: datetime) -> None:
    rows = SQLModel.metadata.tables["course_record"]
    asked = select(*rows.c).where(is_one_of(session, rows.c.id, gone)).order_by(rows.c.id)
    kept = [
        {
            "record_id": row["id"],
            **{name: row[name] for name in ("class_group_id", "day_number", "held_on", "title")},
            "kept": json.dumps(dict(row), default=str, ensure_ascii=False),
            "deleted_at": now,
            "deleted_by_id": actor.account_id,
        }
        for row in session.execute(asked).mappings()
    ]
    if kept:
        session.execute(insert(DeletedDay), kept)
