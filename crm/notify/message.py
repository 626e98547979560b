"""What a message says, in its recipient's language."""

from contextvars import copy_context
from dataclasses import dataclass

from crm.i18n import Language, Says, _, says, set_reader
from crm.settings import settings


@dataclass(frozen=True, slots=True)
class Message:
    """A rendered message: plain text, ready to leave."""

    title: str
    body: str


def compose(title: Says, body: Says, link: str, language: Language) -> Message:
    """The message in `language`, moments on the school's clock, with the page's full address at the end."""
    return copy_context().run(_compose, title, body, link, language)


def compose_for_room(title: Says, name: str, link: str, language: Language) -> Message:
    """The message where several people read along: who has a notice, and of what kind; nothing of its body."""
    return copy_context().run(_compose, says("{name}: {title}", name=name, title=title), Says(""), link, language)


def _compose(title: Says, body: Says, link: str, language: Language) -> Message:
    set_reader(language, settings().zone)
    parts = [str(body)]
    if link:
        parts.append(_("Open: {address}", address=settings().address + "/" + link.lstrip("/")))
    parts.append(settings().school.name)
    return Message(str(title), "\n\n".join(part for part in parts if part))
