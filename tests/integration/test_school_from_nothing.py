"""A school that begins empty, with its first administrator alone, works by what the services offer."""

from datetime import timedelta

from sqlmodel import Session, select

from crm.domain.accounts import Account, SignIn
from crm.domain.customers import Customer, CustomerState
from crm.rbac import Actor
from crm.services import imports
from crm.services.access import accounts, sign_in
from crm.services.access.permissions import SYSTEM, install_roles
from crm.services.customers import customers, follow_ups
from crm.services.staff import staff
from tests.builders import NOON
from tests.sheets import a_sheet


def signed_in(session: Session, name: str) -> Actor:
    """Who that sign-in is, as the next click of an open session finds it."""
    account = session.exec(select(Account).where(Account.name == name)).one()
    session.add(
        SignIn(
            account_id=account.id,
            token_digest=sign_in.digest(f"token of {name}"),
            session_epoch=account.session_epoch,
            created_at=NOON,
            seen_at=NOON,
            expires_at=NOON + timedelta(hours=12),
        )
    )
    session.flush()
    found = sign_in.signed_in(session, f"token of {name}", "", NOON)
    assert found is not None
    return found.actor


def test_an_empty_school_comes_to_share_out_an_import_to_a_new_consultant_who_follows_up(session: Session) -> None:
    install_roles(session)
    accounts.create(session, SYSTEM, "admin", "administrator", None, "", None, NOON)
    admin = signed_in(session, "admin")

    staff.add_department(session, admin, {"code": 10, "name": "Sales"}, NOON)
    accounts.create(session, admin, "li", "consultant", None, "Li Na", None, NOON)
    free = {row.name: row.id for row in session.exec(staff.free_accounts(session, admin))}
    values = {"name": "Li Na", "department_code": 10, "account_id": free["li"]}
    employee = staff.add_employee(session, admin, values, NOON)
    assert staff.give_quota_many(session, admin, [employee], NOON) == {employee: None}
    checked = imports.check_sheet(session, admin, a_sheet([("Wang Wei", 1, 13800138000, None)]), "sheet.xlsx", NOON)
    imports.run_import(session, admin, checked, NOON)

    li = signed_in(session, "li")
    assert (li.owner_id, li.department) == (employee, 10)
    mine = session.exec(customers.mine(session, li)).one()
    recorded = follow_ups.record(session, li, mine.id, channel="phone", note="Called.", now=NOON + timedelta(hours=1))

    assert recorded.due is not None
    session.expire_all()
    customer = session.get_one(Customer, mine.id)
    assert (customer.state, customer.consultant_id) == (CustomerState.PRIVATE, employee)
    assert customer.follow_up_due_at == NOON + timedelta(days=3, hours=1)


def test_a_sign_in_made_later_is_linked_to_the_employee_who_is_there(session: Session) -> None:
    install_roles(session)
    accounts.create(session, SYSTEM, "admin", "administrator", None, "", None, NOON)
    admin = signed_in(session, "admin")
    staff.add_department(session, admin, {"code": 10, "name": "Sales"}, NOON)
    employee = staff.add_employee(session, admin, {"name": "Li Na", "department_code": 10, "consults": True}, NOON)

    accounts.create(session, admin, "li", "consultant", None, "Li Na", None, NOON)
    account = session.exec(select(Account).where(Account.name == "li")).one()
    staff.save_employee(session, admin, employee, 1, {"account_id": account.id}, NOON)

    assert signed_in(session, "li").owner_id == employee
