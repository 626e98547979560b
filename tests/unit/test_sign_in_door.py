"""What passes the door: ways back that stay on this site, and passwords that bcrypt can keep."""

import runpy

import bcrypt
import pytest
from streamlit_authenticator import Hasher

from crm.errors import Invalid
from crm.services.access import passwords
from crm.ui.serving.door import own_path
from crm.ui.web import server_options


@pytest.mark.parametrize("to", ["/", "/customers", "/customers?q=a%20b&x=1#top", "/客户?q=王"])
def test_a_path_of_this_site_is_gone_back_to(to):
    assert own_path(to) == to


@pytest.mark.parametrize(
    "to",
    [
        "",
        "customers",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "/a\\..\\evil",
        "https://evil.example/customers",
        "javascript:alert(1)",
        "/" + "a" * 3000,
    ],
)
def test_any_other_leads_to_the_front_page(to):
    assert own_path(to) == "/"


def test_our_hashes_are_the_ones_of_the_sign_in_form():
    assert Hasher.check_pw("correct horse", passwords.hashed("correct horse"))
    assert passwords.matches("correct horse", Hasher.hash("correct horse"))
    assert Hasher.is_hash(passwords.NOBODYS_HASH)


def test_nobodys_hash_costs_what_a_new_hash_costs():
    cost = bcrypt.gensalt().split(b"$")[2].decode()

    assert passwords.NOBODYS_HASH.split("$")[2] == cost


def test_what_is_no_hash_or_too_long_matches_nothing_and_raises_nothing():
    assert not passwords.matches("anything", "!")
    assert not passwords.matches("x" * 73, passwords.NOBODYS_HASH)


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("short", "A password needs at least 10 characters."),
        ("   short    ", "A password needs at least 10 characters."),
        ("密" * 25, "A password may have at most 72 bytes."),
        ("aaaaaaaaaaaaaaa", "This password repeats too few characters."),
        ("Wang-Fang-2025", "A password must not contain the name of the sign-in."),
    ],
)
def test_a_bad_password_is_refused_with_its_reason(password, problem):
    with pytest.raises(Invalid) as refused:
        passwords.check_strength(password, "wang-fang", 10)

    assert str(refused.value.fields["password"]) == problem


def test_a_made_up_password_is_good_and_never_the_same():
    made = {passwords.made_up() for _ in range(50)}

    assert len(made) == 50
    for one in made:
        passwords.check_strength(one, "somebody", 10)


@pytest.mark.parametrize(
    ("toml", "hosts", "origins"),
    [
        ("", ["localhost", "127.0.0.1"], []),
        (
            '[school]\naddress = "https://crm.school.example/"\n',
            ["localhost", "127.0.0.1", "crm.school.example"],
            ["https://crm.school.example"],
        ),
        ('[server]\nlisten = "0.0.0.0"\n', [], []),
        (
            '[server]\nlisten = "0.0.0.0"\n[school]\naddress = "http://crm:8501"\n',
            ["localhost", "127.0.0.1", "crm"],
            ["http://crm:8501"],
        ),
    ],
)
def test_the_server_answers_to_its_own_names_only(use_settings, toml, hosts, origins):
    use_settings(toml)

    options = server_options(8501)

    assert options["server.allowedHosts"] == hosts
    assert options["server.corsAllowedOrigins"] == origins


def test_a_password_costs_as_much_to_guess_as_one_of_streamlit_authenticator() -> None:
    # As the module is without what the tests do to it for their speed.
    hashed = runpy.run_path(str(passwords.__file__))["hashed"]("correct horse")

    assert hashed[:7] == Hasher.hash("correct horse")[:7] == "$2b$12$"
