"""The jobs by name: in code, on the command line and in the database, and in words for the screen."""

from crm.i18n import Says, says

EXPIRE, ASSIGN, SEND, CLEAN_UP = "expire-customers", "assign-waiting", "send-notifications", "clean-up"
REMIND = "remind-attendance"

TITLES = {
    EXPIRE: says("Expiry of customers"),
    ASSIGN: says("Sharing out who waits"),
    SEND: says("Sending of notices"),
    REMIND: says("Reminder of attendance"),
    CLEAN_UP: says("Clean-up"),
}


def title(name: str) -> Says:
    """What people call the job: its name, where nobody gave it a title."""
    return TITLES.get(name) or says("{text}", text=name)
