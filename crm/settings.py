"""Settings: the environment and one TOML file, read here and nowhere else, checked at start.

`docs/settings.toml` is the annotated file with every setting at its default.
"""

import difflib
import os
import re
import tomllib
from datetime import time
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from crm.errors import Misconfigured
from crm.i18n import Language, says

ROOT = Path(__file__).resolve().parent.parent


class Section(BaseModel):
    """A table of the settings file. Unknown names are refused, so that a typo is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool) and cls.model_fields[info.field_name or ""].annotation is int:
            raise ValueError("is not a number")
        return value


class School(Section):
    """The school itself. `address` is where people open the app; links in messages begin with it."""

    name: str = Field(default="Thanos Training School", min_length=1, max_length=100)
    time_zone: str = "Asia/Shanghai"
    language: Language = "en"
    address: str = Field(default="", pattern=r"^(https?://[^\s/]+(/[^\s]*)?)?$")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            near = difflib.get_close_matches(value, available_timezones(), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"is not a time zone.{hint} Use a name like 'Asia/Shanghai'")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The school's clock."""
        return ZoneInfo(self.time_zone)


class Rules(Section):
    """Lengths and caps of the rules."""

    follow_up_days: int = Field(default=3, ge=1, le=365)
    deal_days: int = Field(default=15, ge=1, le=365)
    expire_at: time = time(2, 0)
    extension_days_max: int = Field(default=30, ge=1, le=365)
    default_weight: int = Field(default=10, ge=0, le=1000)
    default_max_customers: int = Field(default=200, ge=0, le=1_000_000)

    @field_validator("expire_at", mode="before")
    @classmethod
    def _time_of_day(cls, value: Any) -> Any:
        # A bare number would be taken for seconds since midnight.
        if not isinstance(value, time | str):
            raise ValueError("is not a time of day. Write it like 02:00:00")
        return value

    @field_validator("expire_at")
    @classmethod
    def _on_the_schools_clock(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError("is on the school's clock and has no zone. Write it like 02:00:00")
        return value


class Import(Section):
    """Limits of an uploaded sheet."""

    max_rows: int = Field(default=200_000, ge=1, le=1_000_000)
    max_megabytes: int = Field(default=64, ge=1, le=1024)
    max_seconds: int = Field(default=25, ge=1, le=3600)
    max_memory_megabytes: int = Field(default=420, ge=64, le=8192)


class SignInRules(Section):
    """How people sign in."""

    session_hours: int = Field(default=12, ge=1, le=24 * 30)
    attempts: int = Field(default=5, ge=1, le=100)
    attempts_minutes: int = Field(default=15, ge=1, le=24 * 60)
    min_password_length: int = Field(default=10, ge=8, le=64)
    secure_cookie: bool = False


class Server(Section):
    """Where the app listens: this machine only, unless a proxy or the whole school is to reach it.

    `gallery` shows administrators the page for those who declare tables; a demo school has it anyway.
    """

    listen: str = Field(default="localhost", min_length=1)
    gallery: bool = False


class NoticeChannel(Section):
    """One way out of the outbox. `url` is an Apprise address; `{email}`, `{mobile}` and `{wecom}`
    stand for the recipient's own. `expect` is a text that the gateway's answer contains when it took the
    message, for gateways that report their errors with status 200."""

    name: str = Field(min_length=1, max_length=32, pattern=r"^[a-z][a-z0-9_-]*$")
    url: SecretStr
    needs: Literal["email", "mobile", "wecom", "none"] = "none"
    expect: str = Field(default="", max_length=200)

    @field_validator("name")
    @classmethod
    def _not_the_app(cls, value: str) -> str:
        if value == "app":
            raise ValueError("is taken by the notice inside the app. Choose another name")
        return value

    @property
    def needed(self) -> frozenset[str]:
        """The addresses that a recipient must have: what the url has a place for, and `needs`."""
        return self._places() | ({self.needs} - {"none"})

    @property
    def personal(self) -> bool:
        """Whether a message goes to its recipient alone; else to a room that several people read."""
        return bool(self._places())

    def _places(self) -> frozenset[str]:
        url = self.url.get_secret_value()
        return frozenset(kind for kind in ("email", "mobile", "wecom") if "{" + kind + "}" in url)


class Notices(Section):
    """What leaves the app besides the notice inside it."""

    channels: tuple[NoticeChannel, ...] = ()
    tries: int = Field(default=5, ge=1, le=20)
    pause_seconds: int = Field(default=60, ge=1, le=3600)
    timeout_seconds: int = Field(default=10, ge=1, le=120)


class Settings(BaseSettings):
    """All settings. Environment: DATABASE_URL, REDIS_URL, THANOS_SETTINGS, THANOS_VAR, PORT."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_prefix="THANOS_UNUSED_")

    database_url: str = Field(default="", repr=False)
    redis_url: str = Field(default="", repr=False)
    var: Path = ROOT / "var"
    port: int = Field(default=8501, ge=1, le=65535)
    demo: bool = False

    school: School = School()
    rules: Rules = Rules()
    imports: Import = Import()
    sign_in: SignInRules = SignInRules()
    server: Server = Server()
    notices: Notices = Notices()

    @property
    def zone(self) -> ZoneInfo:
        """The school's clock."""
        return self.school.zone

    @property
    def shows_gallery(self) -> bool:
        """Whether there is the gallery of tables."""
        return self.demo or self.server.gallery

    @property
    def address(self) -> str:
        """Where people open the app, without a slash at the end."""
        return self.school.address.rstrip("/") or f"http://localhost:{self.port}"

    @property
    def database(self) -> str:
        """The database's URL: the one that was set, else a file in `var`."""
        return self.database_url or f"sqlite:///{(self.var / 'thanos.db').absolute()}"


def load(environ: dict[str, str] | None = None) -> Settings:
    """Read and check everything. Raises `Misconfigured` that names file, setting, value and remedy."""
    env = dict(os.environ if environ is None else environ)
    path = settings_path(env)
    values: dict[str, Any] = _read(path) if path else {}
    for name in ("database_url", "redis_url", "var", "port"):
        if name in values:
            raise Misconfigured(
                says("{file}: {name} belongs into the environment, not into the file.", file=str(path), name=name)
            )
    for name, variable in (("database_url", "DATABASE_URL"), ("redis_url", "REDIS_URL")):
        if env.get(variable):
            values[name] = env[variable]
    if env.get("PORT"):
        values["port"] = as_port(env["PORT"])
    if env.get("THANOS_VAR"):
        values["var"] = Path(env["THANOS_VAR"]).absolute()
    if env.get("THANOS_DEMO"):
        values["demo"] = env["THANOS_DEMO"]
    try:
        return Settings(**values)
    except ValidationError as error:
        raise Misconfigured(_explained(error, str(path) if path else "")) from None


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return load()


def settings_path(env: dict[str, str]) -> Path | None:
    """The settings file: THANOS_SETTINGS, else `settings.toml` in the var folder if it is there."""
    if env.get("THANOS_SETTINGS"):
        path = Path(env["THANOS_SETTINGS"])
        if not path.is_file():
            raise Misconfigured(
                says("THANOS_SETTINGS names {file}, which is not there. Correct the path or unset it.", file=str(path))
            )
        return path
    path = Path(env.get("THANOS_VAR") or ROOT / "var") / "settings.toml"
    return path if path.is_file() else None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(says("{file} cannot be read: {why}.", file=str(path), why=str(error))) from None


def as_port(text: str) -> int:
    """The port that was typed. Raises `Misconfigured` for what is none."""
    if text.strip().isascii() and text.strip().isdigit() and 1 <= int(text) <= 65535:
        return int(text)
    raise Misconfigured(
        says("PORT is {text}, but a port is a number from 1 to 65535, such as: make run PORT=8501", text=repr(text))
    )


def _explained(error: ValidationError, file: str) -> Any:
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    place = {"database_url": "DATABASE_URL", "redis_url": "REDIS_URL", "var": "THANOS_VAR"}.get(name)
    where = place or (f"{file}: {name}" if file else name)
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, _known_names(), n=1, cutoff=0.5)
        if near:
            return says("{place} is not a setting. Did you mean {near}?", place=where, near=near[0])
        return says("{place} is not a setting. See docs/settings.toml for all of them.", place=where)
    # Of something larger than one value, an address with a password in it may be a part.
    secret = name.endswith("url") or first["type"] == "missing" or re.fullmatch(r"notices(\.channels(\.\d+)?)?", name)
    value = "…" if secret else repr(first.get("input"))
    return says(
        "{place} is {value}: {why}. See docs/settings.toml.",
        place=where,
        value=value,
        why=str(first["msg"]).removeprefix("Value error, "),
    )


def _known_names() -> list[str]:
    names: list[str] = []
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names.append(name)
            names.extend(f"{name}.{inner}" for inner in field.annotation.model_fields)
    return names
