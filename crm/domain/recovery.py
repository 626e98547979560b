"""For how long something deleted can be brought back."""

from datetime import datetime, timedelta

RECOVERABLE = timedelta(days=30)


def days_to_restore(deleted_at: datetime, now: datetime) -> int:
    """Days of 24 hours, begun ones included, in which it can be brought back; 0 once they are over."""
    left = deleted_at + RECOVERABLE - now
    return max(0, -(-left // timedelta(days=1)))
