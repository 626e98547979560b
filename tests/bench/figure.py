"""One line of `make bench`."""

from typing import NamedTuple


class Figure(NamedTuple):
    """What was done, what it took, what that is compared with, how often the one fits the other, and how often it may.

    Seconds, unless `work` names another unit.
    """

    work: str
    measured: float
    limit: float
    ratio: float
    reach: float
