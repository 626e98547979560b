"""Settings: the environment and one TOML file, read here and nowhere else, checked at start.

`docs/settings.toml` is the annotated file with every setting at its default.
"""

import difflib
import os
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from crm.errors import Misconfigured
from crm.i18n import says
from crm.settings.sections import AtRisk, Attendance, Homework, Import, Notices, Rules, School, Server, SignInRules

ROOT = Path(__file__).resolve().parents[2]


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
    attendance: Attendance = Attendance()
    imports: Import = Import()
    homework: Homework = Homework()
    at_risk: AtRisk = AtRisk()
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
    def lecturer_departments(self) -> tuple[int, ...]:
        """Whose staff can lecture, by code; empty: anybody's. A demo school has departments for it."""
        return self.school.lecturer_departments or ((1003,) if self.demo else ())

    @property
    def class_teacher_departments(self) -> tuple[int, ...]:
        """Whose staff can be class teachers, as `lecturer_departments`."""
        return self.school.class_teacher_departments or ((1004,) if self.demo else ())

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
