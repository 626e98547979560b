"""The spreadsheets that importing gives out: the template to fill in, and the report of what was wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import IO

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.school import Course
from crm.errors import Unavailable
from crm.i18n import Language, language, says
from crm.rbac import Actor
from crm.services.imports.import_checked import RUN, VIEW, Checked
from crm.xlsx import report, template

File = Path | IO[bytes]


def write_template(session: Session, actor: Actor, file: File, lang: Language | None = None) -> None:
    """Writes the template with the school's courses, in `lang` or the reader's language.

    Raises `Unavailable` if the file cannot be written.
    """
    actor.require(VIEW)
    asked = select(col(Course.name)).where(col(Course.active)).order_by(col(Course.name))
    courses = list(session.scalars(asked))
    _written(file, lambda: template.template(file, lang or language(), courses))


def write_report(actor: Actor, checked: Checked, file: File, lang: Language | None = None) -> None:
    """Writes the wrong rows of a sheet, each with what is wrong, to be corrected and imported again.

    Raises `NotAllowed`, `Unavailable` if the file cannot be written.
    """
    actor.require(RUN)
    _written(file, lambda: report.report(file, checked.layout, checked.wrong, lang or language()))


def _written(file: File, write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        if isinstance(file, Path) and not file.parent.is_dir():
            folder = str(file.parent.absolute())
            raise Unavailable(
                says("There is no folder {folder}. Make it, or name another file.", folder=folder)
            ) from None
        why = error.strerror or str(error)
        raise Unavailable(says("{file} cannot be written: {why}.", file=str(file), why=why)) from None
