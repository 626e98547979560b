"""Where the drawing part keeps things: the URL, the session's memory of one table, the sentences to say next."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from crm.errors import ThanosError
from crm.grid.config import TableConfig
from crm.grid.edits import Memory
from crm.grid.seeing import seen_by
from crm.grid.site import Connection
from crm.grid.view import View, owns, read_view, write_view
from crm.i18n import Language, language, marked, set_reader
from crm.i18n.reader import reader_zone
from crm.rbac import Actor


@dataclass(frozen=True)
class Here:
    """One table on one person's screen. Callbacks carry it, and ask for the person again before they act.

    `config` is the table as this person gets to see it, of what was `declared`.
    """

    config: TableConfig
    actor: Actor
    language: Language
    zone: ZoneInfo
    declared: TableConfig

    @classmethod
    def now(cls, config: TableConfig, actor: Actor) -> "Here":
        """The table for this run's reader."""
        made = cls(config, actor, language(), reader_zone.get() or ZoneInfo("UTC"), config)
        return made._as(actor)

    @property
    def connection(self) -> Connection:
        """The site's sessions, clock and person."""
        if self.config.site is None:
            raise TypeError(f"the table {self.config.name!r} is not registered: use what site.register returns")
        return self.config.site.connection(self.config.name)

    def again(self) -> "Here | None":
        """The same for the person as of now, in their language; None if they may no longer see the table.

        Fragments and callbacks run without the page, so nothing that the page checked holds there.
        """
        set_reader(self.language, self.zone)
        actor = self.connection.who(self.actor)
        if actor is None or not actor.looking().may(self.config.permission):
            return None
        return self._as(actor)

    def _as(self, actor: Actor) -> "Here":
        """The table at this moment, as far as that person sees it."""
        return replace(self, config=seen_by(self.declared.at(self.connection.now(), self.zone), actor), actor=actor)

    def key(self, part: str) -> str:
        """The key of a widget or of something remembered."""
        return f"{self.config.name}:{part}"

    def recall(self, part: str, default: Any = None) -> Any:
        """Something remembered of this table in this session."""
        return st.session_state.get(self.key(part), default)

    def recalls(self, part: str) -> bool:
        """Whether anything was remembered of it, None included."""
        return self.key(part) in st.session_state

    def remember(self, part: str, value: Any) -> None:
        """Remember it for this session."""
        st.session_state[self.key(part)] = value

    def forget(self, part: str) -> None:
        """Everything that is remembered below that part."""
        for key in [key for key in st.session_state if str(key).startswith(self.key(f"{part}:"))]:
            del st.session_state[key]

    def view(self) -> View:
        """The view that the URL names."""
        url = {key: st.query_params.get_all(key) for key in st.query_params}
        return read_view(self.config, url, {one.name for one in self.declared.filters})

    def go(self, view: View) -> None:
        """Put the view in the URL; the next drawing shows it.

        Not while the browser's *back* or *forward* moves the address: then a widget may still say what it showed
        before, which looks like a change, and obeying it would overwrite the address and cut off *forward*.
        """
        if _travelling():
            return
        self._write(write_view(self.config, view), keep=("open", "edit", "add", "delete"))

    def asked(self, key: str) -> str | None:
        """The value of one of the URL's own keys (`open`, `edit`, `add`, `delete`); None where it is not there."""
        return st.query_params.get(self.config.prefix + key)

    def ask(self, key: str, value: str | None) -> None:
        """Set or clear one of the URL's own keys, the view staying as it is."""
        current = {name: st.query_params.get_all(name) for name in st.query_params}
        current.pop(self.config.prefix + key, None)
        if value is not None:
            current[self.config.prefix + key] = [value]
        _to_url(current)

    def say(self, sentence: str, *, icon: str = ":material/check:") -> None:
        """A sentence for the next drawing, as a toast."""
        self.remember("said", [*self.recall("said", []), (sentence, icon)])

    def told(self) -> None:
        """Show what is to be said, once."""
        for sentence, icon in st.session_state.pop(self.key("said"), []):
            st.toast(sentence, icon=icon)

    @property
    def memory(self) -> Memory:
        """What is remembered of the editor."""
        found: Memory = self.recall("memory", Memory())
        return found

    def keep(self, memory: Memory) -> None:
        """Remember that of the editor."""
        self.remember("memory", memory)

    def _write(self, mine: Mapping[str, list[str]], keep: tuple[str, ...]) -> None:
        kept = {self.config.prefix + name for name in keep}
        others = {
            key: st.query_params.get_all(key) for key in st.query_params if key in kept or not owns(self.declared, key)
        }
        _to_url({**others, **mine})


def _travelling() -> bool:
    """Whether this run was asked for by the browser's *back* or *forward*."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def dialog_is_open() -> bool:
    """Whether this run has opened a dialog, of this table or of whatever else is on the page: there can be one."""
    context = get_script_run_ctx()
    return context is not None and context.has_dialog_opened


def _to_url(wanted: Mapping[str, list[str]]) -> None:
    if {key: st.query_params.get_all(key) for key in st.query_params} != dict(wanted):
        st.query_params.from_dict(dict(wanted))


@contextmanager
def telling(here: Here) -> Iterator[None]:
    """An error meant for people, raised inside, becomes a toast."""
    try:
        yield
    except ThanosError as error:
        here.say(marked(error.says), icon=":material/error:")


def seed(key: str, value: Any, called: Any = None) -> None:
    """The widget of that key shows `value`, whatever it showed before. Call before drawing it.

    `called` is the value in words, for a box of choices: the browser knows a choice by its words only, and goes on
    sending the old ones unless it is told the new (another language, a new name, a count behind it).
    """
    words, state = f"{key}:called", st.session_state
    if key not in state or state[key] != value or state.get(words) != called:
        state[key] = value
    if called is not None:
        state[words] = called


def stay_chosen(key: str, options: Iterable[Any], show: Callable[[Any], str]) -> None:
    """What was chosen in the box of that key stays chosen when it comes to be called otherwise. Call before drawing it.

    Not for boxes that are seeded. What is no option any more is left to the box.
    """
    held = st.session_state.get(key)
    chosen = held if isinstance(held, list) else [] if held is None else [held]
    if chosen and set(chosen) <= set(options):
        seed(key, held, [show(one) for one in chosen])
