"""Sign-in on real databases: attempts are counted, tickets are good once, sessions end when they have to."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from crm.domain.accounts import Account, SignIn, SignInAttempt
from crm.errors import Refused
from crm.rbac import store as rbac
from crm.services.access import accounts, sign_in
from crm.services.access.permissions import SYSTEM, install_roles
from crm.store.session import reading, writing
from tests.builders import an_employee

NOW = datetime(2025, 3, 3, 4, 0, tzinfo=UTC)
HERE = "192.0.2.7"
PASSWORD = "correct horse battery"


@pytest.fixture
def li(engine):
    """A consultant's sign-in."""
    with writing() as session:
        install_roles(session)
        accounts.create(session, SYSTEM, "li", "consultant", PASSWORD, "Li Na", "zh", NOW)
    return "li"


def tried(name, address=HERE, now=NOW):
    with writing() as session:
        return sign_in.attempt(session, name, address, now)


def ticket_for(name, address=HERE, now=NOW):
    attempt = tried(name, address, now)
    with writing() as session:
        return sign_in.admit(session, attempt, True, "Firefox", now)


def token_for(name, now=NOW):
    ticket = ticket_for(name, now=now)
    with writing() as session:
        return sign_in.redeem(session, ticket, now)


def who(token, now=NOW):
    with reading() as session:
        return sign_in.signed_in(session, token, HERE, now)


def test_the_right_password_opens_a_session(li):
    token = token_for("li")

    here = who(token)

    assert here.actor.name == "Li Na"
    assert here.actor.roles == ("consultant",)
    assert here.actor.may("my-customers.view")
    assert here.actor.address == HERE
    assert here.locale == "zh"


def test_a_name_is_found_however_it_is_written(li):
    assert tried("  ＬＩ ").account_id == tried("li").account_id is not None


def test_an_actor_carries_staff_and_department(li):
    with writing() as session:
        account = session.exec(select(Account)).one()
        employee = an_employee(session, "Li Na", department=1007, account_id=account.id).id

    actor = who(token_for("li")).actor

    assert (actor.owner_id, actor.department) == (employee, 1007)


def test_whoever_left_the_staff_owns_no_rows(li):
    with writing() as session:
        account = session.exec(select(Account)).one()
        an_employee(session, "Li Na", account_id=account.id, active=False)

    assert who(token_for("li")).actor.owner_id is None


@pytest.mark.usefixtures("real_rounds")
def test_an_unknown_name_gets_a_hash_to_compare_with_as_well(li):
    unknown, known = tried("nobody-here"), tried("li")

    assert unknown.account_id is None
    assert unknown.password_hash.split("$")[:3] == known.password_hash.split("$")[:3]


def test_nobody_is_admitted_to_a_name_that_is_not_there(li):
    attempt = tried("nobody-here")

    with writing() as session:
        assert sign_in.admit(session, attempt, True, "", NOW) is None


def test_a_disabled_account_is_not_admitted(li):
    with writing() as session:
        session.exec(select(Account)).one().active = False

    assert ticket_for("li") is None


def test_an_account_disabled_while_the_password_is_checked_is_not_admitted(li):
    attempt = tried("li")
    with writing() as session:
        session.exec(select(Account)).one().active = False

    with writing() as session:
        assert sign_in.admit(session, attempt, True, "", NOW) is None


def test_after_five_wrong_tries_even_the_right_password_has_to_wait(li):
    for _ in range(5):
        tried("li")

    with pytest.raises(Refused) as refused:
        tried("li")

    assert str(refused.value) == "Too many attempts. Wait 15 minutes, then try again."
    assert tried("li", now=NOW + timedelta(minutes=15)).account_id is not None


@pytest.mark.parametrize("name", ["li", "nobody-here"])
def test_the_wait_does_not_tell_whether_a_name_exists(li, name):
    for _ in range(5):
        tried(name)

    with pytest.raises(Refused) as refused:
        tried(name)

    assert str(refused.value) == "Too many attempts. Wait 15 minutes, then try again."


def test_one_name_from_many_addresses_is_counted_too(li):
    for number in range(20):
        tried("li", f"192.0.2.{number}")

    with pytest.raises(Refused):
        tried("li", "198.51.100.1")


def test_many_names_from_one_address_are_counted_too(li):
    for number in range(50):
        tried(f"name{number}")

    with pytest.raises(Refused):
        tried("another")
    assert tried("another", "198.51.100.1")


def test_a_stranger_does_not_lock_somebody_out_from_elsewhere(li):
    for _ in range(5):
        tried("li", "198.51.100.1")

    assert tried("li", HERE).account_id is not None


def test_nobody_is_locked_out_from_afar_of_where_they_have_signed_in_before(li):
    token_for("li")
    for number in range(20):
        tried("li", f"198.51.100.{number % 4}")

    with pytest.raises(Refused):
        tried("li", "203.0.113.9")
    for _ in range(5):
        assert tried("li", HERE).account_id is not None
    with pytest.raises(Refused):
        tried("li", HERE)


def test_waiting_while_blocked_is_not_counted_as_trying(li):
    for _ in range(5):
        tried("li")
    for minute in range(1, 15):
        with pytest.raises(Refused):
            tried("li", now=NOW + timedelta(minutes=minute))

    assert tried("li", now=NOW + timedelta(minutes=15))


def test_the_right_password_forgets_the_tries_before_it(li):
    for _ in range(4):
        tried("li")

    token_for("li")

    with reading() as session:
        assert session.exec(select(SignInAttempt)).all() == []


def test_many_tries_at_once_are_all_counted(li):
    def try_once(_number):
        try:
            return tried("li")
        except Refused:
            return None

    with ThreadPoolExecutor(8) as pool:
        let_through = [one for one in pool.map(try_once, range(24)) if one]

    assert len(let_through) == 5


def test_the_name_tried_is_kept_as_a_digest_only(li):
    tried("my-secret-name")

    with reading() as session:
        kept = session.exec(select(SignInAttempt)).one()
    assert "my-secret-name" not in repr(kept.model_dump())


def test_a_ticket_is_good_once(li):
    ticket = ticket_for("li")
    with writing() as session:
        assert sign_in.redeem(session, ticket, NOW)

    with writing() as session:
        assert sign_in.redeem(session, ticket, NOW) is None


def test_a_ticket_is_good_for_a_minute(li):
    ticket = ticket_for("li")

    with writing() as session:
        assert sign_in.redeem(session, ticket, NOW + timedelta(seconds=60)) is None


def test_a_ticket_is_no_session(li):
    assert who(ticket_for("li")) is None


def test_secrets_are_kept_as_digests_only(li):
    ticket = ticket_for("li")
    token = token_for("li")

    with reading() as session:
        kept = repr([one.model_dump() for one in session.exec(select(SignIn)).all()])
    assert ticket not in kept
    assert token not in kept


def test_a_session_ends_by_itself(li):
    token = token_for("li")

    assert who(token, NOW + timedelta(hours=11, minutes=59))
    assert who(token, NOW + timedelta(hours=12)) is None


def test_signing_out_ends_every_copy_of_the_session_and_no_other(li):
    token, other = token_for("li"), token_for("li")

    with writing() as session:
        sign_in.end(session, token, NOW)

    assert who(token) is None
    assert who(other)


def end_by_disabling(session: Session) -> None:
    accounts.disable(session, SYSTEM, "li", NOW)


def end_by_resetting_the_password(session: Session) -> None:
    accounts.reset_password(session, SYSTEM, "li", NOW)


def end_by_raising_the_epoch(session: Session) -> None:
    session.exec(select(Account)).one().session_epoch += 1


@pytest.mark.parametrize("how", [end_by_disabling, end_by_resetting_the_password, end_by_raising_the_epoch])
def test_a_session_ends_at_the_next_click_after(li, how):
    token = token_for("li")
    assert who(token)

    with writing() as session:
        how(session)

    assert who(token) is None


def test_a_role_taken_or_given_counts_at_the_next_click(li):
    token = token_for("li")

    with writing() as session:
        accounts.set_roles(session, SYSTEM, "li", ["finance"], NOW)

    assert not who(token).actor.may("pool.view")
    with reading() as session:
        assert who(token).actor.grants == rbac.grants_of_role(session, rbac.role_named(session, "finance").id)


def test_old_tries_and_old_sessions_are_forgotten_current_ones_are_not(li):
    tried("somebody")
    token_for("li")
    later = NOW + timedelta(days=31)
    token = token_for("li", now=later)

    with writing() as session:
        sign_in.forget_old(session, later)

    with reading() as session:
        assert len(session.exec(select(SignIn)).all()) == 1
        assert session.exec(select(SignInAttempt)).all() == []
    assert who(token, later)
