"""Homework and scores of the demo school, for the days that its classes have had. The same for the same seed."""

from datetime import date, timedelta
from itertools import count
from random import Random
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlmodel import Session, SQLModel

from crm.domain.scores import LETTERS
from crm.domain.teaching import ScoreState
from crm.services.demo import words
from crm.services.demo.clock import Clock

_TABLES = SQLModel.metadata.tables
EVERY, DUE_IN, SCORED_IN = 2, 3, 4
"""Homework on every second day, due so many days later, scored the day after."""
MISSING, COPIED, FAILED = 0.06, 0.075, 0.09
"""Of all homework so much is never handed in, and up to so much copied and failed; the rest is graded."""
SHOWN = (1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.07, 1.0, 1.0, 0.08, 1.0, 1.0)
CHUNK = 5_000


def fill(session: Session, seed: int, clock: Clock, student: int) -> None:
    """Sets homework on days that have none, and scores what is due by now. Does nothing where no class has a day.

    The student who signs in by the account `student` has one of everything that *My grades* can show.
    """
    rng = Random(f"{seed}:scores")
    days = _homework(session, rng)
    rows = _TABLES["study_record"]
    shown = session.scalar(select(_TABLES["student"].c.id).where(_TABLES["student"].c.account_id == student))
    turn = count()
    levels: dict[int, tuple[float, float]] = {}
    changed: list[dict[str, Any]] = []
    asked = select(rows.c.id, rows.c.course_record_id, rows.c.student_id).order_by(rows.c.id)
    for key, day, student_id in session.execute(asked).all():
        held_on, due_on, lecturer = days.get(day, (None, None, None))
        level, slope = levels.setdefault(student_id, (rng.gauss(80, 8), rng.gauss(0.02, 0.12)))
        if held_on is None or due_on is None or held_on >= clock.day(clock.now):
            continue
        fate = SHOWN[next(turn) % len(SHOWN)] if student_id == shown else rng.random()
        made = _study(rng, clock, held_on, due_on, level + slope * (held_on.toordinal() % 100), fate)
        if made:
            changed.append({"key": key, **made, "new_by": lecturer if made["new_at"] else None})
    write = (
        update(rows)
        .where(rows.c.id == bindparam("key"))
        .values(
            score_state=bindparam("new_state"),
            score=bindparam("new_score"),
            handed_in_at=bindparam("new_in"),
            homework_text=bindparam("new_text"),
            teacher_remark=bindparam("new_remark"),
            scored_at=bindparam("new_at"),
            scored_by_id=bindparam("new_by"),
        )
    )
    for start in range(0, len(changed), CHUNK):
        session.connection().execute(write, changed[start : start + CHUNK])


def _homework(session: Session, rng: Random) -> dict[int, tuple[date, date | None, int | None]]:
    """Course record -> when it was held, when its homework was due, and the sign-in of who scores it."""
    records, staff = _TABLES["course_record"], _TABLES["employee"]
    asked = (
        select(
            records.c.id,
            records.c.day_number,
            records.c.held_on,
            records.c.homework_title,
            records.c.homework_due_on,
            staff.c.account_id,
        )
        .outerjoin(staff, staff.c.id == records.c.lecturer_id)
        .order_by(records.c.id)
    )
    found: dict[int, tuple[date, date | None, int | None]] = {}
    new: list[dict[str, Any]] = []
    for key, number, held_on, title, due_on, lecturer in session.execute(asked).all():
        due = due_on
        if title is None and number % EVERY == 0:
            due = held_on + timedelta(days=DUE_IN)
            named = rng.choice(words.HOMEWORK)
            new.append({"key": key, "new_title": f"{number}. {named[0]}", "new_brief": named[1], "new_due": due})
        found[key] = (held_on, due, lecturer)
    if new:
        session.connection().execute(
            update(records)
            .where(records.c.id == bindparam("key"))
            .values(
                homework_title=bindparam("new_title"),
                homework_brief=bindparam("new_brief"),
                homework_due_on=bindparam("new_due"),
            ),
            new,
        )
    return found


def _study(rng: Random, clock: Clock, held_on: date, due_on: date, level: float, fate: float) -> dict[str, Any] | None:
    """What became of one homework by now; None where nothing has."""
    late = rng.random() < 0.06
    day = due_on + timedelta(days=rng.randint(1, 2)) if late else held_on + timedelta(days=rng.randint(0, DUE_IN))
    handed_in = clock.working(rng, day)
    scored = clock.working(rng, due_on + timedelta(days=SCORED_IN))
    made: dict[str, Any] = {
        "new_state": ScoreState.NOT_DUE,
        "new_score": None,
        "new_in": handed_in,
        "new_text": rng.choice(words.HANDED_IN) if rng.random() < 0.5 else None,
        "new_remark": None,
        "new_at": None,
    }
    if fate < MISSING or handed_in >= clock.now:
        return None
    if scored >= clock.now or scored < handed_in:
        return made
    made["new_at"] = scored
    if fate < COPIED:
        return made | {"new_state": ScoreState.COPIED, "new_remark": rng.choice(words.COPIED)}
    if fate < FAILED:
        return made | {"new_state": ScoreState.FAILED, "new_remark": rng.choice(words.FAILED)}
    number = max(0, min(100, round(rng.gauss(level, 7))))
    if rng.random() < 0.4:
        # Half of the teachers give letters.
        number = min(LETTERS.values(), key=lambda worth: abs(worth - number))
    remark = rng.choice(words.PRAISE if number >= 85 else words.ADVICE) if rng.random() < 0.35 else None
    return made | {"new_state": ScoreState.GRADED, "new_score": number, "new_remark": remark}
