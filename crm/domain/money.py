"""Money: typed in yuan with at most two decimals, kept in whole cents, and never a float on the way."""

import re

from crm.domain.normalise import Wrong, half_width
from crm.i18n import says

MOST_CENTS = 2_000_000_000
"""What an integer column of every database holds."""

_YUAN = re.compile(r"([0-9]{1,10})(?:[.]([0-9]{1,2}))?")


def cents(typed: str | int) -> int:
    """An amount in yuan as whole cents: `1,280.5` is 128050. Raises `Wrong`."""
    bare = re.sub(r"[\s,¥￥]|元", "", half_width(str(typed)))
    found = _YUAN.fullmatch(bare)
    if found is None:
        raise Wrong(says("Enter an amount in yuan with at most two decimals, such as 1280.50."))
    return within(int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0")))


def within(amount: int) -> int:
    """The cents themselves. Raises `Wrong` where they are more than can be kept."""
    if amount > MOST_CENTS:
        raise Wrong(says("At most {most} yuan.", most=MOST_CENTS // 100))
    return amount


def yuan(amount: int) -> str:
    """Cents as yuan with two decimals: 128050 is `1,280.50`."""
    whole, part = divmod(abs(amount), 100)
    return f"{'-' if amount < 0 else ''}{whole:,}.{part:02d}"
