"""Making a sign-in: for an employee or for nobody yet, with a password that is shown once."""

import streamlit as st

from crm.errors import Invalid, ThanosError
from crm.i18n import LANGUAGES, Says, _, says
from crm.rbac import Actor
from crm.services.access import accounts
from crm.services.access.permissions import ADMINISTERS
from crm.ui.dialogs import SECRET, WRONG, ask, dialog
from crm.ui.language import IN_THEIR_OWN_WORDS
from crm.ui.session import now, reading_as_somebody, writing_as

PART = "people:new"


def new_sign_in(actor: Actor) -> None:
    """The button and its dialog, for whoever manages sign-ins."""
    if not actor.may(ADMINISTERS) or st.query_params.get("open"):
        return
    st.button(_("Create a sign-in"), key="people:create", icon=":material/person_add:", on_click=ask, args=(PART,))
    dialog(PART, _("Create a sign-in"), _dialog, actor)


def one_time_password(name: str, password: str) -> None:
    """Shows a password for the only time."""
    st.success(_("{name} signs in with this password once and then chooses another:", name=name))
    st.code(password, language=None)
    st.caption(_("It is shown only now. Hand it over yourself, not by a message that others can read."))


def _dialog(actor: Actor) -> None:
    made = st.session_state.get(SECRET)
    if made is not None:
        one_time_password(*made)
        return
    with reading_as_somebody() as session:
        roles = accounts.role_choices(session, actor)
        employees = accounts.employee_choices(session, actor)
    with st.form("people:new-form", border=False):
        name = st.text_input(_("Sign-in name"), key="people:new-name", max_chars=64)
        employee_id = st.selectbox(
            _("Employee"),
            list(employees),
            index=None,
            format_func=lambda key: employees.get(key, str(key)),
            placeholder=_("None"),
            help=_("Whose sign-in it is: their customers, their department."),
            key="people:new-employee",
        )
        display_name = st.text_input(
            _("Person"), key="people:new-person", max_chars=100, help=_("Empty: the employee's name.")
        )
        role = st.selectbox(
            _("Role"), list(roles), index=None, format_func=lambda one: str(roles.get(one, one)), placeholder="",
            help=_("More roles can be given afterwards."), key="people:new-role",
        )  # fmt: skip
        locale = st.selectbox(
            _("Language"), list(LANGUAGES), index=None, placeholder=_("The browser's"),
            format_func=lambda one: IN_THEIR_OWN_WORDS[one], key="people:new-locale",
        )  # fmt: skip
        pressed = st.form_submit_button(_("Create"), type="primary")
    if pressed:
        st.session_state[WRONG] = _create(actor, name, role, display_name, locale, employee_id)
        st.rerun()


def _create(
    actor: Actor, name: str, role: str | None, display_name: str, locale: str | None, employee_id: int | None
) -> tuple[Says, ...]:
    """Makes it, and remembers the password to show; what was wrong, if anything was."""
    if role is None:
        return (says("Choose a role."),)
    try:
        with writing_as(actor) as (session, me):
            password = accounts.create(
                session, me, name, role, None, display_name, locale, now(), employee_id=employee_id
            )
    except Invalid as invalid:
        return tuple(invalid.fields.values())
    except ThanosError as error:
        return (error.says,)
    st.session_state[SECRET] = (accounts.normalised(name), password)
    return ()
