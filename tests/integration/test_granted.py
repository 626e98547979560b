"""Every role x page x action x relation to the row, by service call: what is not granted does not answer.

Generated from the declarations. A table, a column to edit, an action, a form or a permission that is declared is gone
through by itself; a permission that nothing here can try fails `test_every_permission_is_tried`.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlmodel import Session

from crm.domain.customers import Customer
from crm.errors import NotAllowed, NotFound, ThanosError, hearing_denials
from crm.grid.export import chunks, exporter
from crm.grid.query import read_page
from crm.grid.seeing import visible
from crm.grid.view import View
from crm.rbac import Actor, Grants, Reach, narrowed
from crm.services import saved_views, shown_columns
from crm.services.access import own_account
from crm.services.access.permissions import PAGES
from crm.store.engine import make_engine
from crm.store.session import writing
from tests.granted import MISSING, NOW, ROLES, SENT, a_world, covered, mark
from tests.tried import Try, everything, tables
from tests.unit.test_architecture import UNUSED_PERMISSIONS

ZONE = ZoneInfo("Asia/Shanghai")

WHOLE = ("everything all",)
EACH = tuple(f"everything {reach.name.lower()}" for reach in Reach)
NAMES = re.compile(r"zqaccount\w+|nobody-at-all")

# What is refused with a reason, because the rule says so: who held a customer last reads why they cannot claim it.
TOLD = {("claim", "released"), ("pool: claim", "released")}


@pytest.fixture(scope="module")
def world(tmp_path_factory, sqlite_template):
    """One world for all of it, in a transaction that is never kept."""
    path = tmp_path_factory.mktemp("granted") / "world.db"
    shutil.copyfile(sqlite_template, path)
    engine = make_engine(f"sqlite:///{path}")
    with writing(engine) as session:
        made = a_world(session)
        yield session, made
        session.rollback()
    engine.dispose()


class _Undone(Exception):
    """Takes back what was tried."""


@contextmanager
def undone(session: Session) -> Iterator[None]:
    try:
        with session.begin_nested():
            yield
            raise _Undone
    except _Undone:
        pass
    finally:
        session.expire_all()


def outcome(session: Session, one: Try, actor: Actor, key: Any) -> tuple[bool, str, int]:
    """Whether it was denied, what was said, and how many rows were written."""
    with undone(session), hearing_denials() as denials:
        session.flush()
        before = session.scalar(text("SELECT total_changes()"))
        try:
            said = one.run(session, actor, key)
        except (NotAllowed, NotFound) as refused:
            said = refused
        except (ThanosError, LookupError, AttributeError, TypeError) as refused:
            # It got beyond the gate, and was told what was wrong with what it brought.
            said = refused
            denials.clear()
        session.flush()
        written = session.scalar(text("SELECT total_changes()")) - before
        told = str(next(iter(said.values())) if isinstance(said, dict) and said else said)
        return bool(denials), told, written


def test_every_permission_is_tried(world):
    session, _made = world
    tried = {one.needs for one in everything(session)}
    tried |= {needs for config in tables() for needs in (config.permission, config.export)}

    assert set(PAGES.permissions) - tried - UNUSED_PERMISSIONS == set()


def test_every_model_that_a_table_shows_has_rows_of_every_kind(world):
    _session, made = world

    assert {config.name for config in tables() if config.model not in made.rows} == set()


@pytest.mark.parametrize("role", ROLES)
def test_a_list_shows_counts_and_finds_what_is_granted_and_nothing_else(world, role):
    session, made = world
    actor = made.actor(ROLES[role])
    wrong = []
    for config in tables():
        keys = made.rows[config.model]
        seen = {keys[one] for one in covered(config, actor.reach(config.permission)) if one in keys}
        if not actor.may(config.permission):
            with pytest.raises(NotAllowed):
                config.rows(session, actor)
            continue
        page = read_page(config, session, actor, View(sort=config.order, size=200), ZONE)
        if {getattr(row, config.key) for row in page.rows} & set(keys.values()) != seen or page.total < len(seen):
            wrong.append((config.name, "lists", [getattr(row, config.key) for row in page.rows], seen))
        for relation in set(keys) if config.search else ():
            word = mark(config.model, relation.removesuffix(SENT))
            found = read_page(config, session, actor, View(search=word, sort=config.order, size=200), ZONE)
            hits = {getattr(row, config.key) for row in found.rows} & set(keys.values())
            if hits != {keys[relation]} & seen or found.total != len(found.rows):
                wrong.append((config.name, "finds", relation, hits))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("role", ROLES)
def test_a_file_holds_what_may_be_both_seen_and_exported(world, role):
    session, made = world
    actor = made.actor(ROLES[role])
    for config in tables():
        may = bool(config.export) and actor.may(config.permission) and actor.may(config.export)
        if not may:
            if config.export:
                with pytest.raises(NotAllowed):
                    exporter(config, actor)
            continue
        reach = min(actor.grants[config.permission], actor.grants[config.export])
        view = View(sort=config.order, size=200)
        rows = chunks(config, session, exporter(config, actor), view, ZONE, NOW)
        cells = repr([row for some in rows for row in some])
        session.expire_all()
        marks = {one: mark(config.model, one.removesuffix(SENT)) for one in made.rows[config.model]}

        assert {one for one, word in marks.items() if f"'{word}'" in cells} == covered(config, reach) & marks.keys()
        narrow = replace(actor, grants={**actor.grants, config.export: Reach.OWN})
        assert exporter(config, narrow).reach(config.permission) is Reach.OWN


@pytest.mark.parametrize("role", ROLES)
def test_no_filter_offers_what_is_hidden(world, role):
    session, made = world
    actor = made.actor(ROLES[role])
    hidden = {mark(Customer, one) for one in made.rows[Customer]} - {
        mark(Customer, one)
        for config in tables()
        if config.model is Customer
        for one in covered(config, actor.reach(config.permission))
    }
    for config in tables():
        if not actor.may(config.permission):
            continue
        for one in config.filters:
            offered = getattr(one, "offered", None)
            labels = [] if offered is None else [str(label) for label in offered(session, actor, config.model).values()]
            assert not hidden & set(labels), (config.name, one.name)


@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_done_that_is_not_granted_and_no_error_tells_of_what_is_hidden(world, role):
    session, made = world
    actor = made.actor(ROLES[role])
    wrong = []
    for one in everything(session):
        keys = made.rows[one.table.model] if one.table is not None else {"": None}
        missing = outcome(session, one, actor, MISSING)[1] if one.table is not None else ""
        for relation, key in keys.items():
            denied, told, written = outcome(session, one, actor, key)
            if one.granted(actor, relation):
                # Nobody who may everything is denied for want of another permission. What is done to no row may be
                # for whoever looks after all.
                if denied and one.always and role in (WHOLE if one.table is None else EACH):
                    wrong.append((one.name, relation, "denied though granted", told))
            elif written:
                wrong.append((one.name, relation, "wrote though not granted", told))
            elif not denied and not one.permitted(actor):
                wrong.append((one.name, relation, "not denied", told))
            elif one.table and _bare(told, key) != _bare(missing, MISSING) and (one.name, relation) not in TOLD:
                wrong.append((one.name, relation, "tells of it", told, missing))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("page", PAGES.pages)
def test_no_action_is_done_by_what_else_the_page_permits(world, page):
    session, made = world
    whole = dict.fromkeys(PAGES.pages[page].permissions(), Reach.ALL)
    wrong = []
    for one in everything(session):
        if one.needs not in whole:
            continue
        actor = made.actor({name: reach for name, reach in whole.items() if name != one.needs})
        for relation, key in (made.rows[one.table.model] if one.table is not None else {"": None}).items():
            denied, told, written = outcome(session, one, actor, key)
            if not one.permitted(actor) and (not denied or written):
                wrong.append((one.name, relation, told, written))
    assert not wrong, "\n".join(map(str, wrong))


def eyes_of(made: Any, grants: Grants) -> Actor:
    """An administrator who looks through the eyes of a role with these grants."""
    looks, does = narrowed(PAGES.everything(), grants, PAGES.only_looks)
    return replace(made.actor(looks), shown=does, seeing_as="A role")


# What needs no permission of a page, or keeps something of one's own beside a table.
OWN_THINGS: tuple[Callable[[Session, Actor], Any], ...] = (
    lambda s, a: own_account.change_password(s, a, "x", "y", NOW),
    lambda s, a: own_account.sign_out_everywhere(s, a, NOW),
    lambda s, a: own_account.set_locale(s, a, "zh"),
    lambda s, a: saved_views.save(s, a, "customers", "customers.view", "Mine", ""),
    lambda s, a: shown_columns.keep(s, a, "customers", "customers.view", {"name": True}),
)


@pytest.mark.parametrize("role", ["administrator", "class_teacher", "finance", "student"])
def test_nothing_is_written_through_the_eyes_of_a_role(world, role):
    session, made = world
    eyes = eyes_of(made, ROLES[role])
    own = [Try(f"own {index}", "home.view", lambda s, a, _, do=do: do(s, a)) for index, do in enumerate(OWN_THINGS)]
    wrote = [
        (one.name, relation)
        for one in (*everything(session), *own)
        for relation, key in (made.rows[one.table.model] if one.table is not None else {"": None}).items()
        if outcome(session, one, eyes, key)[2]
    ]
    assert wrote == []


@pytest.mark.parametrize("role", ["administrator", "class_teacher", "finance", "student"])
def test_other_eyes_see_the_rows_and_columns_that_the_role_does(world, role):
    session, made = world
    actor, eyes = made.actor(ROLES[role]), eyes_of(made, ROLES[role])
    wrong = []
    for config in tables():
        seen: list[Any] = []
        for one in (actor, eyes):
            if not one.looking().may(config.permission):
                seen.append(None)
                continue
            page = read_page(config, session, one, View(sort=config.order, size=200), ZONE)
            keys = {getattr(row, config.key) for row in page.rows}
            seen.append((keys, [column.name for column in visible(config, one)]))
        if seen[0] != seen[1]:
            wrong.append((config.name, *seen))
    assert not wrong, "\n".join(map(str, wrong))


def _bare(told: str, key: Any) -> str:
    """The sentence without what the asker brought along."""
    return NAMES.sub("?", told.replace(str(key), "?"))
