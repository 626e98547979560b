"""Customers: sheets in, sharing out, expiry."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session, col, select

from crm.cli.answer import Answer, command
from crm.domain.staff import Employee
from crm.errors import Invalid
from crm.i18n import _, language, local_time, says


def add_to(app: typer.Typer) -> None:
    """Declare these commands."""
    command(app, "template", _("Write the import template."))(template)
    command(app, "import", _("Import customers from a sheet and share them out."))(import_)
    command(app, "undo-import", _("Take an import back where its customers are untouched."))(undo_import)
    command(app, "assign", _("Share out everyone who waits."))(assign)
    command(app, "expire", _("Apply the nightly rule: what lapsed goes to the public pool."))(expire)


def template(
    file: Annotated[Path, typer.Argument(help=_("The file to write, such as customers.xlsx."))],
    lang: Annotated[str, typer.Option(help=_("The language of its headers and lists: en or zh."))] = language(),
) -> Answer:
    """A sheet to fill in."""
    raise NotImplementedError


def import_(
    file: Annotated[Path, typer.Argument(help=_("The sheet, such as customers.xlsx."))],
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Only say what would happen."))] = False,
    report: Annotated[
        Path | None, typer.Option(help=_("Write the wrong rows there, each with what is wrong."), show_default=False)
    ] = None,
) -> Answer:
    """Good rows go in, wrong ones and known ones are told."""
    raise NotImplementedError


def undo_import(batch: Annotated[int, typer.Argument(help=_("The batch's number, as import told it."))]) -> Answer:
    """An import that should not have been."""
    raise NotImplementedError


def assign() -> Answer:
    """Everyone who waits, oldest first."""
    from crm.services import assignment
    from crm.services.permissions import SYSTEM
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
    from crm.services import expiry
    from crm.services.permissions import SYSTEM
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
    except ValueError:
        raise Invalid(
            says("--at {text} is not a moment. Write it like 2025-03-03T02:00 or 2025-03-02T18:00Z.", text=text)
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=settings().zone)
