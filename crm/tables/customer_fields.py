"""What is known of a customer, what the forms ask for, and the colours in which it is shown."""

from typing import Literal

from crm.domain.customers import CustomerCourse, CustomerState
from crm.grid import Input
from crm.i18n import says
from crm.services.customers import customer_choices

PERSON = (
    "name",
    "gender",
    "phone",
    "qq",
    "wechat",
    "email",
    "education",
    "graduation_school",
    "major",
    "experience",
    "work_status",
    "company",
    "salary",
    "source",
    "note",
)
"""What is known of a person, in the order in which it is asked for."""

ASKED = (
    *PERSON[:-1],
    Input("course_ids", through=CustomerCourse, rows=customer_choices.courses),
    # By name only: how to reach who is in the pool is for the one who claims.
    Input(
        "referred_by_id",
        rows=customer_choices.referrers,
        shows=customer_choices.called,
        search=("name",),
        help=says("A customer whose record you may open."),
    ),
    PERSON[-1],
)
"""What the forms ask for."""

REACHED_BY = (("phone", "qq", "wechat"),)

STATE_TONES: dict[CustomerState, Literal["orange", "violet", "blue", "green"]] = {
    CustomerState.WAITING: "orange",
    CustomerState.PRIVATE: "violet",
    CustomerState.PUBLIC: "blue",
    CustomerState.ENROLLED: "green",
}
"""The colour of a state wherever it is shown."""


def urgency(days: int) -> Literal["red", "orange"] | None:
    """The colour of the days left: red on the last."""
    return "red" if days <= 0 else "orange" if days == 1 else None
