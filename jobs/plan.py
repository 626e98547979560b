"""The one list of all jobs."""

from datetime import time

from crm.i18n import says
from crm.services.jobs.job_names import ASSIGN, CLEAN_UP, EXPIRE, REMIND, SEND
from crm.services.jobs.rhythm import daily, every
from crm.settings import settings
from jobs.bodies import assign_waiting, clean_up, expire_customers, remind_attendance, send_notifications
from jobs.job import Job


def expiry_time() -> time:
    """When the day's expiry is due, on the school's clock: a setting, 02:00 unless changed."""
    return settings().rules.expire_at


def evening() -> time:
    """When teachers are told of attendance that nobody confirmed, on the school's clock: 20:00 unless changed."""
    return settings().attendance.remind_at


JOBS = (
    Job(
        EXPIRE,
        daily(expiry_time),
        expire_customers,
        says("Customers without a follow-up or a deal in time go to the public pool."),
    ),
    Job(
        ASSIGN,
        every(minutes=1),
        assign_waiting,
        says("Customers who wait are shared out as soon as there is room."),
    ),
    Job(
        SEND,
        every(seconds=10),
        send_notifications,
        says("Notices leave by email, SMS and the other channels of the settings."),
    ),
    Job(
        REMIND,
        daily(evening),
        remind_attendance,
        says("Teachers are told of days that were held and whose attendance nobody confirmed."),
    ),
    Job(
        CLEAN_UP,
        daily("03:30"),
        clean_up,
        says("Sign-ins that ended, old attempts, sent messages and runs of jobs are forgotten."),
    ),
)
