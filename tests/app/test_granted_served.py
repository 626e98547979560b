"""Every role x page x relation to the row, by page and by URL, on the wire: what a browser is sent, and would not show.

One person signs in once; between two visits their roles are changed in the database, so that this also holds what is
promised of them: they count from the next click on.
"""

from collections.abc import Iterator
from functools import cache
from itertools import chain, zip_longest
from urllib.parse import urlencode

import pytest

from crm.domain.accounts import Account
from crm.grid import TableConfig
from crm.rbac import Grants
from crm.rbac import store as rbac
from crm.rbac.tables import Role
from crm.services.access.permissions import PAGES
from crm.store.session import writing
from crm.ui.shell import SCREENS
from tests.app.people import token_of
from tests.app.served import Served, served
from tests.granted import MISSING, OWN, ROLES, SENT, World, a_world, covered, mark
from tests.tried import tables

REFUSAL = "You may not open this page."
PARTS = {
    "deleted": "deleted",
    "employees": "people",
    "departments": "departments",
    "schools": "campuses",
    "outbox": "outbox",
    "apologies": "apologies",
    "study-records": "records",
    "deleted-days": "deleted",
}
"""The tables that are drawn in a part of their page which the address has to name."""


def roles() -> Iterator[tuple[str, Grants]]:
    """The roles that differ in what they may do."""
    seen: list[dict[str, int]] = []
    for name, grants in ROLES.items():
        if dict(grants) not in seen:
            seen.append(dict(grants))
            yield name, grants


@pytest.fixture
def here(sqlite_url) -> Iterator[tuple[Served, World, str]]:
    """The world, served; the person of whom it tells is signed in, and has one role of their own."""
    with writing() as session:
        world = a_world(session)
        me = session.get(Account, world.me.account_id)
        session.add(Role(name="mine", title="Mine"))
        session.flush()
        role = rbac.role_named(session, "mine")
        rbac.give_role(session, me.id, [role.id])
    token = token_of(me)
    with served() as ours:
        yield ours, world, f"thanos={token}"


def become(grants: Grants) -> None:
    """From the next click on, the person may do this."""
    with writing() as session:
        role = rbac.role_named(session, "mine")
        rbac.change_grants(session, role.id, dict.fromkeys(rbac.grants_of_role(session, role.id)))
        rbac.grant(session, role.id, grants)


def address(slug: str) -> str:
    """Where the page is: the front page at the address of the school itself."""
    return "" if slug == SCREENS[0].slug else slug


@cache
def on_page(slug: str) -> list[TableConfig]:
    """The tables that are on the page of that address, in whichever part of it."""
    return [config for config in tables() if config.permission.partition(".")[0] == slug]


def parts_of(slug: str, grants: Grants) -> list[str]:
    """The parts of the page to look at: the one it begins with, and those of tables that are open to these grants."""
    return ["", *(PARTS[one.name] for one in on_page(slug) if one.name in PARTS and one.permission in grants)]


def marks(world: World, slug: str, part: str, grants: Grants) -> tuple[set[str], set[str]]:
    """The marks of rows that may be shown there, and of those of the same kinds that may not.

    What a page begins with is held to all kinds that are anywhere on it.
    """
    mine, all_of_them = set(), set()
    for config in on_page(slug):
        if part and PARTS.get(config.name) != part:
            continue
        rows = world.rows[config.model]
        all_of_them |= {mark(config.model, one.removesuffix(SENT)) for one in rows}
        may = covered(config, grants.get(config.permission)) & set(rows)
        mine |= {mark(config.model, one.removesuffix(SENT)) for one in may}
    # One's own name is in the corner of every page.
    return mine, all_of_them - mine - {mark(Account, OWN)}


def addresses(world: World, slug: str, part: str, grants: Grants) -> Iterator[tuple[str, str]]:
    """Queries for hidden rows of the tables in that part of the page: by number, and to edit and search.

    Each with the same for a row that never was.
    """
    found = []
    tab = {"tab": part} if part else {}
    for config in [one for one in on_page(slug) if PARTS.get(one.name, "") == part]:
        rows = world.rows[config.model]
        hidden = sorted(set(rows) - covered(config, grants.get(config.permission)))
        # Where the page does not open, one address is as good as another.
        found.append([(config, one, rows[one]) for one in (hidden if config.permission in grants else hidden[:1])])
    for some in zip_longest(*found):
        asked = [(one[0].prefix, mark(one[0].model, one[1].removesuffix(SENT)), one[2]) for one in some if one]
        yield (
            urlencode({**tab, **{f"{prefix}open": key for prefix, _word, key in asked}}),
            urlencode({**tab, **{f"{prefix}open": MISSING for prefix, _word, _key in asked}}),
        )
        if any(one[0].edit or one[0].search for one in some if one):
            yield (
                urlencode(
                    tab
                    | {
                        name: value
                        for at, word, key in asked
                        for name, value in ((f"{at}edit", key), (f"{at}q", word[1:-1]))
                    }
                ),
                urlencode(
                    tab
                    | {
                        name: value
                        for at, _w, _k in asked
                        for name, value in ((f"{at}edit", MISSING), (f"{at}q", "never"))
                    }
                ),
            )


def test_pages_send_what_is_granted_and_nothing_else(here):
    ours, world, cookie = here
    wrong = []
    for role, grants in roles():
        become(grants)
        for screen in SCREENS:
            if screen.needs is None:
                continue
            for part in parts_of(screen.slug, grants):
                sent = ours.visit(address(screen.slug), cookie, f"tab={part}" if part else "")
                mine, hidden = marks(world, screen.slug, part, grants)
                if screen.needs not in grants and (REFUSAL not in sent or "arrow_data_frame" in sent):
                    wrong.append((role, screen.slug, part, "opens"))
                if screen.needs in grants and REFUSAL in sent:
                    wrong.append((role, screen.slug, part, "does not open"))
                if mine and not any(one in sent for one in mine):
                    wrong.append((role, screen.slug, part, "shows nothing of", mine))
                wrong += [(role, screen.slug, part, "sends", one) for one in hidden if one in sent]
    assert not wrong, "\n".join(map(str, wrong))


def test_no_address_leads_to_a_hidden_row_or_tells_it_from_none(here):
    ours, world, cookie = here
    wrong = []
    for role, grants in roles():
        become(grants)
        for screen in SCREENS:
            if grants and screen.needs not in grants:
                # What a closed page answers to addresses is tried with who has no right at all.
                continue
            _mine, hidden = marks(world, screen.slug, "", grants)
            never: dict[str, str] = {}
            # A part of its own is tried with the roles that have every action: the others see no more of it.
            parts = parts_of(screen.slug, grants) if role.startswith("everything") else [""]
            asked = (addresses(world, screen.slug, part, grants) for part in parts)
            for query, instead in chain.from_iterable(asked):
                sent = ours.visit(address(screen.slug), cookie, query)
                if instead not in never:
                    never[instead] = ours.visit(address(screen.slug), cookie, instead)
                wrong += [(role, screen.slug, query, "sends", one) for one in hidden if one in sent]
                if told(sent) != told(never[instead]):
                    wrong.append((role, screen.slug, query, "is told from one that never was"))
    assert not wrong, "\n".join(map(str, wrong))


def told(sent: str) -> list[str]:
    """The sentences of what was sent: errors, warnings and texts."""
    return sorted(line.strip() for line in sent.splitlines() if line.strip().startswith('body: "'))


def test_the_pages_gone_through_are_all_there_are():
    assert {screen.slug for screen in SCREENS if screen.needs} == set(PAGES.pages)
