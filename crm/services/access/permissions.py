"""What can be permitted in this product, and what the roles that come with it may do."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.i18n import Says, says
from crm.rbac import Actor, Catalogue, Grants, Page, Reach, covers
from crm.rbac import store as rbac
from crm.rbac.tables import Role

# To everybody who may open the page: they read its filters and its search, and see their own rows.
_SHARE = {"share_views": says("Share views")}

PAGES = Catalogue(
    (
        Page("home", says("Home"), {"view": says("View")}),
        Page(
            "customers",
            says("Customers"),
            {
                "view": says("View"),
                "add": says("Add"),
                "edit": says("Edit"),
                "assign": says("Assign"),
                "extend": says("Extend deadlines"),
                "delete": says("Delete"),
                "export": says("Export"),
                **_SHARE,
            },
        ),
        Page(
            "my-customers",
            says("My customers"),
            {
                "view": says("View"),
                "add": says("Add"),
                "edit": says("Edit"),
                "follow_up": says("Record follow-ups"),
                "release": says("Release to the pool"),
            },
        ),
        Page("pool", says("Public pool"), {"view": says("View"), "claim": says("Claim"), **_SHARE}),
        Page(
            "import", says("Import"), {"view": says("View"), "run": says("Import"), "undo": says("Take back"), **_SHARE}
        ),
        Page(
            "classes",
            says("Classes"),
            {"view": says("View"), "edit": says("Edit"), "money": says("See what is paid and owed"), **_SHARE},
            looks=("money",),
        ),
        Page("courses", says("Campuses and courses"), {"view": says("View"), "edit": says("Edit"), **_SHARE}),
        Page(
            "students",
            says("Students"),
            {
                "view": says("View"),
                "edit": says("Edit"),
                "money": says("See what is paid and owed"),
                "sign_in": says("Hand out sign-ins"),
                "export": says("Export"),
                **_SHARE,
            },
            looks=("money",),
        ),
        Page(
            "payments",
            says("Payments"),
            {
                "view": says("View"),
                "record": says("Record"),
                "edit": says("Correct what is pending"),
                "decide": says("Confirm and reject"),
                "export": says("Export"),
                **_SHARE,
            },
        ),
        Page(
            "course-records",
            says("Course records"),
            {
                "view": says("View"),
                "add": says("Add"),
                "edit": says("Edit"),
                "initialise": says("Initialise"),
                "delete": says("Delete"),
                **_SHARE,
            },
        ),
        Page(
            "attendance",
            says("Attendance"),
            {
                "view": says("View"),
                "take": says("Take and confirm"),
                "reopen": says("Take a confirmation back"),
                "decide": says("Decide apologies"),
                "export": says("Export"),
                "apologise": says("Apologise in advance"),
                **_SHARE,
            },
        ),
        Page("staff", says("Staff and quotas"), {"view": says("View"), "edit": says("Edit"), **_SHARE}),
        Page("grades", says("My grades"), {"view": says("View"), "hand_in": says("Hand in")}),
        Page(
            "gradebook",
            says("Gradebook"),
            {"view": says("View"), "score": says("Score"), "import": says("Import"), "export": says("Export")},
        ),
        Page("notifications", says("Notifications"), {"view": says("View"), "manage": says("Manage")}),
        Page("jobs", says("Jobs"), {"view": says("View"), "run": says("Run"), **_SHARE}),
        Page("people", says("People"), {"view": says("View"), "manage": says("Manage sign-ins"), **_SHARE}),
        Page(
            "permissions",
            says("Permissions"),
            {"view": says("View"), "edit": says("Edit"), "see_as": says("See the app as a role")},
        ),
        Page("audit", says("Audit log"), {"view": says("View"), **_SHARE}),
        Page(
            "gallery",
            says("Gallery of tables"),
            {"view": says("View"), "edit": says("Edit"), **_SHARE},
        ),
    )
)

ADMINISTERS = "people.manage"
"""Managing sign-ins and the roles they have."""

POWERS = (ADMINISTERS, "permissions.edit")
"""Whoever holds these on all rows can restore everything else: somebody active with each must always remain."""


class DefaultRole(NamedTuple):
    """A role that comes with the product."""

    name: str
    title: Says
    grants: Grants


_MANAGED = ("pool", "students", "payments", "staff", "course-records", "attendance")
_TAKEN_HOME = ("students", "gradebook", "attendance")
_EVERYBODY = {"home.view": Reach.OWN, "notifications.view": Reach.OWN}

DEFAULT_ROLES = (
    DefaultRole("administrator", says("Administrator"), PAGES.everything()),
    DefaultRole(
        "sales_manager",
        says("Sales manager"),
        PAGES.grants(
            {
                "home.view": Reach.ALL,
                "customers.*": Reach.ALL,
                "pool.view": Reach.ALL,
                "import.*": Reach.ALL,
                "classes.*": Reach.ALL,
                "courses.*": Reach.ALL,
                "students.money": Reach.ALL,
                **dict.fromkeys(("payments.view", "payments.record"), Reach.ALL),
                "staff.view": Reach.ALL,
                "staff.edit": Reach.ALL,
                **{f"{page}.share_views": Reach.ALL for page in _MANAGED},
                **{f"{page}.{action}": Reach.ALL for page in _TAKEN_HOME for action in ("view", "export")},
                "notifications.view": Reach.ALL,
                "jobs.view": Reach.ALL,
                "course-records.view": Reach.ALL,
            }
        ),
    ),
    DefaultRole(
        "consultant",
        says("Consultant"),
        PAGES.grants(
            {
                **_EVERYBODY,
                "my-customers.*": Reach.OWN,
                "pool.view": Reach.ALL,
                "pool.claim": Reach.ALL,
                "classes.view": Reach.ALL,
                "students.view": Reach.OWN,
                "students.money": Reach.OWN,
                "payments.view": Reach.OWN,
                "payments.record": Reach.OWN,
                "payments.edit": Reach.OWN,
            }
        ),
    ),
    DefaultRole(
        "lecturer",
        says("Lecturer"),
        PAGES.grants(
            {
                **_EVERYBODY,
                "classes.view": Reach.OWN,
                "students.view": Reach.OWN,
                "gradebook.*": Reach.OWN,
                "course-records.*": Reach.OWN,
                "attendance.view": Reach.OWN,
                "attendance.take": Reach.OWN,
                "attendance.decide": Reach.OWN,
                "attendance.export": Reach.OWN,
                "attendance.share_views": Reach.OWN,
            }
        ),
    ),
    DefaultRole(
        "class_teacher",
        says("Class teacher"),
        PAGES.grants(
            {
                **_EVERYBODY,
                "classes.view": Reach.OWN,
                "students.view": Reach.OWN,
                "students.edit": Reach.OWN,
                "students.sign_in": Reach.OWN,
                "gradebook.*": Reach.OWN,
                "course-records.*": Reach.OWN,
                "attendance.view": Reach.OWN,
                "attendance.take": Reach.OWN,
                "attendance.reopen": Reach.OWN,
                "attendance.decide": Reach.OWN,
                "attendance.export": Reach.OWN,
            }
        ),
    ),
    DefaultRole(
        "finance",
        says("Finance"),
        PAGES.grants(
            {
                **_EVERYBODY,
                "classes.view": Reach.ALL,
                "classes.money": Reach.ALL,
                "students.view": Reach.ALL,
                "students.money": Reach.ALL,
                "students.sign_in": Reach.ALL,
                "payments.view": Reach.ALL,
                "payments.edit": Reach.ALL,
                "payments.decide": Reach.ALL,
                "payments.export": Reach.ALL,
                "students.share_views": Reach.ALL,
                "payments.share_views": Reach.ALL,
            }
        ),
    ),
    DefaultRole(
        "student",
        says("Student"),
        PAGES.grants({**_EVERYBODY, "grades.*": Reach.OWN, "attendance.apologise": Reach.OWN}),
    ),
)

SYSTEM = Actor(account_id=None, name="system", grants=PAGES.everything())
"""The product itself: jobs and the command line."""


def may_as_much(actor: Actor, grants: Grants) -> bool:
    """Whether the actor may do all of this too, and as far: nobody manages, gives or takes more than they have.

    A grant of something that is no longer declared permits nothing, so it does not count.
    """
    declared = {name: reach for name, reach in grants.items() if name in PAGES.permissions}
    return actor is SYSTEM or covers(actor.grants, declared)


def gives_rights(actor: Actor) -> bool:
    """Whether the actor may give themselves any right as it is."""
    return actor.reach("permissions.edit") is Reach.ALL


class Completed(NamedTuple):
    """What the administrator's role was given and lost, as an upgrade declares it."""

    role_id: int
    given: Grants
    lost: Grants


def install_roles(session: Session) -> Completed | None:
    """Gives an empty database its roles. Again: only completes its own administrator's, who may do everything.

    Roles that people have changed or removed since stay as they are. What was completed is returned: see
    `crm.services.access.roles.install`.
    """
    if not session.scalar(select(func.count()).select_from(Role)):
        for role in DEFAULT_ROLES:
            rbac.add_role(session, role.name, role.title, role.grants, built_in=True)
        return None
    administrator = rbac.role_named(session, "administrator")
    if administrator is None or administrator.id is None or not administrator.built_in:
        return None
    has = rbac.grants_of_role(session, administrator.id)
    missing = {name: reach for name, reach in PAGES.everything().items() if name not in has}
    rbac.grant(session, administrator.id, missing)
    gone = {name: reach for name, reach in has.items() if name not in PAGES.permissions}
    rbac.change_grants(session, administrator.id, dict.fromkeys(gone))
    return Completed(administrator.id, missing, gone) if missing or gone else None
