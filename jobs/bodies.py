"""What the jobs do: each calls one service and says in one line what came of it."""

from crm.i18n import Says, says
from crm.services import expiry, job_runs, outbox
from crm.services.permissions import SYSTEM
from crm.store.session import writing
from jobs.job import Turn


def expire_customers(turn: Turn) -> Says | None:
    """The 02:00 rule, for that 02:00."""
    done = expiry.expire(turn.writing, SYSTEM, now=turn.due_at)
    return says(
        "No follow-up: {no_follow_up}. No deal: {no_deal}. Passed over: {skipped}.",
        no_follow_up=done.no_follow_up,
        no_deal=done.no_deal,
        skipped=done.skipped,
    )


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


def clean_up(turn: Turn) -> Says | None:
    """Forget what nobody needs any more."""
    with turn.writing() as session:
        runs = job_runs.prune(session, turn.now())
    return says("Runs of jobs: {runs}.", runs=runs)
