"""One student: classes with days and payments, what is paid and owed, and the sign-in with its one-time password."""

from collections.abc import Mapping, Sequence

import streamlit as st

from crm.domain.calendar import day_of
from crm.domain.money import yuan
from crm.domain.payments import Payment, PaymentKind
from crm.errors import ThanosError
from crm.i18n import _, literal, marked, show
from crm.rbac import Actor
from crm.services.students import payments, student_payments, student_sign_ins, students
from crm.services.students.students import Sheet
from crm.settings import settings
from crm.tables.payments import PAYMENT_TONES
from crm.ui.access.new_sign_in import one_time_password
from crm.ui.dialogs import SECRET, WRONG, ask, dialog
from crm.ui.session import now, reading_as_somebody, writing_as

PART = "student:sign-in"


def student_sheet(actor: Actor, student_id: int) -> None:
    """Draws the student for whoever may see them."""
    with reading_as_somebody() as session:
        sheet = students.sheet(session, actor, student_id)
        paid = student_payments.by_class(session, actor, student_id) if actor.may(payments.VIEW) else {}
    st.header(literal(sheet.name), anchor=False)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _classes(sheet, paid)
    with right:
        _facts(sheet)
        _sign_in(actor, sheet)


def _classes(sheet: Sheet, paid: Mapping[int | None, Sequence[Payment]]) -> None:
    st.subheader(_("Classes"), anchor=False)
    if not sheet.places:
        st.caption(_("No place in any class."))
    # Who came back to a class has several places there: sum and payments stand on the latest, as the service has it.
    latest = {place.class_group_id: place for place in sheet.places}
    for place in sheet.places:
        with st.container(border=True, gap="small"):
            st.markdown(f"**{marked(place.name)}**")
            days = _("Since {day}", day=place.joined_on)
            if place.left_on is not None:
                days += " · " + _("Left on {day}", day=place.left_on)
            st.caption(days)
            if place.balance is not None:
                money = place.balance
                st.caption(
                    _("Paid {paid} of {price} yuan", paid=yuan(money.paid), price=yuan(money.price))
                    + " · "
                    + _("Owed {owed} yuan", owed=yuan(money.owed))
                )
            if latest[place.class_group_id] is place:
                _payments(paid.get(place.class_group_id, ()))
    placed = {one.id for key in latest for one in paid.get(key, ())}
    others = {one.id: one for some in paid.values() for one in some if one.id not in placed}
    if others:
        with st.container(border=True, gap="small"):
            st.markdown(_("**Other payments**"))
            _payments(list(others.values()))


def _payments(some: Sequence[Payment]) -> None:
    """What the sum is made of, and what waits or was rejected: each is one click from its own page."""
    for one in some:
        amount = yuan(-one.amount_cents if one.kind is PaymentKind.REFUND else one.amount_cents)
        label = " · ".join((show(day_of(one.recorded_at, settings().zone)), str(one.kind.label), amount))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.page_link("pages/payments.py", label=label, query_params={"open": str(one.id)}, width="content")
            st.badge(str(one.state.label), color=PAYMENT_TONES[one.state])
            if one.receipt_number:
                st.caption(literal(one.receipt_number), width="content")


def _facts(sheet: Sheet) -> None:
    row = sheet.student
    for title, known in (
        (
            _("Contact in need"),
            ((_("Name"), row.contact_in_need), (_("Phone"), row.contact_in_need_phone)),
        ),
        (
            _("Placement"),
            (
                (_("Placed at"), row.placed_company),
                (_("Place of work"), row.placed_place),
                (_("Position"), row.placed_position),
                (_("Starting salary"), row.placed_salary),
                (_("Benefits"), row.placed_benefits),
                (_("Placed on"), row.placed_on),
            ),
        ),
    ):
        st.subheader(title, anchor=False)
        told = [(label, value) for label, value in known if value not in (None, "")]
        if not told:
            st.caption(_("Nothing known yet."))
        for label, value in told:
            with st.container(horizontal=True, gap="small"):
                st.caption(label, width=130)
                st.text(show(value), width="stretch")


def _sign_in(actor: Actor, sheet: Sheet) -> None:
    st.subheader(_("Sign-in"), anchor=False)
    st.text(sheet.sign_in or _("None yet"))
    if not actor.may(student_sign_ins.SIGN_IN):
        return
    st.button(
        _("Hand out a one-time password"), key="student:hand-out", icon=":material/key:", on_click=ask, args=(PART,)
    )
    dialog(PART, _("One-time password"), lambda me: _hand_out(me, sheet), actor)


def _hand_out(actor: Actor, sheet: Sheet) -> None:
    made = st.session_state.get(SECRET)
    if made is not None:
        one_time_password(*made)
        return
    st.write(
        _(
            "{name} gets a new password, which is shown here once. Sessions with the old one end.",
            name=literal(sheet.name),
        )
    )
    if st.button(_("Make the password"), key="student:make", type="primary"):
        try:
            with writing_as(actor) as (session, me):
                made = student_sign_ins.hand_out(session, me, sheet.student.id or 0, now())
            st.session_state[SECRET] = (made.name, made.password)
            st.session_state[WRONG] = ()
        except ThanosError as error:
            st.session_state[WRONG] = (error.says,)
        st.rerun(scope="fragment")
