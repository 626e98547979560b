"""What can be done with plants: services as a table wants them, none longer than it must be."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.errors import Conflict, Invalid, NotFound
from crm.gallery.model import Greenhouse, Plant
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
    """Save against the version that was seen. A sold plant keeps its price."""
    actor.require(EDIT)
    plant = session.get(Plant, plant_id, populate_existing=True)
    if plant is None:
        raise NotFound(says("There is no such plant."))
    if plant.version != version:
        theirs = {name: getattr(plant, name) for name in changes}
        raise Conflict(says("Somebody else changed {name} since you saw it.", name=plant.name), theirs)
    if plant.sold and "price" in changes:
        raise Invalid.of({"price": says("It is sold, so its price stays.")})
    for name, value in changes.items():
        setattr(plant, name, value)
    plant.version += 1
    return plant.version


def add(session: Session, actor: Actor, values: Mapping[str, Any], _now: datetime) -> Plant:
    """Add a plant. A label is given once."""
    actor.require(EDIT)
    if session.scalar(select(func.count()).where(col(Plant.label) == values["label"])):
        raise Invalid.of({"label": says("{name} is taken.", name=values["label"])})
    plant = Plant(**values)
    session.add(plant)
    session.flush()
    return plant


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


def _change(session: Session, ids: Sequence[int], **values: Any) -> None:
    session.execute(
        update(Plant).where(col(Plant.id).in_(ids)).values(**values, version=col(Plant.version) + 1),
        execution_options={"synchronize_session": False},
    )
