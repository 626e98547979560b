"""What a visitor without a page around them reads."""

import pytest

from crm.ui.serving.visitors import browser_language


@pytest.mark.parametrize(
    ("asked", "reads"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.5, zh", "zh"),
        ("en, zh", "en"),
        ("de, zh", "en"),
        ("zh;q=none, en;q=0.1", "en"),
        (",", "en"),
        (None, "en"),
    ],
)
def test_the_most_wanted_of_the_browsers_languages_counts(asked: str | None, reads: str) -> None:
    assert browser_language(asked) == reads
