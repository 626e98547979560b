"""One payment: what it is for, what became of it, and the way to its student."""

from typing import Any

import streamlit as st

from crm.domain.money import yuan
from crm.i18n import _, literal, show
from crm.rbac import Actor
from crm.services.students import payments
from crm.tables.payments import PAYMENT_TONES
from crm.tables.site import site
from crm.ui.session import reading_as_somebody


def payment_sheet(actor: Actor, payment_id: int) -> None:
    """Draws the payment for whoever may see it."""
    with reading_as_somebody() as session:
        sheet = payments.sheet(session, actor, payment_id)
    row = sheet.payment
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(literal(sheet.customer), anchor=False, width="content")
        st.badge(str(row.state.label), color=PAYMENT_TONES[row.state])
    if row.rejected_because:
        st.warning(literal(row.rejected_because), icon=":material/cancel:")
    if sheet.student_id is not None:
        st.page_link(
            "pages/students.py",
            label=_("Open the student"),
            icon=":material/face:",
            query_params={"open": str(sheet.student_id)},
        )
    known: dict[str, Any] = {
        "kind": row.kind.label,
        "amount_cents": yuan(row.amount_cents),
        "class_group_id": sheet.class_name,
        "quoted_cents": None if row.quoted_cents is None else yuan(row.quoted_cents),
        "receipt_number": row.receipt_number,
        "takes_effect_on": row.takes_effect_on,
        "recorded_at": row.recorded_at,
        "decided_at": row.decided_at,
        "decided_by_id": sheet.decided_by,
        "note": row.note,
    }
    told: list[tuple[str, Any]] = [(str(site.words[name]), value) for name, value in known.items()]
    told.insert(3, (_("Class that is left"), sheet.left_name))
    told.append((_("Recorded by"), sheet.recorded_by))
    for label, value in told:
        if value not in (None, ""):
            with st.container(horizontal=True, gap="small"):
                st.caption(label, width=150)
                st.text(show(value), width="stretch")
