"""Checks of who may do what, and of the memory of sharing out."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlmodel import Session, col

from crm.domain.accounts import Account
from crm.i18n import Says, says
from crm.rbac import store as rbac
from crm.rbac.tables import Role, RolePermission
from crm.services.access.permissions import ADMINISTERS, PAGES
from crm.services.doctor.ask import Check

ROUND_SUM = Check(
    "sharing_round",
    """
    SELECT r.step, m.served FROM sharing_round r
    CROSS JOIN (SELECT coalesce(sum(served), 0) AS served FROM consultant_quota WHERE taking_part) AS m
    WHERE r.step <> m.served
    """,
    lambda row: says(
        "sharing_round 1: counts {step} customers in this round, but the consultants in it were given {served}."
        " Set step and every served to 0, and taking_part to false: a new round begins.",
        step=row.step,
        served=row.served,
    ),
)

OFF_SHARE = Check(
    "consultant_quota",
    """
    SELECT q.employee_id, q.served, r.step, q.round_weight, w.total FROM consultant_quota q
    CROSS JOIN sharing_round r
    CROSS JOIN (SELECT sum(round_weight) AS total FROM consultant_quota WHERE taking_part) AS w
    WHERE q.taking_part
      AND (q.round_weight < 1 OR abs(q.served * w.total - q.round_weight * r.step) >= w.total)
    """,
    lambda row: says(
        "consultant_quota {id}: was given {served} of {step} customers in this round with weight {weight} of {total},"
        " which is a whole customer or more off the exact share. Set step and every served to 0, and taking_part"
        " to false: a new round begins.",
        id=str(row.employee_id),
        served=row.served,
        step=row.step,
        weight=row.round_weight,
        total=row.total,
    ),
)

OVER_CAP = Check(
    "consultant_quota",
    """
    SELECT q.employee_id, q.max_customers, h.held FROM consultant_quota q
    JOIN (SELECT consultant_id, count(*) AS held FROM customer
          WHERE state = 'private' AND deleted_at IS NULL GROUP BY consultant_id) AS h
      ON h.consultant_id = q.employee_id
    WHERE h.held > q.max_customers
    """,
    lambda row: says(
        "consultant_quota {id}: holds {held} customers, above the cap of {cap}. Nothing new comes until there is room.",
        id=str(row.employee_id),
        held=row.held,
        cap=row.max_customers,
    ),
)

GONE_BUT_HOLDING = Check(
    "employee",
    """
    SELECT e.id, h.held FROM employee e
    JOIN (SELECT consultant_id, count(*) AS held FROM customer
          WHERE state = 'private' AND deleted_at IS NULL GROUP BY consultant_id) AS h ON h.consultant_id = e.id
    WHERE NOT e.active
    """,
    lambda row: says(
        "employee {id}: is inactive, but still holds {held} customers. Assign them to somebody else.",
        id=str(row.id),
        held=row.held,
    ),
)

CHECKS = (ROUND_SUM, OFF_SHARE)
NOTES = (OVER_CAP, GONE_BUT_HOLDING)


def administrators(session: Session) -> Iterator[Says]:
    """Somebody has to be able to give everything else back."""
    able = rbac.holders(ADMINISTERS).subquery()
    if not session.scalar(select(func.count()).where(col(Account.id).in_(select(able)), col(Account.active))):
        yield says(
            "account: no active account may manage sign-ins."
            " Run: python -m crm account create NAME --role administrator"
        )


def permissions(session: Session) -> Iterator[Says]:
    """A grant that no page declares permits nothing: it is a typing error or a leftover."""
    granted = session.execute(
        select(col(Role.id), col(RolePermission.page), col(RolePermission.action))
        .join(Role, col(Role.id) == RolePermission.role_id)
        .order_by(col(Role.id), col(RolePermission.page), col(RolePermission.action))
    )
    for role, page, action in granted:
        if f"{page}.{action}" not in PAGES.permissions:
            yield says(
                "role_permission {role}: grants {name}, which no page declares. Delete the row.",
                role=str(role),
                name=f"{page}.{action}",
            )
