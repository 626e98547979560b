"""Processes that live and die together: started, watched, started again, and none left behind."""

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from crm.errors import Unavailable
from crm.i18n import Says, _, says
from crm.settings import ROOT

LOOK_SECONDS = 0.1
READY_SECONDS = 90.0
STOP_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 60.0
WELL_AFTER_SECONDS = 60.0
LOG_BYTES = 10_000_000
PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """A process to keep running. `if_orphaned` is what the kernel sends it should the supervisor be killed (Linux)."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    if_orphaned: signal.Signals = signal.SIGKILL
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    pause: float = field(default=1.0)

    def start(self, log: Path) -> None:
        """Start it with a process group of its own, so that a Ctrl-C reaches the supervisor only."""
        parent, if_orphaned = os.getpid(), self.if_orphaned

        def before_exec() -> None:
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(if_orphaned), 0, 0, 0)
                if os.getppid() != parent:
                    os._exit(1)

        with log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env=dict(self.environment),
                start_new_session=True,
                preexec_fn=before_exec,
            )
        self.started_at, self.start_again_at = time.monotonic(), 0.0

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and whatever it started."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    @property
    def ended(self) -> bool:
        """Whether it was started and has ended."""
        return self.process is not None and self.process.poll() is not None


class Supervisor:
    """Keeps children running until a signal ends them all. Their output goes to files in `logs`."""

    def __init__(self, logs: Path, say: Callable[[str], object]) -> None:
        self._logs = logs
        self._say = say
        self._stopping = False
        self._patient = True
        self._parent = os.getppid()

    def run(
        self, children: Sequence[Child], port: int, ready: Callable[[], None], look: Callable[[], None] = lambda: None
    ) -> int:
        """Start everything, call `ready` once the app answers, and stay until told to end.

        The first child is the app, listening on `port`. `look` is called ten times a second meanwhile.
        Raises `Unavailable` if the app does not come up.
        """
        kept = {each: signal.signal(each, self._stop) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            for child in children:
                child.start(self._log(child))
            self._wait_until_ready(children[0], port)
            if not self._stopping:
                ready()
            while not self._stopping:
                time.sleep(LOOK_SECONDS)
                self._look(children)
                look()
        finally:
            if self._stopping:
                # A terminal that was closed cannot be written to, and everything ends all the same.
                with contextlib.suppress(OSError):
                    self._say(_("Stopping ... (Ctrl-C again: at once)"))
            self._end(children)
            for number, handler in kept.items():
                signal.signal(number, handler)
        return 0

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        if self._stopping:
            # Asked again: patience is over.
            self._patient = False
        self._stopping = True

    def _log(self, child: Child) -> Path:
        path = self._logs / f"{child.name}.log"
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path

    def _wait_until_ready(self, app: Child, port: int) -> None:
        end = time.monotonic() + READY_SECONDS
        while not self._stopping and not _answers(port):
            if app.ended or time.monotonic() > end:
                raise Unavailable(
                    says(
                        "The app does not start: {why}. The details are in {file}.",
                        why=_reason(self._log(app)),
                        file=str(self._log(app)),
                    )
                )
            self._look_at_parent()
            time.sleep(LOOK_SECONDS)

    def _look(self, children: Sequence[Child]) -> None:
        now = time.monotonic()
        self._look_at_parent()
        for child in children:
            if not child.ended or self._stopping:
                continue
            if not child.start_again_at:
                if now - child.started_at > WELL_AFTER_SECONDS:
                    child.pause = 1.0
                child.start_again_at = now + child.pause
                self._say(str(self._ended(child)))
                child.pause = min(2 * child.pause, LONGEST_PAUSE_SECONDS)
                # Whatever it left behind would hold its port or its place.
                child.signal(signal.SIGKILL)
            elif now >= child.start_again_at:
                child.start(self._log(child))

    def _look_at_parent(self) -> None:
        # Under make, an ended make means that we are to end too, even if it was killed and could not tell us.
        if "MAKELEVEL" in os.environ and os.getppid() != self._parent:
            self._stopping = True

    def _ended(self, child: Child) -> Says:
        return says(
            "The process {name} has ended (status {status}). It starts again in {seconds} s. See {file}.",
            name=child.name,
            status=child.process.returncode if child.process else None,
            seconds=int(child.pause),
            file=str(self._log(child)),
        )

    def _end(self, children: Sequence[Child]) -> None:
        for child in children:
            child.signal(signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        while self._patient and time.monotonic() < end and any(child.runs for child in children):
            time.sleep(LOOK_SECONDS)
        for child in children:
            child.signal(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _reason(log: Path) -> str:
    """What a process said last that explains its end: its last error, else its last line."""
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Misconfigured|Unavailable|Exception): ", line)]
    said = (errors or lines or ["it said nothing"])[-1]
    return said.removeprefix("crm.errors.").rstrip(".")
