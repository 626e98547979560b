"""A jobs process of the tests' own: `python -m tests.integration.jobs_of_tests LOG JOB...`.

The real loop on the database of DATABASE_URL, with jobs that write down each step, and a heart that is
missed after two seconds instead of thirty.
"""

import logging
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crm.i18n import Says, says
from crm.services.jobs import job_claims
from crm.services.jobs.rhythm import daily, every
from jobs import loop as loops
from jobs.job import Job, Turn
from jobs.loop import Loop, this_process

STEPS = 20


def main(log: Path, names: list[str]) -> None:
    """Work until stopped, on the jobs of these names."""

    def note(*words: object) -> None:
        # One write of a few bytes to a file opened for appending is never torn.
        with log.open("ab", buffering=0) as file:
            file.write((" ".join(map(str, words)) + "\n").encode())

    def tick(turn: Turn) -> Says | None:
        note("tick", turn.due_at.isoformat(), os.getpid())
        return says("Ticked.")

    def fail(_turn: Turn) -> Says | None:
        raise ZeroDivisionError

    def in_steps(turn: Turn) -> Says | None:
        note("begin", turn.due_at.isoformat(), os.getpid())
        for step in range(STEPS):
            turn.go_on()
            note("step", step)
            time.sleep(0.2)
            note("stepped", step)
        note("end", os.getpid())
        return says("Stepped.")

    jobs = (
        Job("tick", every(seconds=1), tick, says("ticks")),
        Job("fail", every(seconds=1), fail, says("fails")),
        Job("steps", daily("00:00"), in_steps, says("goes in steps")),
    )
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    job_claims.HEART_STOPS = timedelta(seconds=2)
    loops.BEAT_SECONDS = 1
    loops.ASK_AGAIN = timedelta(seconds=1)
    loop = Loop([job for job in jobs if job.name in names], this_process(), lambda: datetime.now(UTC))
    signal.signal(signal.SIGTERM, lambda *_: loop.stop())
    loop.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
