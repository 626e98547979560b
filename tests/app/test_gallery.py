"""The gallery of tables: for administrators, in a demo school or where it is asked for, on rows of its own."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from crm.domain.customers import Customer
from crm.gallery.data import planted
from crm.gallery.model import Garden, Plant
from crm.gallery.table import PLANTS
from crm.store.metadata import metadata
from crm.store.session import reading
from tests.app.people import page_as
from tests.builders import NOON


@pytest.fixture
def switched_on(use_settings: Callable[[str], None]) -> None:
    use_settings("[server]\ngallery = true")


def test_an_administrator_sees_every_feature_and_its_declaration(engine: Engine, switched_on: None) -> None:
    at = page_as("administrator", "gallery").run()

    assert not at.exception
    assert [title.value for title in at.title] == ["Gallery of tables"]
    drawn = at.dataframe[0].value
    assert list(drawn["label"][:2]) == ["https://plants.example/P0001#P0001", "https://plants.example/P0002#P0002"]
    assert drawn["_lock"].notna().any() and "greenhouse_code.degrees" not in drawn
    assert "site.register(" in at.code[0].value


# What large tables want, and those that stand beside another or are known by other names than ours.
ELSEWHERE = {
    "cap",
    "called",
    "day",
    "detail",
    "index",
    "key",
    "many",
    "on_record",
    "prefix",
    "site",
    "sorts",
    "version",
    "view",
}


def test_every_option_of_a_declaration_is_at_work() -> None:
    seen: dict[type, set[str]] = {}
    _look(PLANTS, seen)

    missing = {kind.__name__: {one.name for one in fields(kind)} - found - ELSEWHERE for kind, found in seen.items()}

    assert {kind: names for kind, names in missing.items() if names} == {
        **{key: {"field"} for key in ("AnyOf", "DateRange", "NumberRange")},
        "Form": {"done", "one_of"},
        "EditForm": {"one_of"},
    }


def _look(declared: Any, seen: dict[type, set[str]]) -> None:
    """Every option that has another value than its default, by the class that has it."""
    if isinstance(declared, tuple):
        for one in declared:
            _look(one, seen)
    elif is_dataclass(declared) and not isinstance(declared, type) and type(declared).__module__.startswith("crm.g"):
        found = seen.setdefault(type(declared), set())
        for option in fields(declared):
            value = getattr(declared, option.name)
            plain = isinstance(value, str | int | tuple) and value == option.default
            if option.name != "site" and value is not option.default and not plain:
                found.add(option.name)
                _look(value, seen)


def test_what_is_done_there_stays_there(engine: Engine, switched_on: None) -> None:
    at = page_as("administrator", "gallery").run()
    at.button(key="gallery:tick").click().run()
    at.button(key="gallery:act:delete").click().run()

    assert "Throw 20 plants away? They lie on the heap for 30 days." in [text.value for text in at.markdown]
    assert not Garden.metadata.tables.keys() & metadata.tables.keys()
    with reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(Customer)) == 0


def test_nobody_else_may_open_it(engine: Engine, switched_on: None) -> None:
    at = page_as("sales_manager", "gallery").run()

    assert not at.dataframe
    assert [warning.value[:13] for warning in at.warning] == ["You may not o"]


def test_a_real_school_has_none_unless_it_is_switched_on(engine: Engine) -> None:
    at = page_as("administrator", "gallery").run()

    assert not at.dataframe
    assert "server.gallery" in at.info[0].value


def test_the_same_plants_grow_in_every_garden() -> None:
    first, second = planted(NOON, 10), planted(NOON, 10)

    def names(garden: Engine) -> list[str]:
        with reading(garden) as session:
            return list(session.scalars(select(Plant.name).order_by(Plant.id)))

    assert names(first) == names(second)
    for garden in (first, second):
        garden.dispose()
