"""The tables of customers: all of them, one's own, and the public pool."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from crm.domain.customers import Customer
from crm.domain.deadlines import Deadlines, days_left, expires_at
from crm.domain.normalise import digits_typed
from crm.domain.payments import PaymentKind
from crm.domain.recovery import RECOVERABLE
from crm.grid import Action, AnyOf, Column, DateRange, Delete, EditForm, Form, Input, Related, Search, TableConfig
from crm.i18n import Says, says, says_n
from crm.services.customers import customer_choices, customers, deleted_customers, hand_over, holding, name_search, pool
from crm.services.customers.scopes import EXPIRES_AT
from crm.services.staff import staff
from crm.services.students import payments
from crm.settings import settings
from crm.tables.customer_fields import ASKED, REACHED_BY, STATE_TONES, urgency
from crm.tables.payments import recording
from crm.tables.site import site

BY_NAME = Search("name", index=name_search.containing)
SEARCH = (
    BY_NAME,
    Search("phone", match="prefix", tidy=digits_typed),
    Search("qq", match="prefix", tidy=digits_typed),
    Search("wechat", match="prefix"),
)


def expires_in(row: Any, now: datetime) -> int | None:
    """Days until the pool, on the school's calendar; None where no clock runs."""
    if row.follow_up_due_at is None or row.deal_due_at is None:
        return None
    due = expires_at(Deadlines(row.follow_up_due_at, row.deal_due_at), row.extended_until)
    return days_left(due, now, settings().zone)


def told(added: Any) -> Says:
    """What became of a customer that was added by the form."""
    if added.shared is None:
        return says("Added to your customers.")
    if added.given_to:
        return says("Added, and given to {name}.", name=added.given_to)
    return says("Added. It waits: {why}", why=added.shared.waiting_reason)


BROUGHT_BACK = says("{count} brought back: to their consultants where there is room, else to the pool.")

EXPIRES_IN = Column(
    "expires_in",
    value=expires_in,
    kind="number",
    label=says("Days left"),
    help=says(
        "Days until the public pool. Set by the rule, never by hand. "
        "Below zero: kept, because a payment awaits confirmation."
    ),
    tone=urgency,
    width=90,
)

CUSTOMERS = site.register(
    TableConfig(
        name="customers",
        model=Customer,
        title=says("Customers"),
        rows=customers.visible_to,
        columns=(
            Column("name", edit="customers.edit", pinned=True, width=140),
            Column("state", tone=STATE_TONES.__getitem__, width=150),
            Column("consultant_id", width=130),
            EXPIRES_IN,
            Column("phone", edit="customers.edit", width=130),
            Column("qq", edit="customers.edit", width=120),
            Column("wechat", edit="customers.edit", width=120),
            Column("source", edit="customers.edit", width=130),
            Column("gender", edit="customers.edit", width=90),
            Column("education", edit="customers.edit", width=130),
            Column("work_status", edit="customers.edit", width=120),
            Column("note", edit="customers.edit", width=240),
            Column("created_at", width=140),
        ),
        search=SEARCH,
        filters=(
            AnyOf("state"),
            Related("consultant", rows=staff.consultants),
            Related("department", field="consultant_id.department_code"),
            AnyOf("source"),
            AnyOf("education"),
            DateRange("created_at"),
        ),
        sort="-created_at",
        sorts=("created_at", "consultant_id", "state"),
        export="customers.export",
        share="customers.share_views",
        save=customers.save_changes,
        locked=customer_choices.not_to_change,
        add=Form(
            fields=ASKED,
            one_of=REACHED_BY,
            run=customers.add,
            needs="customers.add",
            title=says("Add a customer"),
            done=told,
        ),
        edit=EditForm(fields=ASKED, one_of=REACHED_BY, needs="customers.edit", title=says("Edit the customer")),
        delete=Delete(
            run=customers.delete_many,
            undo=deleted_customers.restore_many,
            recoverable=RECOVERABLE,
            confirm=says_n(
                "Delete {count} customer? It can be brought back for {days} days.",
                "Delete {count} customers? They can be brought back for {days} days.",
                count=0,
                days=0,
            ),
            undone=BROUGHT_BACK,
        ),
        actions=(
            Action(
                "assign",
                says("Assign to..."),
                run=hand_over.assign_many,
                needs="customers.assign",
                params=(Input("consultant_id", label=says("Consultant"), required=True, choices=staff.choices),),
                verb=says("Assign"),
                done=says("{count} assigned."),
                icon=":material/person_add:",
            ),
            Action(
                "extend",
                says("Extend..."),
                run=holding.extend_many,
                needs="customers.extend",
                params=(Input("until", label=says("Until the end of"), kind="date", required=True),),
                verb=says("Extend"),
                done=says("{count} extended."),
                icon=":material/more_time:",
            ),
        ),
        empty=says("No customers yet. Import a sheet, or add one here."),
    )
)

DELETED = site.register(
    TableConfig(
        name="deleted",
        model=Customer,
        title=says("Deleted customers"),
        rows=deleted_customers.recoverable,
        view="customers.delete",
        prefix="del_",
        columns=(
            Column("name", pinned=True, width=140),
            Column("deleted_at", width=150),
            Column(
                "days_to_restore",
                value=deleted_customers.days_to_restore,
                kind="number",
                label=says("Days to bring back"),
                help=says("How long the customer can still be brought back."),
                width=140,
            ),
            Column("phone", width=130),
            Column("qq", width=120),
            Column("wechat", width=120),
            Column("source", width=130),
            Column("created_at", width=140),
        ),
        search=SEARCH,
        filters=(DateRange("deleted_at"), AnyOf("source")),
        sort="-deleted_at",
        actions=(
            Action(
                "restore",
                says("Bring back"),
                run=deleted_customers.restore_many,
                needs="customers.delete",
                done=BROUGHT_BACK,
                icon=":material/restore_from_trash:",
            ),
        ),
        share="customers.share_views",
        empty=says("Nobody was deleted."),
    )
)

MY_CUSTOMERS = site.register(
    TableConfig(
        name="my-customers",
        model=Customer,
        title=says("My customers"),
        rows=customers.mine,
        columns=(
            Column("name", edit="my-customers.edit", pinned=True, width=140),
            # For whoever reaches farther than their own; a consultant would read one name in every row.
            Column("consultant_id", see="customers.view", width=130),
            replace(EXPIRES_IN, order=EXPIRES_AT),
            Column("follow_up_due_at", width=150),
            Column("deal_due_at", width=150),
            Column("phone", edit="my-customers.edit", width=130),
            Column("qq", edit="my-customers.edit", width=120),
            Column("wechat", edit="my-customers.edit", width=120),
            Column("source", width=130),
            Column("education", edit="my-customers.edit", width=130),
            Column("work_status", edit="my-customers.edit", width=120),
            Column("note", edit="my-customers.edit", width=240),
        ),
        search=SEARCH,
        filters=(AnyOf("source"), AnyOf("education"), AnyOf("work_status"), DateRange("follow_up_due_at")),
        sort="expires_in",
        save=customers.save_changes,
        locked=customer_choices.not_to_change,
        add=Form(
            fields=ASKED,
            one_of=REACHED_BY,
            run=customers.add_mine,
            needs="my-customers.add",
            title=says("Add a customer"),
            done=told,
        ),
        edit=EditForm(fields=ASKED, one_of=REACHED_BY, needs="my-customers.edit", title=says("Edit the customer")),
        actions=(
            recording(payments.record_for, PaymentKind.DEPOSIT, PaymentKind.TUITION),
            Action(
                "release",
                says("Release to the pool"),
                run=holding.release_many,
                needs="my-customers.release",
                confirm=says_n(
                    "Release {count} customer to the public pool? You cannot claim it back yourself.",
                    "Release {count} customers to the public pool? You cannot claim them back yourself.",
                    count=0,
                ),
                verb=says("Release"),
                done=says("{count} released."),
                icon=":material/outbound:",
            ),
        ),
        empty=says(
            "You hold no customers now. New ones come when they are shared out, or claim one in the public pool."
        ),
    )
)

POOL = site.register(
    TableConfig(
        name="pool",
        model=Customer,
        title=says("Public pool"),
        rows=pool.visible_to,
        columns=(
            Column("name", pinned=True, width=140),
            Column("gender", width=90),
            Column("source", width=130),
            Column("education", width=130),
            Column("work_status", width=120),
            Column("major", width=150),
            Column("note", width=260),
            Column("created_at", width=140),
        ),
        search=(BY_NAME,),
        filters=(AnyOf("source"), AnyOf("education"), AnyOf("work_status"), AnyOf("gender")),
        sort="-id",
        sorts=("created_at",),
        actions=(
            Action(
                "claim",
                says("Claim"),
                run=pool.claim_many,
                needs="pool.claim",
                done=says("{count} claimed. You find them in My customers."),
                icon=":material/back_hand:",
                each=True,
            ),
        ),
        share="pool.share_views",
        empty=says("The pool is empty: every customer is in good hands."),
    )
)
