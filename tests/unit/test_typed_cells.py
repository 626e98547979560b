"""What a person typed into a cell, read by its check."""

from datetime import UTC, date, datetime

import pytest

from crm.domain.normalise import Wrong
from crm.services.typed_cells import FIRST_DAY, LAST_DAY, a_day


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2025-03-31", date(2025, 3, 31)),
        ("2025-3-1", date(2025, 3, 1)),
        (date(2024, 2, 29), date(2024, 2, 29)),
        (datetime(2025, 3, 31, 9, tzinfo=UTC), date(2025, 3, 31)),
        (FIRST_DAY, FIRST_DAY),
        (LAST_DAY, LAST_DAY),
        ("", None),
        (None, None),
    ],
)
def test_a_day_is_read_from_what_a_form_or_a_sheet_gives(typed: object, day: date | None) -> None:
    assert a_day(typed) == day


@pytest.mark.parametrize("typed", ["tomorrow", "2025-02-30", "2025-W14-1", 20250331.5, True, [], "2025-03-31xyz"])
def test_what_is_no_day_says_how_one_looks(typed: object) -> None:
    with pytest.raises(Wrong, match="Enter a date like 2025-03-31"):
        a_day(typed)


@pytest.mark.parametrize("typed", [date(1999, 12, 31), "0225-03-31", date.max])
def test_a_slip_in_the_year_says_between_which_days_it_must_be(typed: object) -> None:
    with pytest.raises(Wrong, match="Enter a date from 2000-01-01 to 2199-12-31"):
        a_day(typed)
