"""The doctor: each rule is broken on purpose, behind the constraints' back, and is named by table, row and remedy."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from sqlalchemy import Engine, text
from sqlmodel import Session

from crm.domain.customers import Customer, CustomerState
from crm.domain.episodes import Outcome
from crm.domain.imports import ImportBatch
from crm.domain.payments import PaymentState
from crm.domain.records import JobOutcome, JobRun
from crm.domain.staff import Employee
from crm.rbac import store as rbac
from crm.services import doctor
from crm.services.access.permissions import SYSTEM, install_roles
from crm.services.customers import customers, expiry, follow_ups, hand_over, holding, pool
from crm.services.demo import fill
from crm.services.jobs.job_names import EXPIRE
from crm.services.sharing import assignment
from crm.store.redis import ROUND_KEY
from crm.store.session import reading, writing
from tests import builders as a
from tests import school_builders as b

NOW = a.NOON + timedelta(days=1)
OLD = "'2025-02-20 04:00:00'"


@pytest.fixture
def school(engine: Engine, use_settings: Callable[[str], None]) -> Engine:
    """A small sound school. Customers: 1 private with consultant 1, 2 public after 1, 3 enrolled by 2, 4 waiting."""
    use_settings("[school]\nlecturer_departments = [1003]\nclass_teacher_departments = [1004]")
    with writing(engine) as session:
        install_roles(session)
        administrator = a.an_account(session, "admin")
        role = rbac.role_named(session, "administrator")
        assert administrator.id and role and role.id
        rbac.give_role(session, administrator.id, [role.id])
        lina, emma = a.a_consultant(session, "Lina"), a.a_consultant(session, "Emma")
        batch = ImportBatch(
            file_name="sheet.xlsx",
            digest="0" * 64,
            rows=2,
            imported=1,
            duplicates=1,
            errors=0,
            assigned=1,
            waiting=0,
            imported_at=a.NOON,
        )
        session.add(batch)
        session.flush()
        a.a_private_customer(session, lina, import_batch_id=batch.id, qq="12345678")
        a.a_public_customer(session, lina, qq="87654321")
        enrolled = a.a_customer(session, state=CustomerState.ENROLLED, last_consultant_id=emma.id)
        a.an_episode(session, enrolled, emma, closed_at=a.NOON, outcome=Outcome.ENROLLED)
        group = b.a_class_group(session, capacity=1)
        student = b.a_student(session, customer_id=enrolled.id, sign_in=False)
        deposit = b.a_deposit(session, enrolled, group, PaymentState.CONFIRMED)
        b.an_enrolment(session, student, group, payment_id=deposit.id)
        b.a_study_record(session, b.a_course_record(session, group, initialised_at=a.NOON), student)
        a.a_customer(session)
        session.execute(text("INSERT INTO sharing_round (id, step, revision) VALUES (1, 0, 0)"))
    assert found(engine) == []
    return engine


def found(engine: Engine, now: datetime = NOW) -> list[str]:
    """What the doctor says, in English."""
    with reading(engine) as session:
        return [str(one) for one in doctor.check(session, now)]


def harm(engine: Engine, *statements: str) -> None:
    """Run statements with checks, foreign keys and unique indexes out of the way. Moments in them are UTC."""
    with unguarded(engine) as session:
        for statement in statements:
            run(session, statement)
        session.commit()


@contextmanager
def unguarded(engine: Engine) -> Iterator[Session]:
    """A session with checks, foreign keys and unique indexes out of the way. What is not committed is taken back."""
    with engine.connect() as connection, Session(connection) as session:
        raw: Any = connection.connection.driver_connection
        if engine.dialect.name == "postgresql":
            raw.autocommit = True
        for statement in _unguarded(engine):
            raw.execute(statement)
        if engine.dialect.name == "postgresql":
            raw.autocommit = False
        yield session
        connection.invalidate()


def run(session: Session, statement: str) -> None:
    """Run a statement as the models would have written its moments."""
    if session.get_bind().dialect.name == "sqlite":
        statement = re.sub(r"(\d\d:\d\d:\d\d)'", r"\1.000000'", statement)
    session.connection().exec_driver_sql(statement)


def _unguarded(engine: Engine) -> Iterator[str]:
    yield from (f"DROP INDEX {name}" for name in ("uq_customer_phone", "uq_customer_qq", "uq_assignment_open"))
    if engine.dialect.name == "sqlite":
        yield "PRAGMA foreign_keys = OFF"
        yield "PRAGMA ignore_check_constraints = ON"
        return
    yield "SET session_replication_role = replica"
    yield "SET TIME ZONE 'UTC'"
    with engine.connect() as connection:
        checks = connection.exec_driver_sql(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"
        ).all()
    yield from (f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"' for table, name in checks if "." not in table)


BROKEN = {
    "a record of a day before the student joined": (
        "UPDATE course_record SET held_on = '2020-01-01' WHERE id = 1",
        "study_record 1: student 1 was not in class 1 on 2020-01-01",
    ),
    "a make-up of another's day": (
        "UPDATE study_record SET makes_up_id = 1 WHERE id = 1",
        "study_record 1: makes up record 1, which is of another student or course",
    ),
    "a state that is none": ("UPDATE customer SET state = 'lost' WHERE id = 4", "customer 4: state is lost"),
    "private, but nobody holds it": (
        "UPDATE customer SET consultant_id = NULL WHERE id = 1",
        "customer 1: is private, but nobody holds it",
    ),
    "a holder of a public customer": (
        "UPDATE customer SET consultant_id = 2 WHERE id = 2",
        "customer 2: is public, but consultant 2 still holds it",
    ),
    "private without a deadline": (
        "UPDATE customer SET deal_due_at = NULL WHERE id = 1",
        "customer 1: is private, but a deadline is missing",
    ),
    "deadlines of an enrolled customer": (
        f"UPDATE customer SET follow_up_due_at = {OLD} WHERE id = 3",
        "customer 3: is enrolled, but has deadlines",
    ),
    "a follow-up deadline that the rule does not give": (
        "INSERT INTO follow_up (customer_id, consultant_id, assignment_id, at, channel, note)"
        " VALUES (1, 1, 1, '2025-03-03 05:00:00', 'phone', 'Called')",
        "customer 1: the deadlines are 2025-03-06 04:00 and 2025-03-18 04:00,"
        " but start and last follow-up say 2025-03-06 05:00 and 2025-03-18 04:00",
    ),
    "a deal deadline that the rule does not give": (
        "UPDATE customer SET deal_due_at = '2025-03-18 04:00:01' WHERE id = 1",
        "customer 1: the deadlines are",
    ),
    "private without an open episode": (
        "DELETE FROM assignment WHERE customer_id = 1",
        "customer 1: is private with consultant 1, but has no open episode",
    ),
    "an open episode of somebody else": (
        "UPDATE assignment SET consultant_id = 2 WHERE customer_id = 1",
        "assignment 1: the open episode is consultant 2's, but customer 1 is held by consultant 1",
    ),
    "an open episode of a customer in the pool": (
        "UPDATE assignment SET closed_at = NULL, outcome = 'following' WHERE customer_id = 2",
        "assignment 2: is open, but customer 2 is public",
    ),
    "two open episodes": (
        "INSERT INTO assignment (customer_id, consultant_id, origin, opened_at, outcome, reason)"
        " VALUES (1, 1, 'claimed', '2025-03-03 04:00:00', 'following', '')",
        "assignment: customer 1 has 2 open episodes",
    ),
    "closed without an outcome": (
        "UPDATE assignment SET outcome = 'following' WHERE customer_id = 2",
        "assignment 2: was closed, but its outcome is following",
    ),
    "open with an outcome": (
        "UPDATE assignment SET outcome = 'no_deal' WHERE customer_id = 1",
        "assignment 1: is open, but its outcome is no_deal",
    ),
    "closed before it was opened": (
        f"UPDATE assignment SET closed_at = {OLD} WHERE customer_id = 2",
        "assignment 2: was closed at 2025-02-20 04:00, before it was opened at 2025-02-28 04:00",
    ),
    "episodes that overlap": (
        "INSERT INTO assignment (id, customer_id, consultant_id, origin, opened_at, closed_at, outcome, reason)"
        f" VALUES (4, 2, 2, 'shared', {OLD}, '2025-03-01 04:00:00', 'no_deal', '')",
        "assignment 2: begins at 2025-02-28 04:00, before episode 4 of the same customer 2 ended at 2025-03-01 04:00",
    ),
    "claimed by the last holder": (
        "INSERT INTO assignment (id, customer_id, consultant_id, origin, opened_at, closed_at, outcome, reason)"
        " VALUES (4, 2, 1, 'claimed', '2025-03-03 05:00:00', '2025-03-03 06:00:00', 'released', '')",
        "assignment 4: consultant 1 claimed customer 2, whom the same consultant held last",
    ),
    "another last holder than the last episode's": (
        "UPDATE customer SET last_consultant_id = 2 WHERE id = 2",
        "customer 2: last_consultant_id is 2, but the episode that closed last was 1's",
    ),
    "a last holder of a customer whom nobody held": (
        "UPDATE customer SET last_consultant_id = 2 WHERE id = 4",
        "customer 4: last_consultant_id is 2, but the episode that closed last was -'s",
    ),
    "a follow-up in an episode of another customer": (
        "INSERT INTO follow_up (id, customer_id, consultant_id, assignment_id, at, channel, note)"
        " VALUES (1, 4, 1, 2, '2025-03-03 04:00:00', 'phone', 'Called')",
        "follow_up 1: belongs to episode 2",
    ),
    "a follow-up after its episode": (
        "INSERT INTO follow_up (id, customer_id, consultant_id, assignment_id, at, channel, note)"
        " VALUES (1, 2, 1, 2, '2025-03-03 04:00:01', 'phone', 'Called')",
        "follow_up 1: belongs to episode 2",
    ),
    "deleted while somebody holds it": (
        f"UPDATE customer SET deleted_at = {OLD} WHERE id = 1",
        "customer 1: was deleted, but consultant 1 still holds it",
    ),
    "enrolled without money": (
        "UPDATE payment SET state = 'rejected'",
        "customer 3: is enrolled without a confirmed payment",
    ),
    "enrolled without a student": (
        "UPDATE customer SET state = 'enrolled' WHERE id = 4",
        "customer 4: is enrolled, but there is no student",
    ),
    "a student who did not enrol": (
        "UPDATE customer SET state = 'public' WHERE id = 3",
        "student 1: customer 3 is not enrolled",
    ),
    "a student without money": (
        "UPDATE payment SET state = 'pending', decided_at = NULL",
        "student 1: customer 3 has no confirmed payment",
    ),
    "a place without money": (
        "UPDATE enrolment SET payment_id = NULL",
        "enrolment 1: no confirmed payment gave student 1 this place",
    ),
    "two places in one class": (
        "INSERT INTO enrolment (student_id, class_group_id, joined_on, left_on, payment_id, version)"
        " VALUES (1, 1, '2025-04-01', '2025-05-01', 1, 1)",
        "enrolment 1 and enrolment 2: student 1 has two places in class 1",
    ),
    "a class that is too full": (
        "UPDATE class_group SET capacity = 0",
        "class_group 1: 1 students are in it on a day, but it has 0 places",
    ),
    "an episode that says enrolled": (
        "UPDATE assignment SET outcome = 'enrolled' WHERE id = 2",
        "assignment 2: does not agree with customer 2",
    ),
    "one phone twice": (
        "UPDATE customer SET phone = '13912345678' WHERE id IN (2, 4)",
        "customer 2 and customer 4 have the same phone",
    ),
    "one QQ twice": (
        "UPDATE customer SET qq = '55555' WHERE id IN (1, 2)",
        "customer 1 and customer 2 have the same qq",
    ),
    "a phone that is not normalised": (
        "UPDATE customer SET phone = '+8613912345678' WHERE id = 1",
        "customer 1: phone is not stored in its normal form",
    ),
    "a QQ that is not normalised": (
        "UPDATE customer SET qq = '１２３４５６' WHERE id = 2",
        "customer 2: qq is not stored in its normal form",
    ),
    "an import whose parts are not the whole": (
        "UPDATE import_batch SET errors = 5",
        "import_batch 1: 1 imported, 1 duplicates and 5 wrong rows are not the 2 rows",
    ),
    "an import whose customers are gone": (
        "UPDATE customer SET import_batch_id = NULL",
        "import_batch 1: says 1 customers were imported, but 0 carry its number",
    ),
    "a notice that nobody sends": (
        "INSERT INTO notification (account_id, channel, title, body, link, state, attempts, created_at, version)"
        f" VALUES (1, 'mail', 'x', '', '', 'pending', 0, {OLD}, 1)",
        "notification 1: should have left by mail over an hour ago",
    ),
    "a job that died": (
        "INSERT INTO job_run (job, due_at, started_at, alive_at, outcome, runner, attempts, account)"
        f" VALUES ('expire-customers', {OLD}, {OLD}, {OLD}, 'running', 'here', 1, '')",
        "job_run 1: expire-customers runs, but gave no sign of life",
    ),
    "a row that refers to nobody": (
        "UPDATE customer SET created_by_id = 99 WHERE id = 4",
        "customer 4: created_by_id is 99, but account has no such row",
    ),
    "no administrator left": (
        "UPDATE account SET active = false WHERE id = 1",
        "account: no active account may manage sign-ins",
    ),
    "a permission that no page declares": (
        "INSERT INTO role_permission (role_id, page, action, reach) VALUES (1, 'custmers', 'view', 3)",
        "role_permission 1: grants custmers.view, which no page declares",
    ),
    "a round that counts wrong": (
        "UPDATE sharing_round SET step = 3",
        "sharing_round 1: counts 3 customers in this round, but the consultants in it were given 0",
    ),
    "a consultant off the exact share": (
        "UPDATE consultant_quota SET taking_part = true, round_weight = 10,"
        " served = CASE WHEN employee_id = 1 THEN 4 ELSE 0 END",
        "consultant_quota 1: was given 4 of 4 customers in this round with weight 10 of 20",
    ),
}


def test_each_broken_rule_is_named(school: Engine) -> None:
    told = {}
    with unguarded(school) as session:
        for fault, (statement, _sentence) in BROKEN.items():
            if "exact share" in fault:
                run(session, "UPDATE sharing_round SET step = 4")
            run(session, statement)
            told[fault] = [str(one) for one in doctor.check(session, NOW)]
            session.rollback()

    assert {
        fault: told[fault]
        for fault, (_statement, sentence) in BROKEN.items()
        if not any(one.startswith(sentence) for one in told[fault])
    } == {}


RUN = datetime(2025, 3, 6, 18, 0, tzinfo=UTC)
STILL_PRIVATE = (
    "customer 1: expired at 2025-03-06 04:00, before the last scheduled run, but is still private."
    " Run: python -m crm expire"
)


def test_a_customer_that_the_ended_run_should_have_taken_is_named(school: Engine) -> None:
    assert found(school, RUN - timedelta(seconds=1)) == []

    an_expiry(school, RUN)

    assert found(school, RUN) == [STILL_PRIVATE]


@pytest.mark.parametrize("outcome", [None, JobOutcome.RUNNING, JobOutcome.FAILED])
def test_a_run_that_is_late_is_a_note_until_the_next_one_is_due(school: Engine, outcome: JobOutcome | None) -> None:
    if outcome is not None:
        an_expiry(school, RUN, outcome)
    morning = RUN + timedelta(hours=7)

    with reading(school) as session:
        assert doctor.check(session, morning) == []
        assert [str(one) for one in doctor.notes(session, morning)] == [
            "The run of 2025-03-06 18:00 has not ended yet: 1 customer goes to the public pool with it."
            " The jobs process does it, or: python -m crm expire"
        ]
        assert doctor.notes(session, RUN - timedelta(seconds=1)) == []
    assert STILL_PRIVATE in found(school, RUN + timedelta(days=1))


def an_expiry(engine: Engine, due: datetime, outcome: JobOutcome = JobOutcome.DONE) -> None:
    """The nightly job of that date, as its process records it."""
    with writing(engine) as session:
        run = JobRun(
            job=EXPIRE,
            due_at=due,
            started_at=due,
            alive_at=due + timedelta(hours=7),
            outcome=outcome,
            runner="here",
            account="",
        )
        session.add(run)


@pytest.mark.parametrize("why", ["an extension", "a payment that awaits confirmation"])
def test_a_customer_that_expiry_passes_over_is_no_fault(school: Engine, why: str) -> None:
    with writing(school) as session:
        if why == "an extension":
            session.execute(
                text("UPDATE customer SET extended_until = :until WHERE id = 1"),
                {"until": "2025-03-20 00:00:00.000000+00:00"[: 26 if school.dialect.name == "sqlite" else None]},
            )
        else:
            a.a_payment(session, session.get_one(Customer, 1))

    an_expiry(school, RUN)

    assert found(school, datetime(2025, 3, 7, tzinfo=UTC)) == []


def test_of_many_rows_with_one_fault_the_first_are_told_and_the_rest_counted(engine: Engine) -> None:
    fill(engine, 100, 1, NOW)
    harm(engine, "UPDATE customer SET last_consultant_id = NULL")

    told = [one for one in found(engine) if "last_consultant_id" in one or "more rows" in one]

    assert len(told) == 21
    assert told[-1].endswith("more rows with the same fault as the one before.")


def test_settings_that_let_anybody_teach_are_a_note(school: Engine, use_settings: Callable[[str], None]) -> None:
    def noted() -> list[str]:
        with reading(school) as session:
            return [one.split(":")[0] for one in map(str, doctor.notes(session, NOW)) if one.startswith("school.")]

    use_settings("[school]\nlecturer_departments = [1003]")
    assert noted() == ["school.class_teacher_departments is empty"]

    use_settings("")
    assert len(noted()) == 2


def test_a_cap_below_what_is_held_is_a_note_and_no_fault(school: Engine) -> None:
    harm(school, "UPDATE consultant_quota SET max_customers = 0", "UPDATE employee SET active = false WHERE id = 1")

    with reading(school) as session:
        notes = [str(one) for one in doctor.notes(session, NOW)]

    assert found(school) == []
    assert notes == [
        "consultant_quota 1: holds 1 customers, above the cap of 0. Nothing new comes until there is room.",
        "employee 1: is inactive, but still holds 1 customers. Assign them to somebody else.",
    ]


@pytest.mark.redis
def test_a_copy_in_redis_that_disagrees_is_named(school: Engine, redis_url: str) -> None:
    with writing(school) as session:
        assignment.share_out(session, None, now=NOW, by=SYSTEM)
    sound = found(school)
    copy = redis.Redis.from_url(redis_url, decode_responses=True)
    copy.set(ROUND_KEY, str(copy.get(ROUND_KEY)).replace("|1|", "|7|"))
    copy.close()

    told = found(school)

    assert sound == []
    assert len(told) == 1
    assert told[0].startswith("Redis has another sharing round than the database")


def test_a_note_by_a_manager_moves_no_deadline_and_is_no_fault(school: Engine) -> None:
    with writing(school) as session:
        session.execute(
            text(
                "INSERT INTO follow_up (customer_id, consultant_id, at, channel, note)"
                " VALUES (1, 2, '2025-03-03 05:00:00.000000', 'phone', 'Asked how it goes')"
            )
        )

    assert found(school) == []


def test_the_demo_school_is_sound(engine: Engine) -> None:
    fill(engine, 500, 3, NOW)

    assert found(engine) == []


def test_a_school_stays_sound_through_a_day_of_everything(engine: Engine) -> None:
    fill(engine, 300, 4, NOW)
    manager = a.an_actor(role="sales_manager", account_id=2, name="Manager")
    with writing(engine) as session:
        assignment.share_out(session, None, now=NOW, by=SYSTEM)
        lina = session.get(Employee, 3)
        assert lina
        consultant = a.an_actor(role="consultant", of=lina)
        pool_ids = ids(session, "state = 'public' AND last_consultant_id <> 3")
        pool.claim_many(session, consultant, pool_ids[:5], NOW)
        held = ids(session, "consultant_id = 3 AND follow_up_due_at > '2025-03-04 05:00:00+00:00'")
        assert len(held) > 12
        for each in held[:5]:
            follow_ups.record(session, consultant, each, channel="phone", note="Called.", now=NOW)
        holding.release_many(session, consultant, held[5:7], NOW)
        holding.extend_many(session, manager, held[7:9], NOW, until=NOW + timedelta(days=9))
        hand_over.assign_many(session, manager, held[9:12] + pool_ids[6:9], NOW, consultant_id=4)
        customers.delete_many(session, manager, [held[0], pool_ids[5], *ids(session, "state = 'waiting'")[:1]], NOW)
        customers.add_mine(session, consultant, {"name": "Ann", "phone": "13800138000"}, NOW)
        customers.add(session, manager, {"name": "Ben", "qq": "1234567"}, NOW)
    day_after = NOW + timedelta(days=1)
    expiry.expire(lambda: writing(engine), SYSTEM, now=day_after, open_reading=lambda: reading(engine))

    assert found(engine, NOW) == []
    assert found(engine, day_after) == []


def ids(session: Session, condition: str) -> list[int]:
    return list(session.execute(text(f"SELECT id FROM customer WHERE {condition} ORDER BY id")).scalars())
