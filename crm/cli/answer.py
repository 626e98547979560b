"""What a command answers: lines for a person, and the same as one JSON object for a program."""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Annotated, Any

import typer

from crm.i18n import Says, _

Json = Annotated[bool, typer.Option("--json", help=_("Print one JSON object instead of text."))]


@dataclass(frozen=True, slots=True)
class Answer:
    """`data` is the JSON object, `lines` the text, `status` the exit status."""

    data: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[str | Says, ...] = ()
    status: int = 0


def command(app: typer.Typer, name: str, about: str) -> Callable[[Callable[..., Answer]], Callable[..., int]]:
    """Declare a command that answers: it gets its `--json` and its exit status here."""

    def declare(body: Callable[..., Answer]) -> Callable[..., int]:
        @wraps(body)
        def run(*, as_json: bool, **arguments: Any) -> int:
            answer = body(**arguments)
            if as_json:
                typer.echo(json.dumps(answer.data, ensure_ascii=False))
            else:
                for line in answer.lines:
                    typer.echo(str(line))
            return answer.status

        asked = inspect.signature(body)
        option = inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json)
        run.__signature__ = asked.replace(  # type: ignore[attr-defined]
            parameters=[*asked.parameters.values(), option], return_annotation=int
        )
        run.__annotations__ = {**body.__annotations__, "as_json": Json, "return": int}
        declared: Callable[..., int] = app.command(name, help=about, short_help=about)(run)
        return declared

    return declare


def group(about: str) -> typer.Typer:
    """A set of commands that only speaks when it is asked, in plain text."""
    return typer.Typer(
        help=about,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
