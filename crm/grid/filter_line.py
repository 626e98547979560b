"""The filters as widgets, one beside the other; on a phone they unfold from one button."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from sqlmodel import Session

from crm.grid.conditions import Presence
from crm.grid.counts import Counts
from crm.grid.filters import MANY_CHOICES, Filter, Ticked
from crm.grid.ranges import DateRange, NumberRange, Range, Today
from crm.grid.state import Here, seed, telling
from crm.grid.view import View
from crm.i18n import _, labelled, listed, show

FILTER_WIDTH = 165
# Between a choice and how many rows have it.
COUNT = " ("
Labels = Mapping[Any, str]


def unfold_button(here: Here, view: View) -> None:
    """Shows and hides the filters, where there is no room for them: elsewhere it is not seen."""
    if not here.config.filters:
        return
    number = len(view.filters)
    label = _("Filters ({count})", count=number) if number else _("Filters")
    shown = bool(here.recall("unfolded"))
    st.button(
        _("Hide filters") if shown else label,
        key=here.key("fold"),
        icon=":material/filter_list:",
        on_click=here.remember,
        args=("unfolded", not shown),
    )


def draw_filter(here: Here, view: View, one: Filter, session: Session, counts: Counts | None) -> Labels:
    """The widget of one filter. Returns what its choices are called."""
    if isinstance(one, Ticked):
        return _ticked(here, view, one, session, counts)
    if isinstance(one, Range):
        presence = one.presence(here.config.model)
        if not presence:
            _range(here, view, one)
            return {}
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xxsmall", width="content"):
            _range(here, view, one)
            st.menu_button(
                "∅",
                presence,
                format_func=lambda choice: str(choice.label),
                key=here.key(f"presence:{one.name}"),
                type="tertiary",
                help=_("{label}: is empty or not", label=here.config.label(one.name, one.label)),
                on_click=_asked_presence,
                args=(here, one),
            )
    return {}


def said(here: Here, view: View, one: Filter, labels: Labels) -> str:
    """What the filter is set to, for a chip."""
    value = view.filters[one.name]
    if isinstance(value, Presence):
        text = str(value.label)
    elif isinstance(one, Ticked):
        text = listed(labels.get(item, str(item)) for item in value)
    else:
        text = _ends(*(_("today") if isinstance(end, Today) else show(end) for end in value))
    return labelled(here.config.label(one.name, one.label), text)


def _ends(low: str, high: str) -> str:
    """A range as it is read, one that is open at an end too."""
    if not low:
        return _("up to {end}", end=high)
    return f"{low} – {high}" if high else _("from {start}", start=low)


def _ticked(here: Here, view: View, one: Ticked, session: Session, counts: Counts | None) -> Labels:
    key, value = here.key(f"filter:{one.name}"), list(view.filters.get(one.name, ()))
    offered, more = _offered(here, one, session, value)
    # What is ticked bears no number: the browser sends choices as they are called, so that must stand still.
    texts = {
        choice: f"{text}{COUNT}{show(counts.get(one.write((choice,))[0], 0))})"
        if counts is not None and choice not in value
        else text
        for choice, text in offered.items()
    }
    seed(key, value, [texts[choice] for choice in value])
    st.multiselect(
        str(here.config.label(one.name, one.label)),
        list(offered),
        format_func=lambda choice: texts.get(choice, str(choice)),
        key=key,
        placeholder=_("All"),
        help=_more(one) if more else None,
        accept_new_options=more and one.finds,
        width=FILTER_WIDTH,
        on_change=_chosen,
        args=(here, one, {text: choice for choice, text in offered.items()}),
    )
    return offered


def _offered(here: Here, one: Ticked, session: Session, value: list[Any]) -> tuple[dict[Any, str], bool]:
    """The choices by what they are called, those in use in any case, and whether there are more than are listed."""
    model = here.config.model
    every = {choice: str(text) for choice, text in one.offered(session, here.actor, model).items()}
    values = [choice for choice in every if not isinstance(choice, Presence)]
    for beyond in values[MANY_CHOICES:]:
        del every[beyond]
    absent = [choice for choice in value if choice not in every]
    if absent:
        named = one.named(session, here.actor, model, [choice for choice in absent if not isinstance(choice, Presence)])
        every |= {choice: str(named.get(choice, f"#{choice}")) for choice in absent}
    return every, len(values) > MANY_CHOICES


def _more(one: Ticked) -> str:
    if one.finds:
        return _("The first {count} are listed. Type what another is called and press Enter.", count=MANY_CHOICES)
    return _("Only the first {count} are listed.", count=MANY_CHOICES)


def _range(here: Here, view: View, one: Range) -> None:
    label, key = str(here.config.label(one.name, one.label)), here.key(f"filter:{one.name}")
    found = view.filters.get(one.name)
    low, high = (None, None) if found is None or isinstance(found, Presence) else found
    if isinstance(one, DateRange):
        # One without a beginning cannot be shown: a single day would read as the beginning. The chip says it.
        days = () if low is None else tuple(day for day in (low, high) if day is not None)
        # A range cannot be set from outside but by a new widget, so what it shows is in its key.
        key = f"{key}:{one.write(found)[0] if found else ''}"
        st.date_input(
            label,
            value=days,
            key=key,
            format="YYYY-MM-DD",
            width=FILTER_WIDTH + 55,
            on_change=_days,
            args=(here, one, key),
        )
    if isinstance(one, NumberRange):
        step = None if one.in_parts(here.config.model) else 1
        for end, number, name in (("low", low, _("{label} from", label=label)), ("high", high, _("to"))):
            seed(f"{key}:{end}", number)
            st.number_input(
                name, value=None, step=step, key=f"{key}:{end}", width=120, on_change=_numbers, args=(here, one)
            )


def _chosen(here: Here, one: Ticked, choices: Mapping[str, Any]) -> None:
    chosen = [_meant(item, choices) for item in here.recall(f"filter:{one.name}") or ()]
    listed = set(choices.values())
    value = [choice for choice in chosen if choice in listed]
    typed = [item for item in chosen if item not in listed]
    if typed and not one.finds:
        # Words from before are no choice: somebody was quicker than the page. The filter stays what it was.
        return
    for item in typed:
        value += _found(here, one, str(item))
    here.go(here.view().filtered(one.name, tuple(dict.fromkeys(value)) or None))


def _found(here: Here, one: Ticked, text: str) -> list[Any]:
    """The choice that was typed where not all are listed. None or several: that is said, and none is taken."""
    me = here.again()
    if me is None:
        return []
    with telling(me), me.connection.reading() as session:
        found = one.found(session, me.actor, me.config.model, text.strip())
        if len(found) == 1:
            return list(found)
        me.say(_("Nothing found.") if not found else _("Several are called like that. Type more of it."))
    return []


def _meant(item: Any, choices: Mapping[str, Any]) -> Any:
    """The choice: a quick hand sends one as it was called a moment ago, with another number behind it."""
    if not isinstance(item, str):
        return item
    return choices.get(item, choices.get(item.rpartition(COUNT)[0], item))


def _numbers(here: Here, one: NumberRange) -> None:
    ends = (here.recall(f"filter:{one.name}:low"), here.recall(f"filter:{one.name}:high"))
    here.go(here.view().filtered(one.name, None if ends == (None, None) else ends))


def _days(here: Here, one: DateRange, key: str) -> None:
    days = tuple(st.session_state.get(key) or ())
    if len(days) != 1:
        here.go(here.view().filtered(one.name, days or None))


def _asked_presence(here: Here, one: Range) -> None:
    asked = here.recall(f"presence:{one.name}")
    if asked in one.presence(here.config.model):
        here.go(here.view().filtered(one.name, asked))
