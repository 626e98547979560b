"""`run`: the whole product under one roof, for a laptop or one machine of a school."""

import fcntl
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import IO, Annotated

import typer

from crm.cli.answer import Json
from crm.cli.database import bring_to_head
from crm.cli.first_people import settle, told
from crm.cli.supervisor import Child, Supervisor
from crm.errors import Unavailable
from crm.i18n import _, says
from crm.settings import as_port, settings
from crm.store import embedded_redis


def add_to(app: typer.Typer) -> None:
    """Declare the command."""
    about = _("Run app, jobs and Redis together until Ctrl-C; what make run calls.")
    app.command("run", help=about, short_help=about)(run)


def run(
    port: Annotated[
        str | None,
        typer.Option(metavar="N", help=_("Where the app listens; else PORT, else 8501."), show_default=False),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo/--no-demo", help=_("Fill an empty database with a demo school, or leave it empty."))
    ] = True,
    as_json: Json = False,
) -> int:
    """Migrate, fill an empty database, start everything, print the address, and end everything together."""
    number = as_port(port) if port else settings().port
    var, address = settings().var, f"http://localhost:{number}"
    say = partial(typer.echo, err=as_json)
    with closing(_take(var, number)) as lock:
        _require_free(number)
        bring_to_head()
        people = settle(demo=demo, say=say)
        _write(lock, address)
        said = [_("Thanos CRM is at {address}", address=address), *told(people)]
        said.append(_("Ctrl-C ends it. What the processes say is in {folder}.", folder=str(var / "log")))
        if as_json:
            said = [json.dumps({"address": address, "accounts": [one._asdict() for one in people.sign_ins]})]
        with closing(_Redis(settings().redis_url, var, say)) as redis:
            environment = {
                **os.environ,
                "PORT": str(number),
                "REDIS_URL": redis.url,
                # Demo passwords are known to everybody, so changing them is not forced where they are meant.
                "THANOS_DEMO": "1" if people.demo else "0",
                "PYTHONUNBUFFERED": "1",
            }
            children = [
                Child("app", [sys.executable, "-m", "crm.ui.web"], environment),
                Child("jobs", [sys.executable, "-m", "jobs"], environment, if_orphaned=signal.SIGTERM),
            ]
            ready = partial(_print, said)
            return Supervisor(var / "log", say).run(children, number, ready, redis.look)


def _print(lines: Sequence[str]) -> None:
    for line in lines:
        typer.echo(line)


class _Redis:
    """The Redis to use: the one that was set, else an embedded one, started again should it die, else none."""

    def __init__(self, url: str, var: Path, say: Callable[[str], object]) -> None:
        self._var, self._say = var, say
        self._embedded = None if url else embedded_redis.start(var)
        self.url = url or (self._embedded.url if self._embedded else "")
        if not self.url:
            say(_("No Redis here: the database shares customers out alone, which is slower and as fair."))

    def look(self) -> None:
        """Start the embedded one again if it died."""
        if self._embedded is None or self._embedded.pid is None:
            return
        # WNOWAIT: whether it ended is only asked; its owner reaps it in `stop`.
        if os.waitid(os.P_PID, self._embedded.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            self._say(_("Redis has ended. It starts again; meanwhile the database shares customers out alone."))
            self._embedded.stop()
            self._embedded = embedded_redis.start(self._var)

    def close(self) -> None:
        """End the embedded one."""
        if self._embedded is not None:
            self._embedded.stop()


def _take(var: Path, port: int) -> IO[str]:
    """The lock of the var folder, which two of us must not share. Raises `Unavailable`."""
    try:
        # For its owner only: it holds customers.
        var.mkdir(mode=0o700, parents=True, exist_ok=True)
        (var / "log").mkdir(exist_ok=True)
        lock = (var / "run.lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise Unavailable(
            says(
                "The folder {folder} cannot be written: {why}. Correct its rights, free some space, "
                "or name another one in THANOS_VAR.",
                folder=str(var),
                why=error.strerror or str(error),
            )
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        where = lock.read().strip()
        lock.close()
        raise Unavailable(
            says(
                "Thanos CRM is already running on {folder} ({where}). Stop it first, or give this one "
                "a folder of its own in THANOS_VAR.",
                folder=str(var),
                where=where or f"port {port}",
            )
        ) from None
    return lock


def _write(lock: IO[str], address: str) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(f"{address}, process {os.getpid()}")
    lock.flush()


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        # As the server itself will do: a port that was closed a moment ago counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Unavailable(
                says(
                    "Port {port} is taken ({why}). Stop what uses it, or choose another: make run PORT={other}",
                    port=str(port),
                    why=error.strerror or str(error),
                    other=str(port + 1 if port < 65535 else 8501),
                )
            ) from None
