"""Settings come from the environment and one file, and every wrong one is named with its remedy."""

import re
import tomllib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from crm.errors import Misconfigured
from crm.settings import ROOT, Settings, load, settings

ANNOTATED = ROOT / "docs" / "settings.toml"
OF_THE_ENVIRONMENT = {"database_url", "redis_url", "var", "port", "demo"}


def test_the_annotated_file_has_every_setting_at_its_default() -> None:
    in_file = tomllib.loads(ANNOTATED.read_text("utf-8"))

    declared = Settings(_env_file=None).model_dump(mode="python", exclude=OF_THE_ENVIRONMENT)

    assert _plain(in_file) == _plain(declared)


def test_every_setting_in_the_annotated_file_is_explained() -> None:
    lines = ANNOTATED.read_text("utf-8").splitlines()

    for before, line in pairwise(lines):
        if re.match(r"[a-z_]+ = ", line):
            assert before.startswith("# "), f"{line!r} has no explanation above it"


def test_the_examples_in_the_annotated_file_are_right(use_settings: Callable[[str], None]) -> None:
    text = ANNOTATED.read_text("utf-8").replace("channels = []\n", "")
    head, example = text.split("# [[notices.channels]]", 1)
    lines = f"# [[notices.channels]]{example}".splitlines()

    use_settings(head + "\n".join(line.removeprefix("# ") for line in lines))

    assert [channel.name for channel in settings().notices.channels] == ["mail", "sms", "wecom", "room"]


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[rules]\nfolow_up_days = 3", r"rules\.folow_up_days is not a setting\. Did you mean rules\.follow_up_days\?"),
        ("[rule]\n", r"rule is not a setting\. Did you mean rules\?"),
        ("[rules]\nfollow_up_days = 0", r"rules\.follow_up_days is 0: .*greater than or equal to 1"),
        ("[rules]\nfollow_up_days = 'three'", r"rules\.follow_up_days is 'three': .*integer"),
        ("[rules]\nexpire_at = '26:00'", r"rules\.expire_at is '26:00'"),
        ("[rules]\nexpire_at = 2", r"rules\.expire_at is 2: is not a time of day.*02:00"),
        ("[rules]\nexpire_at = '02:00+09:00'", r"rules\.expire_at is .*school's clock"),
        ("[rules]\nfollow_up_days = true", r"rules\.follow_up_days is True"),
        ("[school]\ntime_zone = 'Asia/Shangai'", r"Did you mean 'Asia/Shanghai'\?"),
        ("[school]\nlanguage = 'de'", r"school\.language is 'de'"),
        ("[rules\n", r"cannot be read"),
        ("database_url = 'sqlite:///x.db'", r"database_url belongs into the environment"),
        ("[[notices.channels]]\nname = 'app'\nurl = 'json://x'", r"notices\.channels\.0\.name is 'app'"),
    ],
)
def test_a_wrong_line_is_named_with_its_remedy(use_settings: Callable[[str], None], toml: str, said: str) -> None:
    use_settings(toml)

    with pytest.raises(Misconfigured) as raised:
        settings()

    assert re.search(said, str(raised.value))
    assert "settings-of-this-test.toml" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "toml",
    [
        "[[notices.channels]]\nname = 'mail'\nurl = 12345678",
        "[[notices.channels]]\nurl = 'mailtos://me:12345678@x'",
        "notices.channels = ['mailtos://me:12345678@x']",
        "notices.channels = 'mailtos://me:12345678@x'",
        "notices = 'mailtos://me:12345678@x'",
    ],
)
def test_a_wrong_secret_is_not_repeated(use_settings: Callable[[str], None], toml: str) -> None:
    use_settings(toml)

    with pytest.raises(Misconfigured) as raised:
        settings()

    assert "12345678" not in str(raised.value)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PORT", "http", "PORT is 'http', but a port is a number from 1 to 65535, such as: make run PORT=8501"),
        ("PORT", "70000", "PORT is '70000', but"),
        ("PORT", "0", "PORT is '0', but"),
        ("THANOS_SETTINGS", "/nowhere/settings.toml", "THANOS_SETTINGS names /nowhere/settings.toml"),
    ],
)
def test_a_wrong_variable_is_named_with_its_remedy(variable: str, value: str, said: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        load({variable: value})

    assert said in str(raised.value)


def test_the_settings_file_is_found_in_the_var_folder(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[rules]\ndeal_days = 20\n", "utf-8")

    read = load({"THANOS_VAR": str(tmp_path)})

    assert read.rules.deal_days == 20
    assert read.database == f"sqlite:///{tmp_path}/thanos.db"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return list(value) if isinstance(value, tuple) else value
