"""What can be done with plants: services as a table wants them, none longer than it must be."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, func, select, update
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.errors import Conflict, Invalid, NotFound, Refused
from crm.gallery.model import Care, Gardener, Greenhouse, Plant
from crm.grid import Form
from crm.i18n import Says, says
from crm.rbac import Actor

EDIT = "gallery.edit"
RECOVERABLE = timedelta(days=30)
DRY_DAYS = 3


def growing(_session: Session, actor: Actor) -> SelectOfScalar[Plant]:
    """Every plant that was not thrown away."""
    actor.require("gallery.view")
    return select_rows(Plant).where(col(Plant.deleted_at).is_(None))


def save(
    session: Session, actor: Actor, plant_id: int, version: int, changes: Mapping[str, Any], _now: datetime
) -> int:
    """Save against the version that was seen; what `locked` says is refused here too."""
    actor.require(EDIT)
    plant = session.get(Plant, plant_id, populate_existing=True)
    if plant is None:
        raise NotFound(says("There is no such plant."))
    if plant.version != version:
        theirs = {name: getattr(plant, name) for name in changes}
        raise Conflict(says("Somebody else changed {name} since you saw it.", name=plant.name), theirs)
    why = locked(session, actor, [plant]).get(plant_id, {})
    if isinstance(why, Says):
        raise Refused(why)
    if why.keys() & changes.keys():
        raise Invalid.of(dict(why))
    for name, value in changes.items():
        if name == "gardener_ids":
            _care(session, plant_id, value)
        else:
            setattr(plant, name, value)
    plant.version += 1
    return plant.version


def locked(_session: Session, _actor: Actor, plants: Sequence[Any]) -> Mapping[int, Says | Mapping[str, Says]]:
    """Which plants, or which of their cells, nobody edits now, and why."""
    asleep = {one.id: says("{name} sleeps through the winter.", name=one.name) for one in plants if one.moisture < 10}
    sold = {one.id: {"price": says("It is sold, so its price stays.")} for one in plants if one.sold}
    return sold | asleep


class NewPlant(Form):
    """A form of one's own: a cutting stands where its mother stands, unless somebody says otherwise."""

    def clean(self, session: Session, actor: Actor, values: dict[str, Any], row: Any) -> dict[str, Any]:  # noqa: ARG002
        """The values with the greenhouse of the mother."""
        mother = session.get(Plant, values["mother_id"]) if values.get("mother_id") else None
        return {**values, "greenhouse_code": values.get("greenhouse_code") or (mother and mother.greenhouse_code)}


def add(session: Session, actor: Actor, values: Mapping[str, Any], _now: datetime) -> Plant:
    """Add a plant. A label is given once."""
    actor.require(EDIT)
    if session.scalar(select(func.count()).where(col(Plant.label) == values["label"])):
        raise Invalid.of({"label": says("{name} is taken.", name=values["label"])})
    gardeners = values.get("gardener_ids") or ()
    plant = Plant(**{name: value for name, value in values.items() if name != "gardener_ids"})
    session.add(plant)
    session.flush()
    _care(session, plant.id or 0, gardeners)
    return plant


def add_gardener(session: Session, actor: Actor, values: Mapping[str, Any], _now: datetime) -> Gardener:
    """Somebody new, chosen at once in the form that asked for them."""
    actor.require(EDIT)
    gardener = Gardener(**values)
    session.add(gardener)
    session.flush()
    return gardener


def water(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Says | None]:
    """Water plants; those that stand in water are refused."""
    actor.require(EDIT)
    wet = set(session.scalars(select(col(Plant.id)).where(col(Plant.id).in_(ids), col(Plant.moisture) > 90)))
    dry = [each for each in ids if each not in wet]
    _change(session, dry, moisture=100, watered_at=now)
    return {each: says("It stands in water already.") if each in wet else None for each in ids}


def move(
    session: Session, actor: Actor, ids: Sequence[int], _now: datetime, *, greenhouse_code: int, note: str | None
) -> Mapping[int, Says | None]:
    """Carry plants to another greenhouse."""
    actor.require(EDIT)
    _change(session, ids, greenhouse_code=greenhouse_code, **({"note": note} if note else {}))
    return dict.fromkeys(ids)


def sell(
    session: Session, actor: Actor, ids: Sequence[int], _now: datetime, *, seen: Mapping[int, int] | None = None
) -> Mapping[int, Says | None]:
    """Sell plants, of the versions that were `seen`, at the price that they had; `take_back` takes it back."""
    actor.require(EDIT)
    asked = select(col(Plant.id), col(Plant.version)).where(col(Plant.id).in_(ids))
    changed = {key for key, version in session.execute(asked) if seen is not None and version != seen.get(key)}
    _change(session, [each for each in ids if each not in changed], sold=True)
    return {each: says("It was changed meanwhile. Look at it again.") if each in changed else None for each in ids}


def take_back(session: Session, actor: Actor, ids: Sequence[int], _now: datetime) -> Mapping[int, Says | None]:
    """Undo of `sell`."""
    actor.require(EDIT)
    _change(session, ids, sold=False)
    return dict.fromkeys(ids)


def throw_away(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Says | None]:
    """Delete plants; `bring_back` takes it back."""
    actor.require(EDIT)
    _change(session, ids, deleted_at=now)
    return dict.fromkeys(ids)


def bring_back(session: Session, actor: Actor, ids: Sequence[int], _now: datetime) -> Mapping[int, Says | None]:
    """Undo of `throw_away`."""
    actor.require(EDIT)
    _change(session, ids, deleted_at=None)
    return dict.fromkeys(ids)


def heated(_session: Session, _actor: Actor) -> SelectOfScalar[Greenhouse]:
    """The greenhouses that a plant can be carried to in a cell of the table."""
    return select_rows(Greenhouse).where(col(Greenhouse.degrees) > 15)


def greenhouses(session: Session, _actor: Actor) -> Mapping[int, str]:
    """Every greenhouse by its code."""
    asked = select(col(Greenhouse.code), col(Greenhouse.name)).order_by(col(Greenhouse.code))
    return dict(map(tuple, session.execute(asked)))


def neighbours(session: Session, plants: Sequence[Any], _now: datetime) -> Mapping[int, int]:
    """How many stand in the same greenhouse, asked once for a whole page."""
    asked = (
        select(col(Plant.greenhouse_code), func.count())
        .where(col(Plant.deleted_at).is_(None))
        .group_by(col(Plant.greenhouse_code))
    )
    counts: dict[int | None, int] = dict(map(tuple, session.execute(asked)))
    return {plant.id: counts.get(plant.greenhouse_code, 1) - 1 for plant in plants}


def dry_in(plant: Any, now: datetime) -> int | None:
    """Days until it wants water."""
    return None if plant.watered_at is None else DRY_DAYS - (now - plant.watered_at).days


def how_long(watered_at: datetime) -> str:
    """The day and hour of a moment, without its year."""
    return f"{watered_at:%m-%d %H:%M} UTC"


def mothers(_session: Session, _actor: Actor) -> SelectOfScalar[Plant]:
    """Plants that can be grown from: those that were not sold."""
    return select_rows(Plant).where(col(Plant.deleted_at).is_(None), ~col(Plant.sold))


def called(plant: Plant) -> Says:
    """A plant among others of its kind."""
    return says("{name} · {label}", name=plant.name, label=plant.label)


def names(session: Session, _actor: Actor) -> Mapping[str, str]:
    """The kinds that grow here now."""
    return {name: name for name in session.scalars(select(col(Plant.name)).distinct().order_by(col(Plant.name)))}


def thirst(days: int) -> Literal["red", "orange"] | None:
    """The colour of the days until it wants water."""
    return "red" if days <= 0 else "orange" if days == 1 else None


def on_the_map(plant: Any) -> str:
    """Where to read of it."""
    return f"https://plants.example/{plant.label}"


def _care(session: Session, plant_id: int, gardeners: Sequence[int]) -> None:
    session.execute(delete(Care).where(col(Care.plant_id) == plant_id))
    session.add_all([Care(plant_id=plant_id, gardener_id=each) for each in gardeners])
    session.flush()


def _change(session: Session, ids: Sequence[int], **values: Any) -> None:
    session.execute(
        update(Plant).where(col(Plant.id).in_(ids)).values(**values, version=col(Plant.version) + 1),
        execution_options={"synchronize_session": False},
    )
