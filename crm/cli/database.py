"""The database: its schema, a demo school in it, its health, its backup."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlmodel import select

from crm.cli.answer import Answer, command
from crm.i18n import Says, _, says, says_n

DEMO_CUSTOMERS = 3_000
DEMO_SEED = 2026


def add_to(app: typer.Typer) -> None:
    """Declare these commands."""
    command(app, "migrate", _("Bring the database to the newest schema and give an empty one its roles."))(migrate)
    command(app, "demo", _("Fill an empty database with a believable school and print its sign-ins."))(demo)
    command(app, "doctor", _("Check every rule against the database, and Redis against the database."))(doctor)
    command(app, "backup", _("Write the whole database into one file, consistent while it is in use."))(backup)
    command(app, "restore", _("Bring back what a backup holds. It replaces everything in the database."))(restore)


def bring_to_head() -> tuple[str | None, str]:
    """Migrate, and install the default roles where there are none: the revision before (None: empty) and now."""
    from crm.services.access import roles
    from crm.settings import settings
    from crm.store.migrate import to_head
    from crm.store.session import writing

    migrated = to_head(settings().database)
    with writing() as session:
        roles.install(session, datetime.now(UTC))
    return migrated.before, migrated.after


def migrate() -> Answer:
    """The schema, and the roles that come with the product."""
    before, after = bring_to_head()
    line = (
        says("The database was at revision {after} already.", after=after)
        if before == after
        else says("The database is at revision {after} now.", after=after)
    )
    return Answer({"before": before, "after": after}, (line,))


def demo(
    customers: Annotated[
        int, typer.Option(min=0, help=_("How many customers; 0: people, roles and quotas only."))
    ] = DEMO_CUSTOMERS,
    seed: Annotated[int, typer.Option(help=_("The same seed makes the same school."))] = DEMO_SEED,
) -> Answer:
    """A school to look at."""
    from crm.services.demo import fill
    from crm.store.engine import engine

    bring_to_head()
    accounts = fill(engine(), customers, seed, datetime.now(UTC))
    listed = [{"name": one.name, "password": one.password, "role": one.role} for one in accounts]
    lines = [f"{one['role']:<16} {one['name']:<16} {one['password']}" for one in listed]
    return Answer({"accounts": listed}, tuple(lines))


def doctor() -> Answer:
    """What is broken, with exit status 1; or that nothing is."""
    from crm.services import doctor as services
    from crm.store.engine import engine
    from crm.store.migrate import require_head
    from crm.store.session import reading

    require_head(engine())
    now = datetime.now(UTC)
    with reading() as session:
        broken = services.check(session, now)
        notes = services.notes(session, now)
    data: dict[str, Any] = {
        "healthy": not broken,
        "broken": [str(one) for one in broken],
        "notes": [str(one) for one in notes],
    }
    if not broken:
        return Answer(data, (says("Everything is as it should be."), *notes))
    count = says_n("{count} thing is broken:", "{count} things are broken:", count=len(broken))
    return Answer(data, (count, *broken), status=1)


def backup(file: Annotated[Path, typer.Argument(help=_("The file to write; it must not exist yet."))]) -> Answer:
    """One file with everything."""
    from crm.services.backup import backup as write
    from crm.settings import settings

    held = write(settings().database, file)
    lines = [says("The backup is in {file}.", file=str(file)), *_of_files(held.files)]
    if held.gone:
        lines.append(
            says_n(
                "{count} file that a student handed in is not in the folder homework any more, so it is not in it.",
                "{count} files that students handed in are not in the folder homework any more, so they are not in it.",
                count=held.gone,
            )
        )
    data = {"file": str(file), "bytes": file.stat().st_size, "files": held.files, "gone": held.gone}
    return Answer(data, tuple(lines))


def _of_files(count: int) -> list[Says]:
    if not count:
        return []
    return [
        says_n(
            "It holds {count} file that a student handed in.",
            "It holds {count} files that students handed in.",
            count=count,
        )
    ]


def restore(
    file: Annotated[Path, typer.Argument(help=_("A file that backup wrote."))],
    replace: Annotated[
        bool, typer.Option("--replace", help=_("Do not back up first what is there now, for a broken database."))
    ] = False,
) -> Answer:
    """Everything as it was at the backup. What was there before is backed up first, so nothing is lost by mistake."""
    from crm.services.backup import backup as write
    from crm.services.backup import check
    from crm.services.backup import restore as read
    from crm.settings import settings
    from crm.store.engine import engine

    url = settings().database
    kept: Path | None = None
    check(file)
    if not replace:
        bring_to_head()
        if has_accounts():
            kept = settings().var / f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.backup"
            kept.parent.mkdir(parents=True, exist_ok=True)
            write(url, kept)
        engine().dispose()
    files = read(url, file, replace=True)
    lines = [says("The database is as it was in {file}.", file=str(file)), *_of_files(files)]
    if kept:
        lines.append(says("What was there before is kept in {file}.", file=str(kept)))
    return Answer({"file": str(file), "kept": str(kept) if kept else None, "files": files}, tuple(lines))


def has_accounts() -> bool:
    """Whether anybody could sign in, as nobody can in a new database."""
    from crm.domain.accounts import Account
    from crm.store.session import reading

    with reading() as session:
        return session.exec(select(Account.id).limit(1)).first() is not None
