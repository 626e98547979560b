"""Customers and the choices in their fields."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from crm.domain.base import Choice, Moment, choice_type
from crm.i18n import says


class CustomerState(Choice):
    """Where a customer stands: waiting, private, public, enrolled."""

    WAITING = "waiting", says("Waiting")
    PRIVATE = "private", says("With a consultant")
    PUBLIC = "public", says("Public pool")
    ENROLLED = "enrolled", says("Enrolled")


class Gender(Choice):
    """As the classic sheet has it: 1 male, 2 female."""

    MALE = "male", says("Male")
    FEMALE = "female", says("Female")


class Education(Choice):
    """The highest education."""

    JUNIOR_HIGH = "junior_high", says("Junior high school")
    HIGH_SCHOOL = "high_school", says("High school")
    VOCATIONAL = "vocational", says("Vocational school")
    COLLEGE = "college", says("College")
    BACHELOR = "bachelor", says("Bachelor")
    MASTER = "master", says("Master")
    DOCTOR = "doctor", says("Doctorate")
    OTHER = "other", says("Other education")


class Experience(Choice):
    """Years at work."""

    STUDENT = "student", says("Still studying")
    GRADUATE = "graduate", says("Fresh graduate")
    UNDER_ONE = "under_one", says("Under 1 year")
    ONE_TO_THREE = "one_to_three", says("1 to 3 years")
    THREE_TO_FIVE = "three_to_five", says("3 to 5 years")
    OVER_FIVE = "over_five", says("Over 5 years")


class WorkStatus(Choice):
    """Whether the person works now."""

    EMPLOYED = "employed", says("Employed")
    UNEMPLOYED = "unemployed", says("Not employed")
    STUDYING = "studying", says("Studying")


class Source(Choice):
    """How the person heard of the school."""

    SEARCH = "search", says("Search engine")
    ADVERT = "advert", says("Advertisement")
    QQ_GROUP = "qq_group", says("QQ group")
    WECHAT = "wechat", says("WeChat")
    DOUYIN = "douyin", says("Douyin")
    REFERRAL = "referral", says("Referral")
    CAMPUS = "campus", says("Campus talk")
    WALK_IN = "walk_in", says("Walk-in")
    PARTNER = "partner", says("Partner")
    OTHER = "other", says("Other source")


class Customer(SQLModel, table=True):
    """A prospect. Phone and QQ are stored normalised and are unique among the living (not deleted).

    `consultant_id` is set exactly while the state is private; the two deadlines with it.
    `extended_until` is a manager's extension: until then the customer does not expire.
    `salary` is yuan a month.
    """

    __tablename__ = "customer"
    __table_args__ = (
        CheckConstraint("length(name) > 0", name="name"),
        CheckConstraint("phone IS NOT NULL OR qq IS NOT NULL OR wechat IS NOT NULL", name="contact"),
        CheckConstraint("salary IS NULL OR salary >= 0", name="salary"),
        CheckConstraint("(state = 'private') = (consultant_id IS NOT NULL)", name="holder"),
        CheckConstraint(
            "(state = 'private') = (follow_up_due_at IS NOT NULL AND deal_due_at IS NOT NULL)", name="deadlines"
        ),
        Index(
            "uq_customer_phone",
            "phone",
            unique=True,
            sqlite_where=text("phone IS NOT NULL AND deleted_at IS NULL"),
            postgresql_where=text("phone IS NOT NULL AND deleted_at IS NULL"),
        ),
        Index(
            "uq_customer_qq",
            "qq",
            unique=True,
            sqlite_where=text("qq IS NOT NULL AND deleted_at IS NULL"),
            postgresql_where=text("qq IS NOT NULL AND deleted_at IS NULL"),
        ),
        # Only those whom somebody holds, so that how many each consultant holds is counted in the index alone.
        Index(
            "ix_customer_holder",
            "consultant_id",
            "follow_up_due_at",
            sqlite_where=text("consultant_id IS NOT NULL AND deleted_at IS NULL"),
            postgresql_where=text("consultant_id IS NOT NULL AND deleted_at IS NULL"),
        ),
        Index("ix_customer_state", "state", "id"),
        # The orders of the managers' list: also by consultant, those whom nobody holds included.
        Index("ix_customer_consultant", "consultant_id", "id"),
        # Found by its beginning. No order of a language may stand between `ab` and `ab_`.
        Index(
            "ix_customer_wechat",
            "wechat",
            sqlite_where=text("wechat IS NOT NULL"),
            postgresql_where=text("wechat IS NOT NULL"),
            postgresql_ops={"wechat": "varchar_pattern_ops"},
        ),
        Index(
            "ix_customer_deleted",
            "deleted_at",
            "id",
            sqlite_where=text("deleted_at IS NOT NULL"),
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
        Index(
            "ix_customer_referred_by_id",
            "referred_by_id",
            sqlite_where=text("referred_by_id IS NOT NULL"),
            postgresql_where=text("referred_by_id IS NOT NULL"),
        ),
        # The order of the managers' list, and its filter by days.
        Index("ix_customer_created", "created_at", "id"),
        Index(
            "ix_customer_follow_up_due",
            "follow_up_due_at",
            sqlite_where=text("follow_up_due_at IS NOT NULL"),
            postgresql_where=text("follow_up_due_at IS NOT NULL"),
        ),
        Index(
            "ix_customer_deal_due",
            "deal_due_at",
            sqlite_where=text("deal_due_at IS NOT NULL"),
            postgresql_where=text("deal_due_at IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(min_length=1, max_length=64)
    gender: Gender | None = Field(default=None, sa_type=choice_type(Gender))
    phone: str | None = Field(default=None, max_length=20)
    qq: str | None = Field(default=None, max_length=20)
    wechat: str | None = Field(default=None, max_length=64)
    email: str | None = Field(default=None, max_length=254)
    education: Education | None = Field(default=None, sa_type=choice_type(Education))
    graduation_school: str | None = Field(default=None, max_length=100)
    major: str | None = Field(default=None, max_length=100)
    experience: Experience | None = Field(default=None, sa_type=choice_type(Experience))
    work_status: WorkStatus | None = Field(default=None, sa_type=choice_type(WorkStatus))
    company: str | None = Field(default=None, max_length=100)
    salary: int | None = Field(default=None, ge=0, le=10_000_000)
    source: Source | None = Field(default=None, sa_type=choice_type(Source))
    referred_by_id: int | None = Field(default=None, foreign_key="customer.id")
    note: str | None = Field(default=None, max_length=2000)
    state: CustomerState = Field(default=CustomerState.WAITING, sa_type=choice_type(CustomerState))
    consultant_id: int | None = Field(default=None, foreign_key="employee.id")
    last_consultant_id: int | None = Field(default=None, foreign_key="employee.id")
    follow_up_due_at: datetime | None = Field(default=None, sa_type=Moment)
    deal_due_at: datetime | None = Field(default=None, sa_type=Moment)
    extended_until: datetime | None = Field(default=None, sa_type=Moment)
    waiting_reason: str | None = Field(default=None, max_length=500)
    import_batch_id: int | None = Field(default=None, foreign_key="import_batch.id", index=True)
    created_at: datetime = Field(sa_type=Moment)
    created_by_id: int | None = Field(default=None, foreign_key="account.id")
    deleted_at: datetime | None = Field(default=None, sa_type=Moment)
    version: int = Field(default=1)


class CustomerCourse(SQLModel, table=True):
    """A course that interests a customer."""

    __tablename__ = "customer_course"

    customer_id: int = Field(foreign_key="customer.id", primary_key=True, ondelete="CASCADE")
    course_id: int = Field(foreign_key="course.id", primary_key=True)
