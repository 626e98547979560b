"""Where people can be reached outside the app."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from crm.domain.accounts import Account
from crm.domain.staff import Employee
from crm.settings.sections import NoticeChannel


@dataclass(frozen=True, slots=True)
class Recipient:
    """An account, how it likes to be spoken to, and its addresses by kind; a kind without one is empty."""

    name: str
    locale: str | None
    addresses: Mapping[str, str]

    def reached_by(self, channel: NoticeChannel) -> bool:
        """Whether there is an address for all that the channel needs."""
        return all(self.addresses.get(kind) for kind in channel.needed)


def recipients(session: Session, account_ids: Collection[int]) -> dict[int, Recipient]:
    """The active ones among these accounts. Email is the employee's, else the account's own."""
    found = session.execute(
        select(
            col(Account.id),
            col(Account.name),
            col(Account.display_name),
            col(Account.locale),
            col(Account.email),
            col(Employee.email),
            col(Employee.mobile),
            col(Employee.wecom),
        )
        .outerjoin(Employee, col(Employee.account_id) == col(Account.id))
        .where(col(Account.id).in_(account_ids), col(Account.active))
    )
    return {
        account_id: Recipient(
            display_name or name,
            locale,
            {"email": work_email or own_email or "", "mobile": mobile or "", "wecom": wecom or ""},
        )
        for account_id, name, display_name, locale, own_email, work_email, mobile, wecom in found
        if account_id is not None
    }
