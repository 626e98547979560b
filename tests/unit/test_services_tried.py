"""No service is left out of the generated test of rights: it is gone through there, or says here why not."""

import functools
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any

import crm.services
from crm.settings import ROOT
from tests.tried import tables

# Why the generated test does not go through these, in words of what holds them instead.
PART = "a part of services that are gone through, which hand it what they were asked"
OWN = "answers of the asker's own rows alone, which its own test holds"
JOB = "asked by a job or the command line as the system"
CHOICES = "what may be chosen or counted beside rows that are gone through; its own test holds its reach"
EXEMPT = {
    PART: {
        "accounts.disable", "accounts.require_manageable", "accounts.to_manage", "attendance.on_day",
        "course_days.reached", "course_records.class_to_add_to", "course_records.usual_lecturer",
        "customer_cells.checked",
        "gradebook_scopes.class_of_day", "gradebook_scopes.require_class", "holding.room_of", "import_run.run_import",
        "payments.find", "scoring.save_where", "staff_cells.checked",
        "audit.exported", "audit.new_refusals", "audit.record", "audit.record_many", "audit.record_refusals",
    },
    OWN: {
        "bulk_runs.last", "bulk_runs.note", "home_school.homework", "home_school.teaching",
        "my_grades.handed_in", "my_grades.homework", "notices.unread",
        "saved_views.delete", "saved_views.of_table", "saved_views.overwrite", "saved_views.rename",
        "shown_columns.of_table",
    },
    JOB: {"assignment.assign_waiting", "attendance_reminders.remind", "outbox.prune"},
    CHOICES: {
        "class_calendar.teaches", "class_day.days_to_take", "class_names.choices", "home_school.payments",
        "make_ups.made_up_here",
        "make_ups.missed_days",
    },
}  # fmt: skip


def asked_of_services() -> set[str]:
    """Every public function of a service that somebody asks: its first two arguments are the session and the actor."""
    found = set()
    for info in pkgutil.walk_packages(crm.services.__path__, "crm.services."):
        for name, each in vars(import_module(info.name)).items():
            if name.startswith("_") or not inspect.isfunction(each) or each.__module__ != info.name:
                continue
            if [one.lstrip("_") for one in inspect.signature(each).parameters][:2] == ["session", "actor"]:
                found.add(f"{info.name.rpartition('.')[2]}.{name}")
    return found


def declared(one: Any, seen: set[int]) -> Iterator[str]:
    """The functions that a declaration names, however deep."""
    if id(one) in seen:
        return
    seen.add(id(one))
    if inspect.isfunction(one):
        yield f"{one.__module__.rpartition('.')[2]}.{one.__name__}"
        inside = [cell.cell_contents for cell in one.__closure__ or ()]
    elif isinstance(one, functools.partial):
        inside = [one.func, *one.args]
    elif is_dataclass(one) and not isinstance(one, type):
        inside = [getattr(one, field.name) for field in fields(one)]
    elif isinstance(one, dict):
        inside = list(one.values())
    else:
        inside = list(one) if isinstance(one, list | tuple | set | frozenset) else []
    for each in inside:
        yield from declared(each, seen)


def test_every_service_that_can_be_asked_is_gone_through_or_says_why_not() -> None:
    gone_through = set(declared(tables(), set()))
    test = "".join((ROOT / "tests" / each).read_text("utf-8") for each in ("tried.py", "integration/test_granted.py"))
    exempt = set().union(*EXEMPT.values())

    asked = asked_of_services()
    named = {one for one in asked if re.search(rf"\b{re.escape(one)}\b", test)}

    assert asked - gone_through - named - exempt == set()
    assert exempt <= asked - gone_through - named, "these need no exemption"
