"""Everything that can be done, each thing with the permission it needs.

What declarations let people do is gathered from them; what pages do beside their tables is named here.
"""

import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlmodel import Session, SQLModel, col, select

import crm.tables
from crm.domain.accounts import Account
from crm.domain.episodes import Channel
from crm.domain.payments import Payment
from crm.domain.records import Notification, SavedView
from crm.domain.scores import NONE
from crm.domain.students import Student
from crm.domain.teaching import Apology, CourseRecord, StudyRecord
from crm.gallery.data import planted
from crm.gallery.table import PLANTS
from crm.grid import TableConfig
from crm.grid.config import Input
from crm.rbac import Actor, Reach
from crm.rbac import store as rbac
from crm.services import home, saved_views
from crm.services.access import accounts, offers, people, roles
from crm.services.access.permissions import SYSTEM
from crm.services.attendance import apologies, attendance, attendance_figures, class_day, make_ups, month_sheet
from crm.services.classes import class_calendar, classes, series
from crm.services.customers import customers, follow_ups, pool, story
from crm.services.imports import import_check, import_files, import_undo
from crm.services.notices import notices
from crm.services.scores import at_risk, class_gradebook, gradebook_scopes, homework, my_grades, score_sheets, scoring
from crm.services.staff import leaving
from crm.services.students import payments, student_payments, student_sign_ins, students
from crm.tables.site import site
from tests.builders import school_day
from tests.granted import MISSING, NOW, covered


def tables() -> list[TableConfig]:
    """Every table that is registered, once all that may register one is imported."""
    for module in pkgutil.iter_modules(crm.tables.__path__, "crm.tables."):
        import_module(module.name)
    return [config.at(NOW) for config in site.tables.values() if config.name != PLANTS.name]


@dataclass(frozen=True)
class Rows:
    """Rows that a page shows otherwise than in a table: a name by which `covered` knows them, and their model."""

    name: str
    model: type[SQLModel]


@dataclass(frozen=True)
class Try:
    """One thing that can be done to a row of a table, or to none, and the permission it needs.

    `also` are other permissions that let do the same, each with the table that it is granted on. Without `always`
    the state of a row may be another reason to refuse it in the same words.
    """

    name: str
    needs: str
    run: Callable[[Session, Actor, Any], Any]
    table: TableConfig | Rows | None = None
    also: tuple[tuple[str, TableConfig], ...] = ()
    always: bool = True

    def granted(self, actor: Actor, relation: str) -> bool:
        """Whether the actor may do it to a row of that relation."""
        ways = ((self.needs, self.table), *self.also)
        return any(
            actor.may(needs) and (table is None or relation in covered(table, actor.reach(needs), needs))
            for needs, table in ways
        )

    def permitted(self, actor: Actor) -> bool:
        """Whether the actor may do it at all."""
        return any(actor.may(needs) for needs in (self.needs, *(needs for needs, _table in self.also)))


def everything(session: Session) -> list[Try]:
    """All that the declarations let people do, and what pages do beside them."""
    every = tables()
    names = dict(session.exec(select(Account.id, Account.name)).all())
    found = rbac.role_named(session, "finance")
    by_name = {config.name: config for config in every}
    return [
        *(one for config in every for one in declared(config)),
        *in_the_gallery(),
        *(sharing(config) for config in (*every, PLANTS) if config.share),
        *elsewhere(by_name, lambda key: names.get(key, "nobody-at-all"), found.id),
    ]


# What is done without a table. A row of `people` is a sign-in, of `my-customers` and `pool` a customer.
def elsewhere(by_name: Mapping[str, TableConfig], name_of: Callable[[int], str], role_id: int) -> list[Try]:
    """What pages do beside their tables, by the permission each needs."""
    days = by_name["course-records"]
    sign_ins, mine, pooled = by_name["people"], by_name["my-customers"], by_name["pool"]
    taught, groups = by_name["students"], by_name["classes"]
    manage, edit = "people.manage", "permissions.edit"
    return [
        Try("the front page", "home.view", lambda s, a, _: home.numbers(s, a, NOW)),
        Try(
            "one customer",
            "customers.view",
            lambda s, a, key: by_name["customers"] and _get(s, a, key),
            by_name["customers"],
        ),
        Try("claim", "pool.claim", lambda s, a, key: pool.claim(s, a, key, NOW), pooled),
        Try("contact", "my-customers.follow_up", _contact, mine, also=(("customers.edit", by_name["customers"]),)),
        Try("check a sheet", "import.run", lambda s, a, _: import_check.check_sheet(s, a, Path("none.xlsx"), "x", NOW)),
        Try("wrong rows", "import.run", lambda s, a, _: import_files.write_report(a, None, BytesIO())),
        Try("template", "import.view", lambda s, a, _: import_files.write_template(s, a, BytesIO())),
        Try("one person", "people.view", lambda s, a, key: people.person(s, a, key, NOW), sign_ins),
        Try("reset", manage, lambda s, a, key: accounts.reset_password(s, a, name_of(key), NOW), sign_ins),
        Try("roles", manage, lambda s, a, key: accounts.set_roles(s, a, name_of(key), [], NOW), sign_ins),
        Try("disable", manage, lambda s, a, key: leaving.disable(s, a, name_of(key), leaving.Stay(), NOW), sign_ins),
        Try("enable", manage, lambda s, a, key: accounts.enable(s, a, name_of(key), NOW), sign_ins),
        Try("end one", manage, lambda s, a, key: people.end_session(s, a, name_of(key), 1, NOW), sign_ins),
        Try("end all", manage, lambda s, a, key: people.end_sessions(s, a, name_of(key), NOW), sign_ins),
        Try("unlock", manage, lambda s, a, key: people.unlock(s, a, name_of(key), NOW), sign_ins),
        Try("choices", manage, lambda s, a, _: (accounts.role_choices(s, a), accounts.employee_choices(s, a))),
        Try("create", manage, lambda s, a, _: accounts.create(s, a, "", "", None, "", None, NOW)),
        Try("one payment", "payments.view", lambda s, a, key: payments.sheet(s, a, key), by_name["payments"]),
        Try("whose payments", "payments.view", _of_whose_payment, by_name["payments"]),
        Try("one student", "students.view", lambda s, a, key: students.sheet(s, a, key), taught),
        Try("what a student owes", "students.money", lambda s, a, key: students.money(s, a, key), taught),
        Try("what a class owes", "classes.money", lambda s, a, key: classes.money(s, a, key), groups),
        Try("hand out", "students.sign_in", lambda s, a, key: student_sign_ins.hand_out(s, a, key, NOW), taught),
        Try("a day", "attendance.view", lambda s, a, key: class_day.day(s, a, key), days),
        Try("names", "attendance.take", lambda s, a, key: attendance.apply(s, a, key, {}, {}, NOW), days),
        Try("undo names", "attendance.take", _undo_names, days),
        Try("make up", "attendance.take", lambda s, a, key: make_ups.link(s, a, key, MISSING, NOW), days),
        Try("apologise", "attendance.apologise", lambda s, a, _: apologies.own_classes(s, a, NOW)),
        Try("matrix", "permissions.view", lambda s, a, _: roles.all_roles(s, a)),
        Try("who may", "permissions.view", lambda s, a, _: roles.who_may(s, a, "pool.view")),
        Try("new role", edit, lambda s, a, _: roles.create(s, a, "Mine", NOW)),
        Try("save a role", edit, lambda s, a, _: roles.save(s, a, role_id, 1, {"pool.view": Reach.ALL}, NOW)),
        Try("rename a role", edit, lambda s, a, _: roles.rename(s, a, role_id, 1, "Mine", NOW)),
        Try("delete a role", edit, lambda s, a, _: roles.delete(s, a, role_id, 1, NOW)),
        Try("new in this version", edit, lambda s, a, _: offers.offers(s, a)),
        Try("leave it out", edit, lambda s, a, _: offers.leave_out(s, a, role_id, NOW)),
        Try("see as", "permissions.see_as", lambda s, a, _: roles.seen_as(s, a, role_id)),
        *scores(),
        *days_of_classes(by_name),
        *customers_and_notices(by_name),
        Try("note seeing", "permissions.see_as", lambda s, a, _: roles.note_seeing(s, a, role_id, True, NOW)),
    ]


def customers_and_notices(by_name: Mapping[str, TableConfig]) -> list[Try]:
    """What is read and taken back beside the tables of customers, imports and notices."""
    everybody, mine, pooled = by_name["customers"], by_name["my-customers"], by_name["pool"]
    return [
        Try(
            "story",
            "customers.view",
            lambda s, a, key: story.of(s, a, key, NOW),
            everybody,
            also=(("my-customers.view", mine), ("pool.view", pooled)),
        ),
        Try("take back", "import.undo", lambda s, a, key: import_undo.undo_import(s, a, key, NOW), by_name["import"]),
        Try("one notice", "notifications.view", notices.one, Rows("inbox", Notification)),
    ]


def days_of_classes(by_name: Mapping[str, TableConfig]) -> list[Try]:
    """What is done with the days of classes and the attendance of them."""
    groups, days = by_name["classes"], by_name["course-records"]
    taught, own = Rows("attendance-of-day", StudyRecord), Rows("grades", StudyRecord)
    add, view, take = "course-records.add", "attendance.view", "attendance.take"
    return [
        Try("plan a series", add, lambda s, a, key: series.plan(s, a, _days_of(key)), groups),
        Try("what is left", add, lambda s, a, key: series.what_is_left(s, a, key, school_day(NOW)), groups),
        Try("add a series", add, lambda s, a, key: series.add_series(s, a, _days_of(key), NOW), groups),
        Try("calendar", "course-records.view", _in_the_calendar, days),
        Try("figures", view, lambda s, a, key: attendance_figures.of_class(s, a, _class(s, key)), taught),
        Try(
            "month sheet",
            view,
            lambda s, a, key: month_sheet.sheet(s, a, _class(s, key), school_day(NOW)).lines,
            taught,
        ),
        Try("month sheets", view, lambda s, a, _: month_sheet.classes(s, a)),
        Try("export a month", "attendance.export", _export_month, taught),
        Try("ask to be excused", "attendance.apologise", _ask_to_be_excused, own),
        Try("my apologies", "attendance.apologise", lambda s, a, _: apologies.mine(s, a)),
        Try(
            "take an apology back",
            "attendance.apologise",
            lambda s, a, key: apologies.take_back(s, a, key, NOW),
            Rows("own-apologies", Apology),
        ),
        Try("no make-up", take, lambda s, a, key: make_ups.unlink(s, a, key, NOW), taught, always=False),
        Try(
            "homework",
            "gradebook.view",
            lambda s, a, key: homework.fetch(s, a, key, "x"),
            Rows("gradebook", StudyRecord),
            always=False,
        ),
    ]


def _of_whose_payment(session: Session, actor: Actor, key: Any) -> list[Any]:
    """The payment itself, as the sheet of its customer would show it."""
    payer = select(col(Payment.customer_id)).where(col(Payment.id) == key).scalar_subquery()
    student = session.scalar(select(col(Student.id)).where(col(Student.customer_id) == payer)) or MISSING
    return [
        one for some in student_payments.by_class(session, actor, student).values() for one in some if one.id == key
    ]


def _undo_names(session: Session, actor: Actor, key: Any) -> None:
    attendance.undo(session, actor, attendance.Applied(key, {}), NOW)


def _class(session: Session, key: Any) -> int:
    return int(_day(session, key).class_group_id)


def _days_of(key: Any) -> series.Series:
    return series.Series(key, frozenset(range(7)), school_day(NOW), school_day(NOW + timedelta(days=2)))


def _in_the_calendar(session: Session, actor: Actor, key: Any) -> list[Any]:
    first = (
        session.get_one(CourseRecord, key).held_on.replace(day=1) if key != MISSING else school_day(NOW).replace(day=1)
    )
    return [one for one in class_calendar.month(session, actor, first, own=False) if one.id == key]


def _export_month(session: Session, actor: Actor, key: Any) -> None:
    with TemporaryDirectory() as folder:
        month_sheet.export(session, actor, _class(session, key), school_day(NOW), Path(folder) / "x.xlsx", NOW)


def _ask_to_be_excused(session: Session, actor: Actor, key: Any) -> None:
    apologies.ask(session, actor, _class(session, key), (NOW + timedelta(days=1)).date(), "Ill.", NOW)


def scores() -> list[Try]:
    """What is done with scores. A row is a student's day."""
    mine, taught = Rows("grades", StudyRecord), Rows("gradebook", StudyRecord)
    return [
        Try("my classes", "grades.view", lambda s, a, _: my_grades.classes(s, a)),
        Try(
            "my days",
            "grades.view",
            lambda s, a, key: my_grades.of_class(s, a, _day(s, key).class_group_id, NOW) and None,
        ),
        Try("hand in", "grades.hand_in", _hand_in, mine),
        Try("days", "gradebook.view", lambda s, a, key: _days(s, a, key), taught),
        Try(
            "class gradebook",
            "gradebook.view",
            lambda s, a, key: class_gradebook.book(s, a, _day(s, key).class_group_id, NOW) and None,
            taught,
        ),
        Try("export scores", "gradebook.export", _export, taught),
        Try("note an export", "gradebook.export", lambda s, a, _: score_sheets.note_export(s, a, "x", 1, NOW)),
        Try("check scores", "gradebook.import", _check, taught),
        Try("import scores", "gradebook.import", _import, taught),
        Try("at risk", "gradebook.view", lambda s, a, _: at_risk.at_risk(s, a, NOW)),
        Try("compare", "gradebook.view", lambda s, a, _: class_gradebook.compare(s, a, NOW)),
        Try("sheet", "gradebook.score", lambda s, a, key: scoring.sheet(s, a, _day(s, key).id, NOW) and None, taught),
        Try("score", "gradebook.score", _score, taught),
    ]


def _day(session: Session, key: Any) -> Any:
    """The day of a study record; one that there is not for one that there is not."""
    row = session.get(StudyRecord, key) if key is not None else None
    return session.get(CourseRecord, row.course_record_id) if row else CourseRecord(id=MISSING, class_group_id=MISSING)


def _days(session: Session, actor: Actor, key: Any) -> None:
    gradebook_scopes.days(session, actor, "gradebook.view", _day(session, key).class_group_id)


def _hand_in(session: Session, actor: Actor, key: Any) -> None:
    row = session.get(StudyRecord, key)
    seen = row.handed_in_at if row is not None else None
    homework.hand_in(session, actor, key, text="Here.", note="", file=None, seen=seen, now=NOW)


def _export(session: Session, actor: Actor, key: Any) -> None:
    with TemporaryDirectory() as folder:
        score_sheets.export(session, actor, _day(session, key).class_group_id, Path(folder) / "x.xlsx", "en", NOW)


def _check(session: Session, actor: Actor, key: Any) -> None:
    score_sheets.check(session, actor, _day(session, key).class_group_id, b"", NOW)


def _import(session: Session, actor: Actor, key: Any) -> Any:
    cells = [scoring.Typed(key, 1, (NONE, ""), "A")]
    return score_sheets.run(session, actor, score_sheets.Checked(_day(session, key).class_group_id, cells=cells), NOW)


def _score(session: Session, actor: Actor, key: Any) -> Any:
    return scoring.save(session, actor, [scoring.Typed(key, 1, (NONE, ""), "A")], NOW)


def in_the_gallery() -> Iterator[Try]:
    """Its rows exist in memory for one visit, and are nobody's: each try gets a garden of its own."""
    yield Try("gallery: look", PLANTS.permission, _in_a_garden(lambda s, a, _: PLANTS.rows(s, a)))
    for one in declared(PLANTS):
        yield Try(one.name, one.needs, _in_a_garden(one.run))


def _in_a_garden(run: Callable[[Session, Actor, Any], Any]) -> Callable[[Session, Actor, Any], Any]:
    def within(_session: Session, actor: Actor, _key: Any) -> Any:
        engine = planted(NOW, 1)
        try:
            with Session(engine) as garden:
                return run(garden, actor, 1)
        finally:
            engine.dispose()

    return within


def _get(session: Session, actor: Actor, key: int) -> Any:
    return customers.get(session, actor, "customers.view", key)


def _contact(session: Session, actor: Actor, key: int) -> Any:
    return follow_ups.record(session, actor, key, channel=Channel.PHONE, note="Called.", now=NOW)


def declared(config: TableConfig) -> Iterator[Try]:
    """What the declaration lets people do, each with its permission."""
    edits: dict[str, list[str]] = {}
    for column in config.columns:
        if column.edit is not None:
            edits.setdefault(column.edit, []).append(column.name)
    if config.edit is not None:
        names = [one.name if isinstance(one, Input) else one for one in config.edit.fields]
        edits.setdefault(config.edit.needs, []).extend(names)
    for needs, fields in edits.items():
        # Two tables may save by one service: what one page grants is then granted on the other.
        also = tuple(
            (column.edit, other)
            for other in tables()
            if other.save is config.save and other.name != config.name
            for column in other.columns
            if column.name == fields[0] and column.edit is not None
        )
        yield Try(f"{config.name}: edit {fields[0]}", needs, _saves(config, fields[0]), config, also)
    if config.add is not None:
        add = config.add
        yield Try(f"{config.name}: add", add.needs, lambda s, a, _: add.run(s, a, {}, NOW))
    for action in config.doings:
        yield Try(f"{config.name}: {action.name}", action.needs, _acts(action.run, action), config)
        if action.undo is not None:
            # What was done may have taken the row to another table of the same rows.
            also = tuple((action.needs, other) for other in tables() if other.model is config.model)
            yield Try(
                f"{config.name}: undo {action.name}", action.needs, _acts(action.undo, action), config, also, False
            )


def sharing(config: TableConfig) -> Try:
    """To show a view of one's own to everybody who may open the table, whose view is kept beside whatever database."""

    def run(session: Session, actor: Actor, _key: Any) -> None:
        kept = SavedView(account_id=actor.account_id or 0, table_name=config.name, name="Mine", query="")
        if actor.may(config.share):
            session.add(kept)
            session.flush()
        saved_views.share(session, actor, config.name, config.share, kept.id or 0, 1, True)

    return Try(f"{config.name}: share a view", config.share, run)


def _saves(config: TableConfig, name: str) -> Callable[[Session, Actor, Any], Any]:
    def run(session: Session, actor: Actor, key: Any) -> Any:
        row = session.get(config.model, key)
        value = getattr(row, name) if row is not None else "1"
        return config.save(session, actor, key, getattr(row, config.version, 1), {name: value}, NOW)  # type: ignore[misc]

    return run


def _acts(do: Any, action: Any) -> Callable[[Session, Actor, Any], Any]:
    def run(session: Session, actor: Actor, key: Any) -> Any:
        return do(session, actor, [key], NOW, **{one.name: _filled(session, one) for one in action.params})

    return run


def _filled(session: Session, one: Input) -> Any:
    """Something to fill in: the first choice, tomorrow, a word."""
    if one.choices is not None:
        return next(iter(one.choices(session, SYSTEM)), None)
    return {"date": (NOW + timedelta(days=1)).date(), "number": 1, "money": 1, "yes_no": True}.get(
        str(one.kind), "word"
    )
