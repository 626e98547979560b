"""The tables of the settings file: what each setting may be, and what it is where nobody says."""

import difflib
from datetime import time
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from crm.i18n import Language


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
    """The school itself. `address` is where people open the app; links in messages begin with it.

    The departments, by code, whose staff can be lecturers and class teachers; none named: any.
    """

    name: str = Field(default="Thanos Training School", min_length=1, max_length=100)
    time_zone: str = "Asia/Shanghai"
    language: Language = "en"
    address: str = Field(default="", pattern=r"^(https?://[^\s/]+(/[^\s]*)?)?$")
    lecturer_departments: tuple[int, ...] = ()
    class_teacher_departments: tuple[int, ...] = ()

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


def _time_of_day(value: Any) -> Any:
    # A bare number would be taken for seconds since midnight.
    if not isinstance(value, time | str):
        raise ValueError("is not a time of day. Write it like 02:00:00")
    return value


def _on_the_schools_clock(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("is on the school's clock and has no zone. Write it like 02:00:00")
    return value


class Rules(Section):
    """Lengths and caps of the rules."""

    follow_up_days: int = Field(default=3, ge=1, le=365)
    deal_days: int = Field(default=15, ge=1, le=365)
    expire_at: time = time(2, 0)
    extension_days_max: int = Field(default=30, ge=1, le=365)
    default_weight: int = Field(default=10, ge=0, le=1000)
    default_max_customers: int = Field(default=200, ge=0, le=1_000_000)

    _on_the_schools_clock = field_validator("expire_at")(_on_the_schools_clock)
    _time_of_day = field_validator("expire_at", mode="before")(_time_of_day)


class Attendance(Section):
    """How attendance is counted, and when teachers are told of a day that nobody confirmed.

    `late_absence` is the part of a day that is missed by who is late by more than `late_over_minutes`, or leaves early.
    `required_share` of the days has to be attended.
    """

    late_over_minutes: int = Field(default=15, ge=0, le=1440)
    late_absence: float = Field(default=0.5, ge=0, le=1, multiple_of=0.01)
    required_share: float = Field(default=0.8, ge=0, le=1, multiple_of=0.01)
    remind_at: time = time(20, 0)

    _on_the_schools_clock = field_validator("remind_at")(_on_the_schools_clock)
    _time_of_day = field_validator("remind_at", mode="before")(_time_of_day)


class Import(Section):
    """Limits of an uploaded sheet."""

    max_rows: int = Field(default=200_000, ge=1, le=1_000_000)
    max_megabytes: int = Field(default=64, ge=1, le=1024)
    max_seconds: int = Field(default=25, ge=1, le=3600)
    max_memory_megabytes: int = Field(default=400, ge=64, le=8192)


# fmt: off
HomeworkKind = Literal[
    "csv", "docx", "gif", "ipynb", "jpeg", "jpg", "json", "md", "pdf", "png", "pptx", "py", "sql", "txt", "xlsx", "zip"
]
# fmt: on


class Homework(Section):
    """What a student may hand in. `kinds` are endings of names; the content has to be what the ending says."""

    max_megabytes: int = Field(default=20, ge=1, le=1024)
    kinds: tuple[HomeworkKind, ...] = Field(default=get_args(HomeworkKind), min_length=1)


class AtRisk(Section):
    """From when on a student is on the list of those at risk."""

    absences_in_a_row: int = Field(default=3, ge=1, le=100)
    missing_homework: int = Field(default=3, ge=1, le=100)
    falling_points: int = Field(default=10, ge=1, le=100)


class SignInRules(Section):
    """How people sign in."""

    session_hours: int = Field(default=12, ge=1, le=24 * 30)
    attempts: int = Field(default=5, ge=1, le=100)
    attempts_minutes: int = Field(default=15, ge=1, le=24 * 60)
    min_password_length: int = Field(default=10, ge=8, le=64)
    secure_cookie: bool = False


class Server(Section):
    """Where the app listens: this machine only, unless a proxy or the whole school is to reach it.

    `processes`: how many share the work; 0: one for each core, four at most. `gallery` shows administrators the page
    for those who declare tables; a demo school has it anyway.
    """

    listen: str = Field(default="localhost", min_length=1)
    processes: int = Field(default=0, ge=0, le=64)
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
