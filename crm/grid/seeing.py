"""What of a declaration one person gets to see: by their permissions, and by what they chose to hide."""

from collections.abc import Mapping
from dataclasses import replace

from crm.grid.config import Column, Search, TableConfig
from crm.rbac import Actor


def visible(config: TableConfig, actor: Actor) -> tuple[Column, ...]:
    """The columns that the actor may see."""
    return tuple(column for column in config.columns if sees(config, actor, column))


def sees(config: TableConfig, actor: Actor, column: Column) -> bool:
    """Whether the actor may see the column, in every row that the table shows them.

    A column is drawn for all rows or for none. Who may see it in fewer rows than they may open does not see it here.
    """
    if column.see is None:
        return True
    actor = actor.looking()
    reach, opens = actor.reach(column.see), actor.reach(config.permission)
    return reach is not None and (opens is None or reach >= opens)


def seen_by(config: TableConfig, actor: Actor) -> TableConfig:
    """The table without the ways to learn what a column holds that the actor may not see.

    Nobody searches in it, filters by it or puts the rows in its order. The columns stay, for who asks by name.
    """
    closed = {column.name for column in config.columns} - {column.name for column in visible(config, actor)}
    if not closed:
        return config
    return replace(
        config,
        columns=tuple(replace(one, sortable=False) if one.name in closed else one for one in config.columns),
        sorts=None if config.sorts is None else tuple(name for name in config.sorts if name not in closed),
        filters=tuple(one for one in config.filters if one.source not in closed),
        search=tuple(one for one in config.search if (one.field if isinstance(one, Search) else one) not in closed),
    )


def may_hide(config: TableConfig, actor: Actor) -> tuple[Column, ...]:
    """The columns that the actor can show and hide: not those by which they know the row."""
    return tuple(column for column in visible(config, actor) if not column.pinned)


def hidden(config: TableConfig, actor: Actor, chosen: Mapping[str, bool]) -> frozenset[str]:
    """The columns that are left out: as chosen, else as declared. One always stays."""
    found = [column.name for column in may_hide(config, actor) if not chosen.get(column.name, not column.hidden)]
    return frozenset(found[1:] if len(found) == len(visible(config, actor)) else found)
