"""The documentation of the command line says what the command line has, no more and no less."""

import re
from collections.abc import Iterator
from typing import Any

import typer.main

from crm.cli.app import app
from crm.settings import ROOT

TEXT = (ROOT / "docs" / "command-line.md").read_text("utf-8")


def _commands(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in getattr(command, "commands", {}).items():
        if getattr(inner, "commands", None):
            yield from _commands(inner, f"{path}{name} ")
        else:
            yield f"{path}{name}", inner


COMMANDS = dict(_commands(typer.main.get_command(app)))
SECTIONS = {
    re.sub(r" [A-Z][A-Z.a-z]*$", "", head): body
    for head, body in re.findall(r"^### `python -m crm ([^`\n]*)`\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL)
}


def test_every_command_is_documented_and_nothing_else() -> None:
    assert set(SECTIONS) == set(COMMANDS)


def test_every_option_is_documented_and_nothing_else() -> None:
    for name, command in COMMANDS.items():
        options = {
            each for param in command.params for each in (*param.opts, *param.secondary_opts) if each[:2] == "--"
        }

        documented = set(re.findall(r"^\| .*?(?=\| )", SECTIONS[name], re.MULTILINE))

        written = {option for cell in documented for option in re.findall(r"--[a-z-]+", cell)} - {"---"}
        assert written == options - {"--json", "--help"}, name


def test_every_command_has_json_and_says_what_is_in_it() -> None:
    for name, command in COMMANDS.items():
        assert any("--json" in param.opts for param in command.params), name
        assert "JSON: `" in SECTIONS[name], name


def test_every_command_and_option_explains_itself() -> None:
    for name, command in COMMANDS.items():
        assert command.help, name
        for param in command.params:
            assert param.help, f"{name} {param.name}"
