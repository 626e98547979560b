"""One customer: what is known, the whole story, and recording a follow-up."""

import streamlit as st

from crm.rbac import Actor


def record(actor: Actor, customer_id: int) -> None:
    """Draws the customer."""
    st.write(customer_id)
