"""Edits find their rows: by the snapshot that was drawn, whatever happens meanwhile."""

from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from crm.grid.edits import TICK, Change, Edits, Memory, Snapshot, drawing, new_edits, received
from crm.grid.values import Rule
from crm.i18n import says

ZONE = ZoneInfo("Asia/Shanghai")
RULES = {"name": Rule("text", required=True, length=10), "pages": Rule("number", least=1)}


def a_snapshot(*names: str, first: int = 11) -> Snapshot:
    """Rows 11, 12, ... at version 1 with these names and no pages, none ticked."""
    ids = tuple(range(first, first + len(names)))
    return Snapshot(ids, (1,) * len(ids), tuple({TICK: False, "name": name, "pages": None} for name in names))


def edits_of(overlay: dict[int, dict[str, Any]], seen: Any = None, snapshot: Snapshot | None = None) -> Edits:
    return new_edits(overlay, seen or {}, snapshot or a_snapshot("A", "B"), RULES, ZONE)


def test_a_position_becomes_the_key_and_version_that_were_drawn():
    edits = edits_of({1: {"name": "new"}})

    assert edits.changes == (Change(12, 1, {"name": "new"}),)


def test_what_was_seen_before_is_not_saved_again():
    edits = edits_of({0: {"name": "new"}, 1: {"pages": 7}}, seen={0: {"name": "new"}})

    assert edits.changes == (Change(12, 1, {"pages": 7}),)


def test_a_to_b_to_a_is_two_edits():
    there = edits_of({0: {"name": "B"}})
    back = edits_of({}, seen={0: {"name": "B"}})

    assert there.changes == (Change(11, 1, {"name": "B"}),)
    assert back.changes == (Change(11, 1, {"name": "A"}),)


def test_typing_what_is_there_already_changes_nothing():
    edits = edits_of({0: {"name": "A "}})

    assert edits == Edits()


def test_several_cells_of_a_row_are_one_change():
    edits = edits_of({0: {"name": "new", "pages": 5}})

    assert edits.changes == (Change(11, 1, {"name": "new", "pages": 5}),)


def test_a_position_that_was_not_drawn_is_refused():
    edits = edits_of({2: {"name": "new"}, -1: {"name": "new"}})

    assert edits.changes == ()
    assert edits.forged
    assert {str(fault.why) for fault in edits.faults} == {"There is no such row."}


def test_a_column_that_may_not_be_edited_is_refused():
    edits = edits_of({0: {"version": 99, "name": "new"}})

    assert edits.changes == (Change(11, 1, {"name": "new"}),)
    assert edits.forged
    assert [(fault.field, str(fault.why)) for fault in edits.faults] == [("version", "This cannot be edited here.")]


def test_a_value_that_cannot_be_read_harms_no_other_cell():
    edits = edits_of({0: {"pages": "many", "name": "new"}, 1: {"pages": 0}})

    assert edits.changes == (Change(11, 1, {"name": "new"}),)
    assert [(fault.id, fault.why) for fault in edits.faults] == [
        (11, says("{value} cannot be read here.", value="many")),
        (12, says("At least {least}.", least=1)),
    ]


def test_a_tick_is_no_change_of_a_row():
    edits = edits_of({0: {TICK: True}}, seen={1: {TICK: True}})

    assert edits.changes == ()
    assert edits.ticks == {11: True, 12: False}


def test_ones_own_save_is_no_conflict_with_oneself():
    memory = Memory(drawn=a_snapshot("A", "B")).saved({11: 4})

    _memory, edits = received(memory, {0: {"name": "new"}}, RULES, ZONE)

    assert edits.changes == (Change(11, 4, {"name": "new"}),)


def test_the_frame_stands_still_under_the_overlay():
    memory, _edits = received(Memory(drawn=a_snapshot("A", "B")), {0: {"name": "new"}}, RULES, ZONE)

    after, kept = drawing(memory, a_snapshot("new", "B"), {0: {"name": "new"}}, RULES, ZONE)

    assert after.epoch == memory.epoch
    assert kept == {0: {"name": "A"}}


def test_a_value_that_a_service_tidied_makes_the_editor_new():
    memory, _edits = received(Memory(drawn=a_snapshot("A", "B")), {0: {"name": "new"}}, RULES, ZONE)

    after, kept = drawing(memory, a_snapshot("New!", "B"), {0: {"name": "new"}}, RULES, ZONE)

    assert (after.epoch, kept) == (memory.epoch + 1, {})


def test_other_rows_make_the_editor_new():
    memory = Memory(drawn=a_snapshot("A", "B"))

    after, _kept = drawing(memory, a_snapshot("B", "C", first=12), {}, RULES, ZONE)

    assert (after.epoch, after.drawn.ids) == (1, (12, 13))


def test_a_cell_that_somebody_else_changed_makes_the_editor_new():
    memory = Memory(drawn=a_snapshot("A", "B"))

    after, _kept = drawing(memory, a_snapshot("A", "Theirs"), {}, RULES, ZONE)

    assert after.epoch == 1


def test_the_same_rows_keep_the_editor_whatever_their_versions():
    memory = Memory(drawn=a_snapshot("A", "B"))
    newer = replace(a_snapshot("A", "B"), versions=(5, 6))

    after, kept = drawing(memory, newer, {}, RULES, ZONE)

    assert (after.epoch, after.drawn.versions, kept) == (0, (5, 6), {})


def test_an_editor_that_was_out_of_sight_comes_back_as_a_new_one():
    memory, _edits = received(Memory(drawn=a_snapshot("A", "B")), {0: {"name": "new"}}, RULES, ZONE)

    after, _kept = drawing(memory, a_snapshot("new", "B"), {}, RULES, ZONE)

    assert after.epoch == memory.epoch + 1


@dataclass
class Browser:
    """An editor as the browser keeps it: a frame, its rows, and on top an overlay that holds what differs."""

    epoch: int
    ids: tuple[int, ...]
    frame: list[dict[str, Any]]
    overlay: dict[int, dict[str, Any]] = field(default_factory=dict)

    def type(self, position: int, name: str, value: Any) -> None:
        if self.frame[position][name] == value:
            self.overlay.get(position, {}).pop(name, None)
            if not self.overlay.get(position, True):
                del self.overlay[position]
        else:
            self.overlay.setdefault(position, {})[name] = value

    def tidy(self) -> bool:
        """What the frame says by itself leaves the overlay, as a new frame arrives. Whether anything did."""
        equal = [
            (place, name) for place, row in self.overlay.items() for name in row if self.frame[place][name] == row[name]
        ]
        for place, name in equal:
            self.type(place, name, self.frame[place][name])
        return bool(equal)

    def shows(self, position: int, name: str) -> Any:
        return self.overlay.get(position, {}).get(name, self.frame[position][name])


@dataclass
class World:
    """A database, one person's browser, the server between them, and somebody else."""

    rows: dict[int, dict[str, Any]]
    order: str = "name"
    above: int = 0
    page: int = 0
    memory: Memory = field(default_factory=Memory)
    browser: Browser = field(default_factory=lambda: Browser(-1, (), []))
    waiting: Browser | None = None

    def draw(self) -> None:
        """The server draws; the drawing waits until the browser gets it."""
        found = [row for row in self.rows if self.rows[row]["pages"] >= self.above]
        ids = tuple(sorted(found, key=lambda row: (self.rows[row][self.order], row))[self.page * 3 :][:3])
        cells = tuple({name: self.rows[row][name] for name in ("name", "pages")} for row in ids)
        truth = Snapshot(ids, tuple(self.rows[row]["version"] for row in ids), cells)
        known = self.browser.overlay if self.browser.epoch == self.memory.epoch else {}
        self.memory, kept = drawing(self.memory, truth, known, RULES, ZONE)
        frame = [{**row, **kept.get(place, {})} for place, row in enumerate(truth.cells)]
        self.waiting = Browser(self.memory.epoch, ids, frame)

    def deliver(self) -> None:
        """The browser gets the last drawing. The editor stays what it was where its key is the same."""
        if self.waiting is not None:
            same = self.waiting.epoch == self.browser.epoch
            self.browser = replace(self.waiting, overlay=self.browser.overlay if same else {})
            self.waiting = None
            if self.browser.tidy():
                assert self.send() == (), "nobody typed anything"

    def edit(self, position: int, name: str, value: Any) -> None:
        """The person types; the overlay goes to the server, which saves and draws."""
        if position >= len(self.browser.ids):
            return
        row = self.browser.ids[position]
        undisturbed = self.browser.epoch == self.memory.epoch and self.is_as_drawn(position)
        self.browser.type(position, name, value)
        for change in self.send():
            assert change.id == row, "an edit landed on another row"
            assert dict(change.fields) == {name: value}, "an edit landed on another cell, or changed on its way"
        assert not undisturbed or self.rows[row][name] == value, "an edit was lost"

    def is_as_drawn(self, position: int) -> bool:
        """Whether nobody else changed the row since the server drew it."""
        drawn = self.memory.drawn.at_least(self.memory.versions)
        stored = self.rows.get(drawn.ids[position])
        return stored is not None and stored["version"] == drawn.versions[position]

    def send(self) -> tuple[Change, ...]:
        """The overlay goes to the server, which saves what is new in it and draws. What it saved."""
        if self.browser.epoch != self.memory.epoch:
            return ()  # The server has drawn a new editor meanwhile, and drops what the old one sends.
        self.memory, edits = received(self.memory, self.browser.overlay, RULES, ZONE)
        assert not edits.forged
        for change in edits.changes:
            self.save(change)
        self.draw()
        return edits.changes

    def save(self, change: Change) -> None:
        stored = self.rows.get(change.id)
        if stored is None or stored["version"] != change.version:
            self.memory = self.memory.renewed()
            return
        stored.update(change.fields, version=change.version + 1)
        self.memory = self.memory.saved({change.id: change.version + 1})


NAMES = st.sampled_from(["a", "b", "c", "d"])
PAGES = st.integers(1, 4)
STEPS = st.one_of(
    st.tuples(st.just("edit"), st.integers(0, 2), st.just("name"), NAMES),
    st.tuples(st.just("edit"), st.integers(0, 2), st.just("pages"), PAGES),
    st.tuples(st.just("edit and see"), st.integers(0, 2), st.just("name"), NAMES),
    st.tuples(st.just("edit and see"), st.integers(0, 2), st.just("pages"), PAGES),
    st.tuples(st.just("see")),
    st.tuples(st.just("sort"), st.sampled_from(["name", "pages"])),
    st.tuples(st.just("filter"), PAGES),
    st.tuples(st.just("turn"), st.integers(0, 1)),
    st.tuples(st.just("somebody changes"), st.integers(1, 8), NAMES, PAGES),
    st.tuples(st.just("somebody adds"), NAMES, PAGES),
    st.tuples(st.just("somebody deletes"), st.integers(1, 8)),
)


def take(world: World, step: tuple[Any, ...]) -> None:
    """One step of the story."""
    match step:
        case ("edit", position, name, value):
            world.edit(position, name, value)
        case ("edit and see", position, name, value):
            world.edit(position, name, value)
            world.deliver()
        case ("see",):
            world.deliver()
        case ("sort", name):
            world.order = name
            world.draw()
        case ("filter", least):
            world.above, world.page = least, 0
            world.draw()
        case ("turn", page):
            world.page = page
            world.draw()
        case ("somebody changes", row, name, pages) if row in world.rows:
            version = world.rows[row]["version"] + 1
            world.rows[row] = {"name": name, "pages": pages, "version": version}
        case ("somebody adds", name, pages):
            world.rows[max(world.rows, default=0) + 1] = {"name": name, "pages": pages, "version": 1}
        case ("somebody deletes", row):
            world.rows.pop(row, None)


@settings(max_examples=400, deadline=None)
@given(steps=st.lists(STEPS, max_size=25))
def test_no_edit_ever_lands_on_another_row(steps: list[tuple[Any, ...]]):
    rows = {row: {"name": "abcdefgh"[row - 1], "pages": row % 4 + 1, "version": 1} for row in range(1, 7)}
    world = World(rows)
    world.draw()
    world.deliver()

    for step in steps:
        take(world, step)

    world.draw()
    world.deliver()
    for place, row in enumerate(world.browser.ids):
        for name in ("name", "pages"):
            assert world.browser.shows(place, name) == world.rows[row][name], "the screen tells another story"
