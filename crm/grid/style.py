"""The few lines of style that Streamlit has no option for."""


def without(offer: str) -> str:
    """The style that leaves this out of what Streamlit's toolbar above a table offers."""
    return f'[data-testid="stElementToolbarButton"]:has(button[aria-label^="{offer}"]){{display:none}}'


NO_FILE = without("Download as CSV")
"""Where exports need a permission and are noted: the toolbar's own file asks nobody's leave."""

STYLE = (
    NO_FILE
    # It finds only what is on the page.
    + without("Search")
    # What Enter presses in a form, and nobody else.
    + '[class*="-enter-hidden"]{display:none}'
    # Save, and what is wrong, stay in view however long the form is.
    '[data-testid="stLayoutWrapper"]:has(>[class*="-line-of-save"]){position:sticky;bottom:-1.9rem;z-index:1;'
    "padding:.6rem 0;backdrop-filter:blur(24px)}"
    # That rows are being read is said above everything, so that nothing moves.
    '[data-testid="stLayoutWrapper"]:has(>[class*="-reading"]){position:fixed;top:4rem;left:50%;width:auto;z-index:2;transform:translateX(-50%);'
    "padding:.3rem .9rem;border-radius:1rem;border:1px solid rgba(128,128,128,.4);backdrop-filter:blur(24px)}"
    '[class*="-reading"]{width:auto}'
    # What only listens takes no room.
    '[data-testid="stLayoutWrapper"]:has(>[class*="-listens"]){position:absolute}'
    # As high without a chip as with one.
    '[class*="-line-of-chips"]{min-height:2.5rem}'
    # What takes back the last save stands at the other end of the line of pages.
    '[class*="-undo-save"]{margin-left:auto}'
    # A dialog's own box would count as what is scrolled, and it never is.
    '[data-testid="stDialog"]>div{overflow:clip}'
    # Few numbers of pages begin where many do.
    '[data-testid="stPagination"],[data-testid="stPagination"]>*{justify-content:flex-start}'
    # Names of views begin on one line with each other.
    '[class*="-view-open-"] button,[class*="-view-open-"] button>*{justify-content:flex-start;width:100%}'
    # Filters have room, but on a phone: there they unfold from a button.
    '[class*="-fold"][class*="stElementContainer"]{display:none}'
    "@media (max-width:640px){"
    '[class*="-fold"][class*="stElementContainer"]{display:flex}'
    '[data-testid="stLayoutWrapper"]:has(>[class*="-filters-folded"]){display:none}'
    '[class*="-filters-unfolded"]>*{width:calc(50% - .5rem)!important}'
    # Nobody has these keys there, and they push the buttons beside them onto another line.
    '[class*="-add"] kbd{display:none}'
    # Chips and actions are one line each, moved by a finger, so that the table is not a screen below.
    '[class*="-line-of-"]{flex-wrap:nowrap!important;overflow-x:auto;scrollbar-width:none}'
    '[class*="-line-of-"]>*{flex-shrink:0}'
    # But what is wrong with a form, or what was done, is read, and its buttons are pressed, without moving anything.
    '[class*="-line-of-save"],[class*="-line-of-undo"],[class*="-line-of-run"]{flex-wrap:wrap!important}'
    '[class*="-line-of-undo"]>*,[class*="-line-of-run"]>*{flex-shrink:1}'
    "}"
    # Under a finger the table's own toolbar never goes: of it stays what nothing else does, and nothing lies below it.
    "@media (hover:none){"
    '[data-testid="stElementToolbarButton"]:has(button[aria-label^="Show/hide columns"]){display:none}'
    '[class*="-line-of-actions"]{max-width:calc(100% - 2.6rem)}'
    "}"
)
