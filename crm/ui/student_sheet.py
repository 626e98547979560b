"""One student: classes with their days, what is paid and owed, and the sign-in with its one-time password."""

import streamlit as st

from crm.domain.money import yuan
from crm.errors import ThanosError
from crm.i18n import _, literal, marked, show
from crm.rbac import Actor
from crm.services.students import student_sign_ins, students
from crm.services.students.students import Sheet
from crm.ui.dialogs import SECRET, WRONG, ask, dialog
from crm.ui.new_sign_in import one_time_password
from crm.ui.session import now, reading_as_somebody, writing_as

PART = "student:sign-in"


def student_sheet(actor: Actor, student_id: int) -> None:
    """Draws the student for whoever may see them."""
    with reading_as_somebody() as session:
        sheet = students.sheet(session, actor, student_id)
    st.header(literal(sheet.name), anchor=False)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _classes(sheet)
    with right:
        _facts(sheet)
        _sign_in(actor, sheet)


def _classes(sheet: Sheet) -> None:
    st.subheader(_("Classes"), anchor=False)
    if not sheet.places:
        st.caption(_("No place in any class."))
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
