"""The permission component as pure values: merging, covering, declaring."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import column, false

from crm.errors import Misconfigured, NotAllowed
from crm.i18n import says
from crm.rbac import Actor, Catalogue, Page, Reach, Scope, covers, merge
from crm.rbac.store import is_last
from crm.services.access.permissions import DEFAULT_ROLES, PAGES, SYSTEM

GRANTS = st.dictionaries(st.sampled_from(["a.view", "a.edit", "b.view"]), st.sampled_from(Reach))


def test_nobody_may_anything_without_a_grant():
    nobody = Actor(account_id=1, name="Nobody")

    assert not nobody.may("customers.view")
    with pytest.raises(NotAllowed):
        nobody.require("customers.view")


def test_of_several_roles_the_farthest_reach_wins():
    merged = merge([{"a.view": Reach.OWN, "a.edit": Reach.OWN}, {"a.view": Reach.ALL}])

    assert merged == {"a.view": Reach.ALL, "a.edit": Reach.OWN}


@given(st.lists(GRANTS, max_size=4))
def test_no_role_takes_away_what_another_gives(roles):
    merged = merge(roles)

    assert all(covers(merged, role) for role in roles)
    assert set(merged) == {action for role in roles for action in role}


@pytest.mark.parametrize(
    ("owner", "department", "reached"),
    [(7, 10, column("branch") == 10), (7, None, column("reader") == 7), (None, None, false())],
)
def test_a_reach_over_the_department_leaves_who_has_none_the_own_rows(owner, department, reached):
    loans = Scope(
        key=column("id"),
        own=lambda reader: column("reader") == reader,
        department=lambda branch: column("branch") == branch,
    )
    grants = merge([{"loans.view": Reach.OWN}, {"loans.view": Reach.DEPARTMENT}])
    somebody = Actor(account_id=1, name="Somebody", grants=grants, owner_id=owner, department=department)

    assert loans.where(somebody, "loans.view").compare(reached)


@given(GRANTS, GRANTS)
def test_covering_is_having_at_least_as_much(mine, theirs):
    assert covers(mine, theirs) == (merge([mine, theirs]) == merge([mine]))


def test_an_undeclared_permission_is_refused_with_the_nearest_name():
    pages = Catalogue([Page("customers", says("Customers"), {"view": says("View"), "edit": says("Edit")})])

    with pytest.raises(Misconfigured) as refused:
        pages.check("customers.veiw")

    assert str(refused.value) == "Permission customers.veiw is not declared. Did you mean customers.view?"


@pytest.mark.parametrize("pages", [(), (Page("customers", says("Customers"), {"view": says("View")}),)])
def test_an_undeclared_permission_that_is_like_no_other_is_refused_without_a_guess(pages):
    with pytest.raises(Misconfigured) as refused:
        Catalogue(pages).check("xyz")

    assert str(refused.value) == "Permission xyz is not declared. Declare it, or name one that is."


def test_a_page_is_declared_once():
    page = Page("customers", says("Customers"), {"view": says("View")})

    with pytest.raises(Misconfigured):
        Catalogue([page, page])


def test_a_star_stands_for_every_action_of_its_page():
    pages = Catalogue([Page("pool", says("Pool"), {"view": says("View"), "claim": says("Claim")})])

    assert pages.grants({"pool.*": Reach.OWN}) == {"pool.view": Reach.OWN, "pool.claim": Reach.OWN}


@pytest.mark.parametrize("names", [("pool.*", "pool.claim"), ("pool.claim", "pool.*")])
def test_an_action_that_is_named_has_its_own_reach_wherever_the_star_stands(names):
    pages = Catalogue([Page("pool", says("Pool"), {"view": says("View"), "claim": says("Claim")})])
    reaches = {"pool.*": Reach.ALL, "pool.claim": Reach.OWN}

    assert pages.grants({name: reaches[name] for name in names}) == {"pool.view": Reach.ALL, "pool.claim": Reach.OWN}


def test_the_last_one_with_a_power_is_told():
    assert is_last([1], leaving=[1])
    assert is_last([1, 2], leaving=[2, 1])
    assert not is_last([1, 2], leaving=[1])
    assert not is_last([], leaving=[1])


def test_the_system_and_the_administrator_may_everything_everywhere():
    administrator = next(role for role in DEFAULT_ROLES if role.name == "administrator")

    for grants in (SYSTEM.grants, administrator.grants):
        assert set(grants) == set(PAGES.permissions)
        assert set(grants.values()) == {Reach.ALL}


def test_a_consultant_sees_own_customers_only_and_never_the_list_of_all():
    consultant = next(role for role in DEFAULT_ROLES if role.name == "consultant").grants

    assert not [action for action in consultant if action.startswith(("customers.", "import.", "staff.", "jobs."))]
    assert {reach for action, reach in consultant.items() if action.startswith("my-customers.")} == {Reach.OWN}


def test_only_administrators_manage_sign_ins():
    assert [role.name for role in DEFAULT_ROLES if "people.manage" in role.grants] == ["administrator"]
