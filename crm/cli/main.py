"""One run of the command line: the reader's language, the command, and every error as one line.

Nothing but a line ever reaches the terminal: what nobody foresaw goes to `var/log/errors.log` with all details.
"""

import json
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

from sqlalchemy.exc import DatabaseError, OperationalError

from crm.errors import ThanosError
from crm.i18n import LANGUAGES, Says, _, as_language, says, set_reader
from crm.settings import settings


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status: 0, 1 with one line on standard error, 130 for Ctrl-C."""
    _show_whatever_comes()
    asked, arguments = _asked(arguments)
    language = as_language(asked if asked in LANGUAGES else _of_terminal(dict(os.environ)))
    set_reader(language)
    if asked is not None and asked not in LANGUAGES:
        return _failed(str(no_language(asked)), arguments)
    with suppress(ThanosError):
        # A wrong settings file is for the command to report; `--help` works without.
        set_reader(language, settings().zone)
    # Only now: the texts of `--help` are rendered where the commands are declared.
    import typer

    from crm.cli.app import app

    try:
        status = app(args=list(arguments) or ["--help"], prog_name="python -m crm", standalone_mode=False)
        sys.stdout.flush()
    except ThanosError as error:
        return _failed(str(error), arguments)
    except typer.TyperException as error:
        return _failed(_usage(error), arguments)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        # Whoever read the output has gone, which is their right.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if isinstance(error, OperationalError) or type(error) is DatabaseError:
            why = _first_line(error)
            return _failed(_("The database cannot be used: {why}. Check DATABASE_URL.", why=why), arguments)
        if isinstance(error, OSError) and error.filename:
            why = error.strerror or type(error).__name__
            return _failed(_("{file} cannot be used: {why}.", file=str(error.filename), why=why), arguments)
        return _failed(_unforeseen(error), arguments)
    return status if isinstance(status, int) else 0


def _show_whatever_comes() -> None:
    """A sign that the terminal cannot show is shown by its number; work that was done must not end as an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _asked(arguments: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """The language that `--lang` before the command asks for, and what stands behind it."""
    if len(arguments) > 1 and arguments[0] == "--lang":
        return arguments[1], arguments[2:]
    if arguments and arguments[0].startswith("--lang="):
        return arguments[0].partition("=")[2], arguments[1:]
    return None, arguments


def _of_terminal(environment: dict[str, str]) -> str | None:
    return environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG")


def no_language(given: str) -> Says:
    """That the program does not speak it, and what it speaks."""
    return says("--lang is {given}. Use zh or en.", given=given)


def _failed(line: str, arguments: Sequence[str]) -> int:
    line = " ".join(line.split())
    sys.stderr.write(line + "\n")
    if "--json" in arguments:
        sys.stdout.write(json.dumps({"error": line}, ensure_ascii=False) + "\n")
    return 1


def _first_line(error: DatabaseError) -> str:
    return str(error.orig).strip().splitlines()[0].rstrip(".")


def _usage(error: Exception) -> str:
    message = getattr(error, "format_message", lambda: str(error))()
    return _("{problem}. See: python -m crm --help", problem=message.strip().rstrip("."))


def _unforeseen(error: Exception) -> str:
    kind = f"{type(error).__name__}: {error}"
    try:
        log = _log_folder() / "errors.log"
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat()} {sys.argv[1:2]}\n{traceback.format_exc()}\n")
    except (OSError, ThanosError):
        return _("Something unforeseen happened ({kind}).", kind=kind)
    return _("Something unforeseen happened ({kind}). The details are in {file}.", kind=kind, file=str(log))


def _log_folder() -> Path:
    folder = settings().var / "log"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
