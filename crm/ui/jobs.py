"""Whether the jobs process is alive, said in a line."""

import streamlit as st

from crm.i18n import _
from crm.rbac import Actor
from crm.services.jobs import job_runs
from crm.store.session import reading
from crm.ui.session import again, now

ASKED = "jobs:asked"


@st.fragment(run_every="3s")
def heartbeat(actor: Actor) -> None:
    """Says whether the jobs process is up, and what to do if not.

    Looks again every few seconds. What became of a run that somebody asked for is shown as soon as it is known.
    """
    # Without the page nobody has said who is here, nor which language they read.
    here = again(actor)
    if here is None or not here.may("jobs.view"):
        st.rerun()
    with reading() as session:
        alive = job_runs.alive(session, now())
        asked = job_runs.newest_asked(session)
    if st.session_state.setdefault(ASKED, asked) != asked:
        st.session_state[ASKED] = asked
        st.rerun()
    if alive:
        st.caption(":green[●] " + _("The jobs process is at work."))
    else:
        st.warning(
            _("The jobs process is not running, so nothing expires and no notice leaves. Start it: python -m jobs"),
            icon=":material/warning:",
        )
