"""`run`: the whole product under one roof, for a laptop or one machine of a school."""

import fcntl
import os
import signal
import socket
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import typer
from sqlmodel import col, select

from crm.cli.database import DEMO_CUSTOMERS, DEMO_SEED, bring_to_head, has_accounts
from crm.cli.supervisor import Child, Supervisor
from crm.errors import Unavailable
from crm.i18n import _, says
from crm.store import embedded_redis
from crm.store.engine import engine
from crm.store.session import reading, writing

FIRST_ADMINISTRATOR = "admin"


def add_to(app: typer.Typer) -> None:
    """Declare the command."""
    about = _("Run app, jobs and Redis together until Ctrl-C; what make run calls.")
    app.command("run", help=about, short_help=about)(run)


def run(
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help=_("Where the app listens; else PORT, else 8501."), show_default=False),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo/--no-demo", help=_("Fill an empty database with a demo school, or leave it empty."))
    ] = True,
) -> int:
    """Migrate, fill an empty database, start everything, print the address, and end everything together."""
    from crm.settings import settings

    port = port or settings().port
    with closing(_take(settings().var, port)) as lock:
        _require_free(port)
        bring_to_head()
        lines = _first_people(demo)
        sign_ins = _demo_sign_ins() if demo else {}
        _write(lock, port)
        with closing(_Redis(settings().redis_url, settings().var)) as redis:
            environment = {
                **os.environ,
                "PORT": str(port),
                "REDIS_URL": redis.url,
                # Demo passwords are known to everybody, so changing them is not forced where they are meant.
                "THANOS_DEMO": "1" if sign_ins else "0",
                "PYTHONUNBUFFERED": "1",
            }
            python = [sys.executable, "-m"]
            children = [
                Child("app", [*python, "crm.ui.web"], environment),
                Child("jobs", [*python, "jobs"], environment, if_orphaned=signal.SIGTERM),
            ]
            said = [_("Thanos CRM is at http://localhost:{port}", port=str(port)), *lines, *_told(sign_ins)]
            said.append(_("Ctrl-C ends it. What the processes say is in {folder}.", folder=str(settings().var / "log")))
            return Supervisor(settings().var / "log", typer.echo).run(children, port, said, redis.look)


class _Redis:
    """The Redis to use: the one that was set, else an embedded one, started again should it die, else none."""

    def __init__(self, url: str, var: Path) -> None:
        self._var = var
        self._embedded = None if url else embedded_redis.start(var)
        self.url = url or (self._embedded.url if self._embedded else "")
        if not self.url:
            typer.echo(_("No Redis here: the database shares customers out alone, which is slower and as fair."))

    def look(self) -> None:
        """Start the embedded one again if it died."""
        if self._embedded is None or self._embedded.pid is None:
            return
        # WNOWAIT: whether it ended is only asked; its owner reaps it in `stop`.
        if os.waitid(os.P_PID, self._embedded.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            typer.echo(_("Redis has ended. It starts again; meanwhile the database shares customers out alone."))
            self._embedded.stop()
            self._embedded = embedded_redis.start(self._var)

    def close(self) -> None:
        """End the embedded one."""
        if self._embedded is not None:
            self._embedded.stop()


def _take(var: Path, port: int) -> IO[str]:
    """The lock of the var folder, which two of us must not share. Raises `Unavailable`."""
    try:
        (var / "log").mkdir(parents=True, exist_ok=True)
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


def _write(lock: IO[str], port: int) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(f"http://localhost:{port}, process {os.getpid()}")
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


def _first_people(demo: bool) -> list[str]:
    """Put somebody into an empty database who can sign in: a demo school, or a first administrator."""
    from crm.services import accounts
    from crm.services.demo import fill
    from crm.services.permissions import SYSTEM

    if has_accounts():
        return []
    now = datetime.now(UTC)
    if demo:
        typer.echo(_("Filling the database with a demo school of {count} customers ...", count=DEMO_CUSTOMERS))
        fill(engine(), DEMO_CUSTOMERS, DEMO_SEED, now)
        return []
    with writing() as session:
        password = accounts.create(session, SYSTEM, FIRST_ADMINISTRATOR, "administrator", None, "", None, now)
    return [
        _(
            "The first administrator signs in as {name} with the password {password}, which is shown only now.",
            name=FIRST_ADMINISTRATOR,
            password=password,
        )
    ]


def _demo_sign_ins() -> dict[str, list[str]]:
    """The demo sign-ins that still work with the demo password: names by role."""
    from crm.domain.accounts import Account
    from crm.services.demo.people import PASSWORD, STAFF
    from crm.services.passwords import matches

    with reading() as session:
        found = session.exec(
            select(Account.name, Account.password_hash).where(
                col(Account.active), col(Account.name).in_([one.login for one in STAFF])
            )
        ).all()
    # One check a hash, not one a person: bcrypt is slow by intent, and the demo has one hash for all.
    demo = {stored for stored in {stored for _name, stored in found} if matches(PASSWORD, stored)}
    names = {name for name, stored in found if stored in demo}
    by_role: dict[str, list[str]] = {}
    for one in STAFF:
        if one.login in names:
            by_role.setdefault(one.role, []).append(one.login)
    return by_role


def _told(sign_ins: dict[str, list[str]]) -> list[str]:
    from crm.services.demo.people import PASSWORD
    from crm.services.permissions import DEFAULT_ROLES

    if not sign_ins:
        return []
    titles = {role.name: str(role.title) for role in DEFAULT_ROLES}
    lines = [f"  {titles[role]}: {', '.join(names)}" for role, names in sign_ins.items()]
    return [_("Demo sign-ins, all with the password {password}", password=PASSWORD), *lines]
