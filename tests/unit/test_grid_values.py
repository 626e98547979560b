"""What a person types becomes what the field holds, or a sentence why not."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm.grid.fields import facts
from crm.grid.values import Rule, Wrong, read_value, shown_value, written_value
from tests.grid_example import Binding, Book

SHANGHAI = ZoneInfo("Asia/Shanghai")


def rule(field: str, **more: Any) -> Rule:
    return Rule.of(facts(Book)[field], **more)


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        ("name", "  三国 ", "三国"),
        ("name", "a\x00b\ud800c\n", "abc"),
        ("isbn", "", None),
        ("isbn", "   ", None),
        ("pages", 7, 7),
        ("pages", 7.0, 7),
        ("pages", "7", 7),
        ("pages", float("nan"), None),
        ("binding", "cloth", Binding.CLOTH),
        ("binding", None, None),
        ("lent", True, True),
        ("bought", "2026-05-06", date(2026, 5, 6)),
        ("bought", "2026-05-06T00:00:00.000Z", date(2026, 5, 6)),
        ("added_at", "2026-05-06T08:00:00", datetime(2026, 5, 6, 0, 0, tzinfo=UTC)),
        ("added_at", "2026-05-06T08:00:00+00:00", datetime(2026, 5, 6, 8, 0, tzinfo=UTC)),
        ("shelf_code", 1001, 1001),
    ],
)
def test_a_value_is_read_by_its_field(field: str, typed: Any, value: Any):
    assert read_value(rule(field), typed, SHANGHAI) == value


@pytest.mark.parametrize(
    ("field", "typed", "why"),
    [
        ("name", None, "This must not be empty."),
        ("name", "x" * 41, "At most 40 characters fit here."),
        ("name", True, "True cannot be read here."),
        ("pages", 0, "At least 1."),
        ("pages", 5001, "At most 5,000."),
        ("price", 2**31, "At most 2,147,483,647."),
        ("price", 10**40, "At most 2,147,483,647."),
        ("shelf_code", 10**40, "At most 2,147,483,647."),
        ("pages", 1.5, "1.5 cannot be read here."),
        ("pages", True, "True cannot be read here."),
        ("pages", [1], "[1] cannot be read here."),
        ("binding", "gold", "gold is not one of the choices."),
        ("lent", 1, "1 cannot be read here."),
        ("lent", None, "This must not be empty."),
        ("bought", "soon", "soon cannot be read here."),
        ("added_at", "soon", "soon cannot be read here."),
    ],
)
def test_what_cannot_be_read_is_told(field: str, typed: Any, why: str):
    with pytest.raises(Wrong) as told:
        read_value(rule(field), typed, SHANGHAI)

    assert str(told.value) == why


def test_money_is_typed_in_units_and_held_in_cents():
    money = rule("price", kind="money")

    assert read_value(money, 12.34, SHANGHAI) == 1234
    assert written_value("money", 1234) == 12.34
    assert shown_value("money", 123456) == "1,234.56"
    assert [read_value(money, raw, SHANGHAI) for raw in ("19.99", 0.1 + 0.2, 1.1, 3)] == [1999, 30, 110, 300]
    with pytest.raises(Wrong, match="At least 0"):
        read_value(money, -0.01, SHANGHAI)
    with pytest.raises(Wrong, match="At most two decimals"):
        read_value(money, 1.005, SHANGHAI)


@pytest.mark.parametrize("field", ["name", "pages", "binding", "lent", "shelf_code"])
def test_what_is_written_into_a_cell_is_read_back(field: str):
    book = Book(id=1, name="A", pages=3, binding=Binding.PAPER, lent=False, shelf_code=1001)
    value = getattr(book, field)

    assert read_value(rule(field), written_value(facts(Book)[field].kind, value), SHANGHAI) == value
