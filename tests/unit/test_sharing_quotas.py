"""Who can be given customers now."""

from datetime import date, timedelta
from typing import Any

import pytest

from crm.domain.quotas import Shut, Standing, room, why_nobody

TODAY = date(2025, 3, 3)


def a_standing(**values: Any) -> Standing:
    return Standing(**{"id": 1, "weight": 10, "max_customers": 200, **values})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, 200),
        ({"held": 199}, 1),
        ({"held": 200}, Shut.FULL),
        ({"held": 201}, Shut.FULL),
        ({"max_customers": 0}, Shut.FULL),
        ({"max_per_day": 5}, 5),
        ({"max_per_day": 5, "given_today": 3}, 2),
        ({"max_per_day": 5, "held": 198}, 2),
        ({"max_per_day": 5, "given_today": 5}, Shut.FULL_TODAY),
        ({"max_per_day": 0}, Shut.FULL_TODAY),
        ({"weight": 0}, Shut.NO_WEIGHT),
        ({"accepting": False}, Shut.NOT_ACCEPTING),
        ({"active": False}, Shut.INACTIVE),
        ({"away_until": TODAY}, Shut.AWAY),
        ({"away_until": TODAY - timedelta(days=1)}, 200),
    ],
)
def test_room_is_what_every_limit_leaves(values: dict[str, Any], expected: int | Shut) -> None:
    assert room(a_standing(**values), TODAY) == expected


@pytest.mark.parametrize(
    ("shut", "words"),
    [
        ([], "No active consultant has a weight above 0. Set one under Staff and quotas."),
        ([Shut.INACTIVE, Shut.NO_WEIGHT], "No active consultant has a weight above 0. Set one under Staff and quotas."),
        ([Shut.AWAY, Shut.NO_WEIGHT], "Every consultant is away or accepts no customers now."),
        ([Shut.NOT_ACCEPTING], "Every consultant is away or accepts no customers now."),
        ([Shut.FULL, Shut.AWAY], "Every consultant who accepts customers holds as many as allowed."),
        ([Shut.FULL_TODAY], "Every consultant who accepts customers had as many today as allowed."),
        (
            [Shut.FULL, Shut.FULL_TODAY],
            "Every consultant who accepts customers holds as many as allowed or had enough today.",
        ),
    ],
)
def test_who_waits_reads_why(shut: list[Shut], words: str) -> None:
    assert str(why_nobody(shut)) == words
