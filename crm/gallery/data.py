"""Three greenhouses full of plants, in memory."""

import random
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, StaticPool

from crm.gallery.model import Care, Garden, Gardener, Greenhouse, Light, Plant
from crm.store.engine import make_engine
from crm.store.session import writing

NAMES = ("Aloe 芦荟", "Basil 罗勒", "Camellia 山茶", "Fern 蕨", "Ivy 常春藤", "Lotus 莲", "Orchid 兰花", "Peony 牡丹")
HOUSES = ((1001, "Palm house", 24), (1002, "Orangery", 12), (1003, "Nursery", 18))
GARDENERS = ("Flora", "Linné", "陶渊明")


def planted(now: datetime, count: int = 240) -> Engine:
    """A new garden with so many plants, the same ones each time but for the dates."""
    engine = make_engine("sqlite:///:memory:", poolclass=StaticPool)
    Garden.metadata.create_all(engine)
    chance = random.Random(1)
    with writing(engine) as session:
        session.add_all([Greenhouse(code=code, name=name, degrees=degrees) for code, name, degrees in HOUSES])
        session.add_all([Gardener(id=number, name=name) for number, name in enumerate(GARDENERS, 1)])
        session.flush()
        session.add_all([_plant(number, chance, now.astimezone(UTC)) for number in range(1, count + 1)])
        session.flush()
        session.add_all([Care(plant_id=number, gardener_id=1 + number % 3) for number in range(1, count + 1)])
    return engine


def _plant(number: int, chance: random.Random, now: datetime) -> Plant:
    return Plant(
        name=chance.choice(NAMES),
        label=f"P{number:04}",
        light=chance.choice([*Light, None]),
        greenhouse_code=chance.choice([code for code, _name, _degrees in HOUSES]),
        mother_id=number - 7 if number % 5 == 0 and number > 7 else None,
        height=round(chance.uniform(3, 180), 1),
        leaves=chance.randint(3, 400),
        price=chance.randint(300, 20_000),
        moisture=chance.randint(5, 100),
        sold=chance.random() < 0.2,
        sown=(now - timedelta(days=chance.randint(10, 900))).date(),
        watered_at=now - timedelta(hours=chance.randint(1, 90)),
        note=chance.choice([None, None, "Repot in spring.", "春天换盆。"]),
    )
