"""Checks of a declaration. Each fault names table, option, value and remedy; all are returned at once.

For developers, at import, so in English only.
"""

from contextlib import suppress
from datetime import date
from urllib.parse import parse_qs

from crm.grid.action_checks import check_actions
from crm.grid.config import Column, Search, TableConfig
from crm.grid.faults import (
    NAME,
    Faults,
    is_permission,
    known,
    labelled,
    meant,
    name_of,
    one_of,
    parameters,
    reached,
    takes,
    twice,
)
from crm.grid.fields import KINDS, Fact, Model, Unknown, facts, unique
from crm.grid.filters import AnyOf, Filter, Related, Unparsable
from crm.grid.form_checks import check_forms, of_search
from crm.grid.ranges import DateRange, NumberRange
from crm.grid.view import ANY, OWN_KEYS

NUMBERS = ("number", "decimal", "money")
MOST_ROWS = 1000


def check(config: TableConfig) -> list[str]:
    """Every fault of a declaration of the right shape, one sentence each, beginning with the table's name."""
    parts = (
        _table(config),
        _columns(config),
        _search(config),
        _filters(config),
        _begins(config),
        check_forms(config),
        check_actions(config),
    )
    return [f"{config.name}: {fault}" for part in parts for fault in part]


def _table(config: TableConfig) -> Faults:
    fields = facts(config.model)
    if not NAME.fullmatch(config.name):
        yield f"name is {config.name!r}. Use small letters, digits and hyphens, as in an address."
    if config.view:
        yield from is_permission("view", config.view)
    yield from known("key", config.key, config.model)
    if config.save is not None:
        yield from known("version", config.version, config.model)
    name = config.order.removeprefix("-")
    ordered = {column.name: column.order for column in config.columns}
    if name not in fields and name in ordered and ordered[name] is None:
        yield f"sort names {name!r}, which is computed. The database sorts, so name a field of {name_of(config.model)}."
    elif ordered.get(name) is None:
        yield from known("sort", name, config.model)
    # By the order in which the list begins everybody sees it, whatever columns they may see.
    if any(column.name == name and column.see not in (None, config.permission) for column in config.columns):
        yield f"sort names {name!r}, whose column not everybody may see, so its order would tell. Name another field."
    yield from twice("sorts", config.sorts or ())
    for index, name in enumerate(config.sorts or ()):
        if name not in ordered:
            yield f"sorts[{index}] names {name!r}, which is not a column.{meant(name, ordered)}"
        elif name not in fields and ordered[name] is None:
            yield f"sorts[{index}] names {name!r}, which is computed. Give its column an order=, or leave it out."
    if not config.page_sizes:
        yield "page_sizes is empty. Give at least one, the default first."
    for index, size in enumerate(config.page_sizes):
        if not 1 <= size <= MOST_ROWS:
            yield f"page_sizes[{index}] is {size}. A page has 1 to {MOST_ROWS} rows."
    yield from twice("page_sizes", config.page_sizes)
    if config.cap < 1:
        yield f"cap is {config.cap}. Count at least 1 row."
    if config.prefix and not NAME.fullmatch(config.prefix):
        yield f"prefix is {config.prefix!r}. Use small letters, digits, hyphens and underscores."
    timed = callable(config.rows) and "now" in parameters(config.rows)
    yield from takes("rows", config.rows, 3 if timed else 2, "(session, actor) or (session, actor, now)")
    for option in ("export", "share"):
        if getattr(config, option):
            yield from is_permission(option, getattr(config, option))
    if config.save is not None:
        yield from takes("save", config.save, 6, "(session, actor, key, version, changes, now)")
    if config.detail is not None:
        yield from takes("detail", config.detail, 2, "(actor, key)")
    if config.called is not None:
        yield from takes("called", config.called, 2, "(session, keys)")
    if config.locked is not None:
        yield from takes("locked", config.locked, 3, "(session, actor, rows)")
        if config.save is None:
            yield "locked is given, but the table has no save. Give save=, or leave locked out."


def _columns(config: TableConfig) -> Faults:
    if not config.columns:
        yield "columns is empty. Declare at least one Column."
    yield from twice("columns", [column.name for column in config.columns])
    for index, column in enumerate(config.columns):
        where = f"columns[{index}]"
        fact = facts(config.model).get(column.name)
        if column.related:
            yield from _related(config, where, column)
            continue
        if not column.computed:
            for fault in known(where, column.name, config.model):
                yield f"{fault} A computed column needs value= or look_up=."
        if fact is not None or column.computed:
            yield from labelled(config, f"{where} {column.name!r}", column.name, column.label)
        yield from _column(config, where, column, fact)


def _column(config: TableConfig, where: str, column: Column, fact: Fact | None) -> Faults:
    if column.value is not None and column.look_up is not None:
        yield f"{where} {column.name!r} has both value and look_up. Keep one."
    if column.value is not None:
        yield from takes(f"{where}.value", column.value, 2, "(row, now)")
    if column.look_up is not None:
        yield from takes(f"{where}.look_up", column.look_up, 3, "(session, rows, now)")
    if column.show is not None:
        yield from takes(f"{where}.show", column.show, 1, "(value)")
    if column.width < 0:
        yield f"{where}.width is {column.width}. Give pixels, or leave width out."
    if column.hidden and column.pinned:
        yield f"{where} {column.name!r} is pinned, so it cannot be hidden. Leave one out."
    if column.choose is not None:
        yield from takes(f"{where}.choose", column.choose, 2, "(session, actor)")
        if fact is None or fact.target is None or column.computed:
            yield f"{where}.choose is for a foreign key, which {column.name!r} is not. Leave choose out."
    if column.order is not None and not hasattr(column.order, "asc"):
        yield f"{where}.order is {column.order!r}. Give an SQL expression to sort by, such as a column of the model."
    for option in ("edit", "see"):
        if getattr(column, option) is not None:
            yield from is_permission(f"{where}.{option}", getattr(column, option))
    if column.edit is not None:
        if column.computed:
            yield f"{where} {column.name!r} is computed, so it cannot have edit. Leave edit out."
        elif column.name in (config.key, config.version):
            yield f"{where} {column.name!r} is the table's key or version, which nobody edits. Leave edit out."
        elif config.save is None:
            yield f"{where} {column.name!r} has edit, but the table has no save. Give save=, or leave edit out."
    if column.kind is not None:
        yield from one_of(f"{where}.kind", column.kind, KINDS)
        if column.kind != "money" and fact is not None and not column.computed and column.kind != fact.kind:
            yield f"{where} {column.name!r} is {column.kind}, but the field is {fact.kind}. Leave kind out."
        if column.kind == "money" and fact is not None and fact.kind != "number":
            yield f"{where} {column.name!r} is money, but the field is no whole number. Keep cents in an int."
    if column.sortable and column.order is None and (column.computed or fact is None):
        yield f"{where} {column.name!r} is computed, so it cannot be sortable. Leave sortable out."
    yield from _look(where, column, column.kind or (fact.kind if fact is not None and not column.computed else "text"))
    if fact is not None and fact.target is not None and not column.computed:
        yield from known(f"{where}.shows", column.shows, fact.target[0])


def _related(config: TableConfig, where: str, column: Column) -> Faults:
    fact, faults = reached(where, column.name, config.model)
    yield from faults
    for option in ("edit", "order", "sortable"):
        if getattr(column, option):
            yield f"{where} {column.name!r} is a field of a related row, so it cannot have {option}. Leave it out."
    if fact is not None:
        yield from labelled(config, f"{where} {column.name!r}", column.name, column.label)
        yield from _look(where, column, column.kind or fact.kind)


def _look(where: str, column: Column, kind: str) -> Faults:
    """Badge, bar and link: one of them, and of what it can be made."""
    looks = [name for name in ("tone", "progress", "link") if getattr(column, name) is not None]
    if len(looks) > 1:
        yield f"{where} {column.name!r} has {' and '.join(looks)}. A cell looks one way, so keep one."
    if column.tone is not None:
        yield from takes(f"{where}.tone", column.tone, 1, "(value)")
    if column.link is not None:
        yield from takes(f"{where}.link", column.link, 1, "(row)")
    if column.progress is not None and column.progress <= 0:
        yield f"{where}.progress is {column.progress}. Give the number at which the bar is full."
    if column.progress is not None and kind not in ("number", "decimal"):
        yield f"{where} {column.name!r} has progress, but it is no number. Give kind='number', or leave progress out."


def _search(config: TableConfig) -> Faults:
    for index, declared in enumerate(config.search):
        one = declared if isinstance(declared, Search) else Search(declared)
        fact, faults = reached(f"search[{index}]", one.field, config.model)
        yield from faults
        yield from of_search(f"search[{index}]", one)
        if one.index is not None and one.match != "contains":
            yield f"search[{index}] {one.field!r} has index, which only serves contains. Leave index out."
        if fact is not None and fact.kind not in ("text", "long") and one.match != "exact":
            yield (
                f"search[{index}] names {one.field!r}, which is no text, so only the whole of it can be found. "
                f"Use Search({one.field!r}, match='exact')."
            )
        if fact is not None:
            yield from labelled(config, f"search[{index}] {one.field!r}", one.field.split(".")[0], None)


def _filters(config: TableConfig) -> Faults:
    yield from twice("filters", [one.name for one in config.filters])
    for index, one in enumerate(config.filters):
        where = f"filters[{index}]"
        if one.name in OWN_KEYS:
            yield f"{where} is named {one.name!r}, which the address keeps for itself. Rename it and give field=."
        fact, faults = reached(where, one.source, config.model)
        yield from faults
        if fact is not None:
            yield from _fits(where, one, fact)
            yield from labelled(config, f"{where} {one.name!r}", one.name, one.label)


def _begins(config: TableConfig) -> Faults:
    """It names filters, in the words in which the address has them."""
    asked = parse_qs(config.begins, keep_blank_values=True)
    known = {one.name: one for one in config.filters}
    for name, raw in asked.items():
        if name not in known:
            yield f"begins names {name!r}, which is not a filter.{meant(name, known)}"
            continue
        one = known[name].on(date(2000, 1, 1))
        try:
            written = one.write(one.read(raw, config.model))
        except Unparsable as unread:
            yield f"begins has {name}={raw[-1]}, which its filter cannot read: {unread}"
        except Unknown:
            continue  # Told of the filter.
        else:
            if written != raw:
                yield f"begins has {name}={raw[-1]}, which the address writes {name}={written[-1]}. Write it so."
        with suppress(Unparsable):
            one.read([ANY], config.model)
            yield f"begins names {name!r}, of which {ANY!r} is a choice, so nothing would say that it is cleared."


def _fits(where: str, one: Filter, fact: Fact) -> Faults:
    if isinstance(one, AnyOf):
        if fact.kind not in ("choice", "yes_no") and one.choices is None:
            yield f"{where} {one.name!r} has no choices of its own in the model. Give choices=(session, actor) -> dict."
        if one.choices is not None:
            yield from takes(f"{where}.choices", one.choices, 2, "(session, actor)")
    elif isinstance(one, Related):
        if fact.target is None:
            yield f"{where} names {one.source!r}, which is no foreign key. Name one, or use AnyOf."
        else:
            yield from known(f"{where}.shows", one.shows, fact.target[0])
            yield from _key(where, one, fact.target[0])
        if one.rows is not None:
            yield from takes(f"{where}.rows", one.rows, 2, "(session, actor)")
    elif isinstance(one, DateRange) and fact.kind not in ("date", "moment"):
        yield f"{where} names {one.source!r}, which is neither a date nor a moment. Use another filter."
    elif isinstance(one, NumberRange) and fact.kind not in NUMBERS:
        yield f"{where} names {one.source!r}, which is no number. Use another filter."


def _key(where: str, one: Related, target: Model) -> Faults:
    """The other key is a field that names one row."""
    if not one.key:
        return
    yield from known(f"{where}.key", one.key, target)
    if one.key in facts(target) and not unique(target, one.key):
        yield f"{where}.key is {one.key!r}, which several rows of {name_of(target)} may share. Name a unique field."
