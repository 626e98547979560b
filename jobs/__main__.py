"""`python -m jobs`: the loop. `python -m jobs list`: the schedule. `python -m jobs run NAME`: one job now."""

import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from crm.errors import ThanosError
from crm.i18n import as_language, set_reader
from crm.settings import settings


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0, or 1 with one line on standard error. The terminal's language is spoken."""
    language = as_language(os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG"))
    set_reader(language)
    with suppress(ThanosError):
        # A wrong settings file is for the command to report; `--help` works without.
        set_reader(language, settings().zone)
    # Only now: the texts of `--help` are rendered where the commands are declared.
    import typer

    from jobs.commands import app

    try:
        status = app(args=list(arguments), prog_name="python -m jobs", standalone_mode=False)
    except ThanosError as error:
        return _failed(str(error), arguments)
    except typer.TyperException as error:
        return _failed(error.format_message(), arguments)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    return status if isinstance(status, int) else 0


def _failed(line: str, arguments: Sequence[str]) -> int:
    line = " ".join(line.split())
    print(line, file=sys.stderr)
    if "--json" in arguments:
        print(json.dumps({"error": line}, ensure_ascii=False))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
