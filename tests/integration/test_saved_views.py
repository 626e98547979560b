"""Views under a name: one's own, and shared by who may; nobody reaches another's private one by its number."""

from collections.abc import Callable

import pytest
from sqlmodel import Session

from crm.errors import Conflict, Invalid, NotAllowed, NotFound, ThanosError
from crm.rbac import Actor, Reach
from crm.services import saved_views
from tests.builders import an_account

NEEDS, SHARING, TABLE = "customers.view", "customers.share_views", "customers"


def somebody(session: Session, name: str, *permissions: str) -> Actor:
    """A person who may open the table, and this besides."""
    account = an_account(session, name, display_name=name.title())
    return Actor(account_id=account.id, name=name, grants=dict.fromkeys((NEEDS, *permissions), Reach.OWN))


@pytest.fixture
def ann(session: Session) -> Actor:
    return somebody(session, "ann", SHARING)


@pytest.fixture
def ben(session: Session) -> Actor:
    return somebody(session, "ben")


def listed(session: Session, actor: Actor) -> list[tuple[str, str, bool, bool, str]]:
    return [
        (view.name, view.query, view.shared, view.mine, view.by)
        for view in saved_views.of_table(session, actor, TABLE, NEEDS)
    ]


def only(session: Session, actor: Actor) -> saved_views.Kept:
    [view] = saved_views.of_table(session, actor, TABLE, NEEDS)
    return view


def test_a_view_is_its_keepers_until_it_is_shared(session: Session, ann: Actor, ben: Actor) -> None:
    saved_views.save(session, ann, TABLE, NEEDS, "  Hot \n leads ", "state=waiting")
    assert listed(session, ann) == [("Hot leads", "state=waiting", False, True, "Ann")]
    assert listed(session, ben) == []

    view = only(session, ann)
    saved_views.share(session, ann, TABLE, SHARING, view.id, view.version, True)
    saved_views.save(session, ben, TABLE, NEEDS, "Zoo", "")

    assert listed(session, ben) == [
        ("Zoo", "", False, True, "Ben"),
        ("Hot leads", "state=waiting", True, False, "Ann"),
    ]
    assert saved_views.of_table(session, ben, "pool", NEEDS) == []


def test_what_is_changed_is_changed_against_the_version_that_was_seen(session: Session, ann: Actor) -> None:
    saved_views.save(session, ann, TABLE, NEEDS, "Hot", "q=a")
    view = only(session, ann)

    saved_views.overwrite(session, ann, TABLE, NEEDS, view.id, view.version, "q=b")
    with pytest.raises(Conflict):
        saved_views.rename(session, ann, TABLE, NEEDS, view.id, view.version, "Cold")
    saved_views.rename(session, ann, TABLE, NEEDS, view.id, view.version + 1, "Cold")
    assert [(kept.name, kept.query) for kept in [only(session, ann)]] == [("Cold", "q=b")]

    saved_views.delete(session, ann, TABLE, NEEDS, view.id, view.version + 2)
    assert listed(session, ann) == []


FORGED: list[Callable[[Session, Actor, int, int], None]] = [
    lambda session, actor, key, version: saved_views.rename(session, actor, TABLE, NEEDS, key, version, "Mine"),
    lambda session, actor, key, version: saved_views.overwrite(session, actor, TABLE, NEEDS, key, version, ""),
    lambda session, actor, key, version: saved_views.delete(session, actor, TABLE, NEEDS, key, version),
    lambda session, actor, key, version: saved_views.share(session, actor, TABLE, SHARING, key, version, True),
    lambda session, actor, key, version: saved_views.share(session, actor, TABLE, SHARING, key, version, False),
]


@pytest.mark.parametrize("change", FORGED)
def test_anothers_private_view_is_out_of_reach(
    session: Session, ann: Actor, change: Callable[[Session, Actor, int, int], None]
) -> None:
    other = somebody(session, "carl", SHARING)
    saved_views.save(session, ann, TABLE, NEEDS, "Hot", "q=a")
    view = only(session, ann)

    with pytest.raises(NotFound):
        change(session, other, view.id, view.version)

    assert only(session, ann) == view


@pytest.mark.parametrize("change", FORGED[:4])
def test_anothers_shared_view_is_read_and_not_changed(
    session: Session, ann: Actor, change: Callable[[Session, Actor, int, int], None]
) -> None:
    other = somebody(session, "carl", SHARING)
    saved_views.save(session, ann, TABLE, NEEDS, "Hot", "q=a")
    view = only(session, ann)
    saved_views.share(session, ann, TABLE, SHARING, view.id, view.version, True)

    with pytest.raises(NotFound):
        change(session, other, view.id, view.version + 1)

    assert listed(session, other) == [("Hot", "q=a", True, False, "Ann")]


def test_who_may_share_can_end_what_somebody_else_shares(session: Session, ann: Actor, ben: Actor) -> None:
    carl = somebody(session, "carl", SHARING)
    saved_views.save(session, ann, TABLE, NEEDS, "Hot", "q=a")
    view = only(session, ann)
    saved_views.share(session, ann, TABLE, SHARING, view.id, view.version, True)

    with pytest.raises(NotAllowed):
        saved_views.share(session, ben, TABLE, SHARING, view.id, view.version + 1, False)
    saved_views.share(session, carl, TABLE, SHARING, view.id, view.version + 1, False)

    assert listed(session, ben) == []
    assert listed(session, ann) == [("Hot", "q=a", False, True, "Ann")]


def test_a_name_is_taken_once_by_each_and_what_is_refused_harms_nothing_else(
    session: Session, ann: Actor, ben: Actor
) -> None:
    saved_views.save(session, ann, TABLE, NEEDS, "Hot", "q=a")
    saved_views.save(session, ben, TABLE, NEEDS, "Hot", "q=b")
    saved_views.save(session, ann, TABLE, NEEDS, "Cold", "q=c")
    cold = saved_views.of_table(session, ann, TABLE, NEEDS)[0]

    with pytest.raises(Invalid, match="called Hot already"):
        saved_views.save(session, ann, TABLE, NEEDS, "Hot", "q=d")
    with pytest.raises(Invalid, match="called Hot already"):
        saved_views.rename(session, ann, TABLE, NEEDS, cold.id, cold.version, "Hot")

    assert [view[:2] for view in listed(session, ann)] == [("Cold", "q=c"), ("Hot", "q=a")]


@pytest.mark.parametrize(("name", "query"), [(" \u200b\n", ""), ("x" * 65, ""), ("x", "q" * 2001)])
def test_what_does_not_fit_is_refused(session: Session, ann: Actor, name: str, query: str) -> None:
    with pytest.raises(Invalid):
        saved_views.save(session, ann, TABLE, NEEDS, name, query)


def test_nobody_keeps_more_than_can_be_looked_through(session: Session, ann: Actor, ben: Actor) -> None:
    for number in range(saved_views.MOST):
        saved_views.save(session, ann, TABLE, NEEDS, f"View {number}", "")

    with pytest.raises(Invalid, match="Delete one first"):
        saved_views.save(session, ann, TABLE, NEEDS, "One more", "")
    saved_views.save(session, ann, "pool", NEEDS, "One more", "")
    saved_views.save(session, ben, TABLE, NEEDS, "One more", "")


def test_who_may_not_open_the_table_or_looks_through_a_role_keeps_nothing(session: Session, ann: Actor) -> None:
    from dataclasses import replace

    for actor in (replace(ann, grants={}), replace(ann, seeing_as="consultant"), replace(ann, account_id=None)):
        with pytest.raises(ThanosError):
            saved_views.save(session, actor, TABLE, NEEDS, "Hot", "")
    with pytest.raises(NotAllowed):
        saved_views.of_table(session, replace(ann, grants={}), TABLE, NEEDS)
    assert listed(session, ann) == []
