"""What the jobs do: each calls one service and says in one line what came of it."""

from crm.i18n import Says, says, says_n
from crm.services.access import sign_in
from crm.services.access.permissions import SYSTEM
from crm.services.attendance import attendance_reminders
from crm.services.classes import deleted_days
from crm.services.customers import expiry
from crm.services.jobs import job_claims
from crm.services.notices import outbox
from crm.services.scores import homework
from crm.services.sharing import assignment
from crm.store.session import writing
from jobs.job import Turn


def expire_customers(turn: Turn) -> Says | None:
    """The 02:00 rule, for that 02:00."""
    return expiry.expire(turn.writing, SYSTEM, now=turn.due_at, told_at=turn.now()).says


def send_notifications(turn: Turn) -> Says | None:
    """What the outbox holds leaves."""
    done = outbox.send_due(writing, SYSTEM, clock=turn.now, go_on=turn.go_on)
    if not done:
        return None
    account = says(
        "Sent: {sent}. To be tried again: {again}. Failed: {failed}. Uncertain: {uncertain}.",
        sent=done.sent,
        again=done.again,
        failed=done.failed,
        uncertain=done.uncertain,
    )
    if done.resting:
        return says("{account} Out of reach: {channels}.", account=account, channels=", ".join(done.resting))
    return account


def assign_waiting(turn: Turn) -> Says | None:
    """Whoever waits is given to consultants with room."""
    with turn.writing() as session:
        shared = assignment.assign_waiting(session, SYSTEM, turn.now())
    if not shared.assigned:
        return None
    return says("Shared out: {assigned}. Still waiting: {waiting}.", assigned=shared.assigned, waiting=shared.waiting)


def remind_attendance(turn: Turn) -> Says | None:
    """Teachers are told of days that nobody confirmed, for that evening."""
    with turn.writing() as session:
        days = attendance_reminders.remind(session, SYSTEM, turn.due_at, turn.now())
    return says_n("Told of {count} day.", "Told of {count} days.", count=days) if days else None


def clean_up(turn: Turn) -> Says | None:
    """Forget what nobody needs any more."""
    with turn.writing() as session:
        sign_in.forget_old(session, turn.now())
    with turn.writing() as session:
        messages = outbox.prune(session, SYSTEM, turn.now())
    with turn.writing() as session:
        runs = job_claims.prune(session, turn.now())
    with turn.writing() as session:
        files = homework.forget_files(session)
    with turn.writing() as session:
        days = deleted_days.forget_old(session, turn.now())
    return says(
        "Forgotten: notices {messages}, runs of jobs {runs}, replaced files {files}, old sign-ins,"
        " deleted days {days}.",
        messages=messages,
        runs=runs,
        files=files,
        days=days,
    )
