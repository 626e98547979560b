"""Customers: sheets in, sharing out, expiry."""

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from sqlmodel import Session, col, select

from crm.cli.answer import Answer, command
from crm.cli.main import no_language
from crm.domain.staff import Employee
from crm.errors import Invalid
from crm.i18n import LANGUAGES, Says, _, as_language, language, local_time, says

if TYPE_CHECKING:
    from crm.services.imports import Checked, ImportResult

SHOWN_ERRORS = 20
# The largest number that PostgreSQL gives a row.
LARGEST = 2**31 - 1


class Progress:
    """How far a long command is, on one line of a terminal that a person watches; nothing in a file or a pipe."""

    def __init__(self) -> None:
        self._watched = sys.stderr.isatty()

    def __call__(self, part: float, what: Says) -> None:
        """`part` of the work (0 to 1) is done, now `what`."""
        if self._watched:
            sys.stderr.write(f"\r\x1b[K{what} {part:.0%}")
            sys.stderr.flush()

    def end(self) -> None:
        """Clear the line."""
        if self._watched:
            sys.stderr.write("\r\x1b[K")


def add_to(app: typer.Typer) -> None:
    """Declare these commands."""
    command(app, "template", _("Write the import template."))(template)
    command(app, "import", _("Import customers from a sheet and share them out."))(import_)
    command(app, "undo-import", _("Take an import back where its customers are untouched."))(undo_import)
    command(app, "assign", _("Share out everyone who waits."))(assign)
    command(app, "expire", _("Apply the nightly rule: what lapsed goes to the public pool."))(expire)


def template(
    file: Annotated[Path, typer.Argument(help=_("The file to write, such as customers.xlsx."))],
    lang: Annotated[
        str | None,
        typer.Option(help=_("The language of its headers and lists: zh or en; else that of the answers.")),
    ] = None,
) -> Answer:
    """A sheet to fill in."""
    from crm.services import imports
    from crm.services.access.permissions import SYSTEM
    from crm.store.session import reading

    if lang is not None and lang not in LANGUAGES:
        raise Invalid(no_language(lang))
    chosen = as_language(lang) if lang else language()
    with reading() as session:
        imports.write_template(session, SYSTEM, file, chosen)
    return Answer({"file": str(file), "lang": chosen}, (says("The template is in {file}.", file=str(file)),))


def import_(
    file: Annotated[Path, typer.Argument(help=_("The sheet, such as customers.xlsx."))],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=_("Only say what would happen: imported is how many would come in."))
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help=_("Write the wrong rows there, each with what is wrong."), show_default=False)
    ] = None,
) -> Answer:
    """Good rows go in, wrong ones and known ones are told."""
    from crm.services import imports
    from crm.services.access.permissions import SYSTEM
    from crm.store.session import reading, writing

    progress = Progress()
    with reading() as session:
        checked = imports.check_sheet(session, SYSTEM, file, file.name, datetime.now(UTC), progress)
    errors = [{"row": row, "column": column, "message": str(why)} for row, column, why in checked.errors()]
    if report is not None and errors:
        imports.write_report(SYSTEM, checked, report)
    done: imports.ImportResult | None = None
    if checked.numbers and not dry_run:
        with writing() as session:
            done = imports.run_import(session, SYSTEM, checked, datetime.now(UTC), progress)
    progress.end()
    return Answer(
        {
            "rows": checked.rows,
            "imported": done.imported if done else len(checked.numbers),
            "duplicates": done.duplicates if done else len(checked.duplicates),
            "errors": errors,
            "assigned": done.assigned if done else 0,
            "waiting": done.waiting if done else 0,
            "batch": done.batch if done else None,
        },
        tuple(_told(checked, done, report if errors else None)),
    )


def _told(checked: "Checked", done: "ImportResult | None", report: Path | None) -> Iterator[str | Says]:
    """What an import did, or would do, as lines for a person."""
    yield from checked.warnings
    yield says(
        "Rows {rows}: new {new}, known already {duplicates}, wrong {wrong}.",
        rows=checked.rows,
        new=len(checked.numbers),
        duplicates=len(checked.duplicates),
        wrong=len(checked.wrong),
    )
    for number, (row, column, why) in enumerate(checked.errors()):
        if number == SHOWN_ERRORS:
            yield says("... and more. --report FILE.xlsx has them all.")
            break
        yield says("Row {row}, {column}: {why}", row=str(row), column=column, why=why)
    if done:
        yield says(
            "Import {batch}: imported {imported}, assigned {assigned}, waiting {waiting}.",
            batch=str(done.batch),
            imported=done.imported,
            assigned=done.assigned,
            waiting=done.waiting,
        )
        yield from (f"  {part.name}: {part.count}" for part in done.parts)
        if done.waiting_reason:
            yield done.waiting_reason
    if report:
        yield says("The wrong rows are in {file}.", file=str(report))


def undo_import(
    batch: Annotated[int, typer.Argument(min=1, max=LARGEST, help=_("The batch's number, as import told it."))],
) -> Answer:
    """An import that should not have been."""
    from crm.services import imports
    from crm.services.access.permissions import SYSTEM
    from crm.store.session import writing

    with writing() as session:
        undone = imports.undo_import(session, SYSTEM, batch, datetime.now(UTC))
    kept = [{"customer": one.customer_id, "name": one.name, "message": str(one.says)} for one in undone.kept]
    return Answer(
        {"batch": undone.batch, "taken_back": undone.taken_back, "kept": kept},
        (
            says("Taken back {count}, kept {kept}.", count=undone.taken_back, kept=len(kept)),
            *(says("{name} stays: {why}", name=one.name, why=one.says) for one in undone.kept),
        ),
    )


def assign() -> Answer:
    """Everyone who waits, oldest first."""
    from crm.services.access.permissions import SYSTEM
    from crm.services.sharing import assignment
    from crm.store.session import writing

    with writing() as session:
        shared = assignment.assign_waiting(session, SYSTEM, datetime.now(UTC))
        names = employee_names(session, shared.by_consultant)
    return Answer(
        {"assigned": shared.assigned, "waiting": shared.waiting, "by_consultant": dict(shared.by_consultant)},
        (
            says("Assigned {assigned}, waiting {waiting}.", assigned=shared.assigned, waiting=shared.waiting),
            *(f"  {names[key]}: {count}" for key, count in shared.by_consultant.items()),
            *((shared.waiting_reason,) if shared.waiting_reason else ()),
        ),
    )


def employee_names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """The names of these employees, by id."""
    found = session.exec(select(Employee.id, Employee.name).where(col(Employee.id).in_(list(ids))))
    return {key: name for key, name in found if key is not None}


def expire(
    at: Annotated[
        str | None,
        typer.Option(
            help=_("As if it were that moment, such as 2025-03-03T02:00; the school's time zone."), show_default=False
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Only say what would happen."))] = False,
) -> Answer:
    """The 02:00 rule."""
    from crm.services.access.permissions import SYSTEM
    from crm.services.customers import expiry
    from crm.store.session import writing

    done = expiry.expire(writing, SYSTEM, now=_moment(at), dry_run=dry_run)
    return Answer(
        {
            "no_follow_up": done.no_follow_up,
            "no_deal": done.no_deal,
            "skipped": done.skipped,
            "run": local_time(done.run).isoformat(),
        },
        (
            says(
                "{run}: no follow-up {no_follow_up}, no deal {no_deal}, passed over {skipped}.",
                run=done.run,
                no_follow_up=done.no_follow_up,
                no_deal=done.no_deal,
                skipped=done.skipped,
            ),
            *(one.reason for one in done.kept),
        ),
    )


def _moment(text: str | None) -> datetime:
    """The moment that was named, on the school's clock unless it says otherwise; else now."""
    if text is None:
        return datetime.now(UTC)
    from crm.settings import settings

    try:
        moment = datetime.fromisoformat(text)
        if not 1970 <= moment.year < 9999:
            # The calendar ends soon before or after, and the rule looks some days around.
            raise ValueError(text)
    except ValueError:
        raise Invalid(
            says("--at {text} is not a moment. Write it like 2025-03-03T02:00 or 2025-03-02T18:00Z.", text=text)
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=settings().zone)
