"""The table of payments, and the action that records one from wherever its customer is listed."""

from typing import Any

from sqlalchemy import case
from sqlmodel import col

from crm.domain.payments import Payment, PaymentKind, PaymentState
from crm.grid import Action, AnyOf, Column, DateRange, EditForm, Input, Related, Search, TableConfig
from crm.grid.config import Run, Tone
from crm.i18n import Says, says, says_n
from crm.services.classes import classes
from crm.services.customers import name_search
from crm.services.staff import staff
from crm.services.students import payment_checks, payment_decisions, payments
from crm.tables.site import site

PAYMENT_TONES: dict[PaymentState, Tone] = {
    PaymentState.PENDING: "orange",
    PaymentState.CONFIRMED: "green",
    PaymentState.REJECTED: "red",
}

_WAITS = col(Payment.state) == PaymentState.PENDING
# Sorted by this, the latest first, what awaits confirmation comes before everything else.
PENDING_FIRST = case((_WAITS, 1_000_000_000 + col(Payment.id)), else_=col(Payment.id))


def _kinds(*only: PaymentKind) -> Any:
    def choices(_session: Any, _actor: Any) -> dict[PaymentKind, Says]:
        return {kind: kind.label for kind in only or PaymentKind}

    return choices


LEFT = Input(
    "from_class_group_id",
    label=says("Class that is left"),
    kind="relation",
    choices=classes.choices_to_pay_for,
    help=says("Only for a change of class, and only where the student is in several."),
)


def recording(run: Run, *kinds: PaymentKind) -> Action:
    """The action that records a payment of these kinds, by `run`; without kinds: of any."""
    # Who is no student yet can only join; a student may also be given back money for a class that has ended.
    joined = classes.choices_to_join if kinds else classes.choices_to_pay_for
    return Action(
        "payment",
        says("Record a payment..."),
        run=run,
        needs="payments.record",
        params=(
            Input(
                "kind",
                label=says("Kind"),
                kind="choice",
                required=True,
                choices=_kinds(*kinds),
                help=None
                if kinds
                else says(
                    "A refund of all that was paid for the class ends the place in it. A refund of a part does not."
                ),
            ),
            Input("class_group_id", label=says("Class"), kind="relation", choices=joined),
            *(() if kinds else (LEFT,)),
            Input("amount", label=says("Amount"), kind="money", help=says("In yuan, with at most two decimals.")),
            Input(
                "quoted",
                label=says("Quoted price"),
                kind="money",
                help=says("What was agreed for the class as a whole. Empty: the price of the class."),
            ),
            Input("receipt_number", label=says("Receipt number"), kind="text"),
            Input(
                "takes_effect_on",
                label=says("Takes effect on"),
                kind="date",
                help=says("Empty: the day of the confirmation, or the first day of the class if that is later."),
            ),
            Input("note", label=says("Note"), kind="long"),
        ),
        verb=says("Record"),
        done=says("Recorded. Finance confirms or rejects it, and until then the customer does not expire."),
        icon=":material/payments:",
    )


PAYMENTS = site.register(
    TableConfig(
        name="payments",
        model=Payment,
        title=says("Payments"),
        rows=payments.visible_to,
        columns=(
            Column("customer_id", pinned=True, width=130),
            Column("state", tone=PAYMENT_TONES.__getitem__, width=150),
            Column("kind", width=120),
            Column("amount_cents", edit="payments.edit", kind="money", width=120),
            Column("class", look_up=payments.class_names, label=says("Class"), width=220),
            Column("receipt_number", edit="payments.edit", width=140),
            Column("from_class", look_up=payments.left_names, label=says("Class that is left"), width=180),
            Column("quoted_cents", edit="payments.edit", kind="money", width=120),
            Column("takes_effect_on", edit="payments.edit", width=130),
            Column("consultant_id", width=130),
            Column("recorded_at", width=150),
            Column("decided_at", width=150),
            Column("decided_by_id", shows="display_name", width=130),
            Column("rejected_because", width=200),
            Column("note", edit="payments.edit", width=220),
            Column(
                "turn", value=lambda row, _now: row.id, kind="number", label=says("No."), order=PENDING_FIRST, width=80
            ),
        ),
        search=(
            Search("receipt_number", match="prefix", tidy=payment_checks.receipt_typed),
            Search("customer_id.name", index=name_search.containing),
        ),
        filters=(
            AnyOf("state"),
            AnyOf("kind"),
            AnyOf("class", field="class_group_id", label=says("Class"), choices=classes.choices_to_pay_for),
            Related("consultant", rows=staff.who_sold),
            DateRange("recorded_at"),
            DateRange("decided_at"),
        ),
        sort="-turn",
        save=payments.save,
        locked=payments.decided,
        called=payments.called,
        edit=EditForm(
            fields=(
                Input("amount_cents", kind="money"),
                Input("class_group_id", choices=classes.choices_to_pay_for),
                LEFT,
                Input("quoted_cents", kind="money"),
                "receipt_number",
                "takes_effect_on",
                "note",
            ),
            needs="payments.edit",
            title=says("Correct the payment"),
        ),
        actions=(
            Action(
                "confirm",
                says("Confirm"),
                run=payment_decisions.confirm_many,
                needs="payments.decide",
                confirm=says_n(
                    "Confirm {count} payment? The first of a customer enrols: student, sign-in and place are made.",
                    "Confirm {count} payments? The first of a customer enrols: student, sign-in and place are made.",
                    count=0,
                ),
                as_seen=True,
                done=says_n("{count} payment confirmed.", "{count} payments confirmed.", count=0),
                icon=":material/check_circle:",
            ),
            Action(
                "reject",
                says("Reject..."),
                run=payment_decisions.reject_many,
                needs="payments.decide",
                params=(Input("because", label=says("Reason"), kind="text", required=True),),
                as_seen=True,
                verb=says("Reject"),
                done=says_n("{count} payment rejected.", "{count} payments rejected.", count=0),
                icon=":material/cancel:",
            ),
        ),
        export="payments.export",
        share="payments.share_views",
        empty=says("No payments here. A consultant records them from a customer's record."),
    )
)
