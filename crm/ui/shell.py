"""What surrounds every page: navigation from what this person may open, and the person's corner."""

from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import streamlit as st
from streamlit.navigation.page import Page

from crm.grid import visits
from crm.i18n import Says, _, literal, says
from crm.rbac import Actor
from crm.services.access.permissions import PAGES
from crm.services.notices import notices
from crm.settings import ROOT, settings
from crm.store.session import reading
from crm.ui import dialogs
from crm.ui.language import language_switch
from crm.ui.own_words import own_words
from crm.ui.session import back_to_oneself, set_language, sign_out

LOGO = Path(__file__).parent / "logo.svg"
NOTICES = "notifications"
GALLERY = "gallery"
MANY = 99
# Of a laptop's width nearly all is the table's. Streamlit keeps a sixth of it empty, and has no option for it.
STYLE = """<style>
@media (min-width: 641px) { [data-testid="stMainBlockContainer"] { padding-left: 1.75rem; padding-right: 1.75rem; } }
</style>"""


@dataclass(frozen=True, slots=True)
class Screen:
    """One page: its address, its icon (Material), and the part of the navigation it stands in."""

    slug: str
    icon: str
    section: Says
    title: Says | None = None

    @property
    def needs(self) -> str | None:
        """The permission without which it is not in the navigation; the page asks for it again."""
        return f"{self.slug}.view" if self.slug in PAGES.pages else None

    @property
    def heading(self) -> Says:
        """Its title: the one it has among the permissions."""
        return self.title or PAGES.pages[self.slug].title

    @property
    def file(self) -> str:
        """Its script."""
        return f"pages/{self.slug.replace('-', '_')}.py"


_DAY, _CUSTOMERS, _SCHOOL = says("Today"), says("Sales"), says("School")
_RIGHTS, _OWN = says("Administration"), says("Me")

SCREENS = (
    Screen("home", "home", _DAY),
    Screen(NOTICES, "notifications", _DAY),
    Screen("my-customers", "person_pin_circle", _CUSTOMERS),
    Screen("pool", "groups", _CUSTOMERS),
    Screen("customers", "contacts", _CUSTOMERS),
    Screen("import", "upload_file", _CUSTOMERS),
    Screen("classes", "school", _SCHOOL),
    Screen("students", "face", _SCHOOL),
    Screen("payments", "payments", _SCHOOL),
    Screen("courses", "menu_book", _SCHOOL),
    Screen("course-records", "event_note", _SCHOOL),
    Screen("attendance", "how_to_reg", _SCHOOL),
    Screen("grades", "show_chart", _SCHOOL),
    Screen("gradebook", "grading", _SCHOOL),
    Screen("staff", "badge", _SCHOOL),
    Screen("jobs", "schedule", _SCHOOL),
    Screen("people", "manage_accounts", _RIGHTS),
    Screen("permissions", "key", _RIGHTS),
    Screen("audit", "history", _RIGHTS),
    Screen(GALLERY, "grid_view", _RIGHTS),
    Screen("account", "account_circle", _OWN, says("My account")),
)


def frame() -> None:
    """What every page has around it, signed in or not: its width, its emblem."""
    st.set_page_config(page_icon=LOGO, layout="wide")
    st.html(STYLE)
    st.logo(LOGO, size="large")


@cache
def screens() -> tuple[Screen, ...]:
    """The screens whose page exists."""
    return tuple(screen for screen in SCREENS if (ROOT / screen.file).is_file())


def navigation(actor: Actor | None) -> Page:
    """The navigation of this person, and the page they are on.

    Pages that they may not open are known but not listed, so that a link to one is answered by a polite
    refusal instead of a page that does not exist. Before the sign-in nothing is listed nor named, but the
    address stays what it was.
    """
    own_words()
    nowhere = [_nowhere(name) for name in [_unknown()] if name]
    if actor is None:
        hidden = [page_of(screen, settings().school.name, listed=False) for screen in screens()]
        return st.navigation([*hidden, *nowhere], position="hidden")
    with reading() as session:
        unread = notices.unread(session, actor)
    pages: dict[str, list[Page]] = {}
    for screen in screens():
        title = str(screen.heading)
        if screen.slug == NOTICES and unread:
            # With a dot on its bell.
            screen = replace(screen, icon="notifications_unread")
            title = f"{title} ({unread if unread <= MANY else f'{MANY}+'})"
        listed = screen.needs is not None and actor.may(screen.needs)
        if screen.slug == GALLERY:
            listed = listed and settings().shows_gallery
        pages.setdefault(str(screen.section), []).append(page_of(screen, title, listed=listed))
    pages[str(_OWN)] += nowhere
    here = st.navigation(pages, expanded=True)
    visits.arrive(here.url_path)
    dialogs.arrive(here.url_path)
    with st.sidebar:
        corner(actor)
    if actor.seeing_as:
        _banner(actor)
    return here


def _banner(actor: Actor) -> None:
    """Says above every page through whose eyes it is seen, and leads back."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="seeing-as"):
        st.markdown(
            ":material/visibility: "
            + _("You see the app as **{role}** would. Nothing can be changed.", role=Says.loaded(actor.seeing_as)),
            width="stretch",
        )
        st.button(_("Back to yourself"), key="back-to-oneself", type="primary", on_click=back_to_oneself)


def page_of(screen: Screen, title: str, *, listed: bool) -> Page:
    """The screen as Streamlit knows it."""
    front = screen == screens()[0]
    return st.Page(
        screen.file,
        title=title,
        icon=f":material/{screen.icon}:" if listed else None,
        # The front page is at the address of the school itself; its name leads there (`_nowhere`).
        url_path="" if front else screen.slug,
        default=front,
        visibility="visible" if listed else "hidden",
    )


def _unknown() -> str:
    """The last part of the address, if no page has it."""
    asked = _last_part(st.context.url or "")
    known = {"", _last_part(settings().school.address), *(screen.slug for screen in screens()[1:])}
    return "" if asked in known else asked


def _last_part(address: str) -> str:
    return unquote(urlsplit(address).path.strip("/").rpartition("/")[2])


def _nowhere(name: str) -> Page:
    """A page for an address without one, in the reader's language. Streamlit would open its English dialog."""

    front = screens()[0]

    def tell() -> None:
        if name == front.slug:
            st.switch_page(front.file)
        st.title(_("There is no such page"))
        st.write(_("The address may be mistyped, or what it led to is no longer there."))
        st.page_link(front.file, label=_("To the front page"), icon=":material/home:")

    return st.Page(tell, title=_("There is no such page"), url_path=name, visibility="hidden")


def corner(actor: Actor) -> None:
    """The person's corner of the sidebar: who is here, the language, the way out."""
    st.caption(settings().school.name)
    st.page_link("pages/account.py", label=literal(actor.name), icon=":material/account_circle:")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        if not actor.seeing_as:
            language_switch("language", partial(set_language, actor))
        if st.button(_("Sign out"), key="sign-out", type="tertiary", icon=":material/logout:"):
            sign_out()
