"""What a newer version would give roles that an upgrade left as they were: taken into the draft, or left out."""

from collections.abc import Callable, Sequence

import streamlit as st

from crm.errors import ThanosError
from crm.i18n import Says, _, listed, literal, marked, says
from crm.rbac import Actor, Reach
from crm.services.access import offers as service
from crm.services.access.roles import Change, RoleNow
from crm.store.session import reading
from crm.ui.session import now, writing_as

Take = Callable[[RoleNow, dict[str, Reach]], None]


def offers(
    actor: Actor, known: Sequence[RoleNow], lines: Callable[[tuple[Change, ...]], str], take: Take
) -> Says | None:
    """Draws what nobody decided yet; what is to be said once something was left out. `take` puts it into the draft."""
    with reading() as session:
        found = service.offers(session, actor, known)
    if not found:
        return None
    said = None
    title = _("New in this version: {roles}", roles=listed(role.title for role, _grants in found))
    with st.expander(literal(title), icon=":material/new_releases:"):
        st.caption(_("A new school would begin with this. The upgrade gave it to nobody: that is for you to decide."))
        for role, grants in found:
            st.markdown(f"**{literal(str(role.title))}**")
            st.markdown(lines(tuple(Change(name, None, reach) for name, reach in grants.items())))
            with st.container(horizontal=True):
                st.button(
                    _("Look at it before saving"),
                    key=f"offers:take:{role.id}",
                    icon=":material/edit:",
                    on_click=take,
                    args=(role, dict(grants)),
                )
                if st.button(_("Leave it out"), key=f"offers:leave:{role.id}", type="tertiary"):
                    said = _left_out(actor, role)
    return said


def _left_out(actor: Actor, role: RoleNow) -> Says | None:
    try:
        with writing_as(actor) as (session, me):
            service.leave_out(session, me, role.id, now())
    except ThanosError as error:
        st.error(marked(error.says), icon=":material/error:")
        return None
    return says("{role} does without it. It can be given at any time.", role=role.title)
