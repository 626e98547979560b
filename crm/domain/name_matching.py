"""Names as a teacher types or pastes them, matched among the students of one day."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crm.domain.normalise import half_width

_SEPARATORS = re.compile(r"[\n\r\t,;、|/。]+")
_MOST = 500


@dataclass(frozen=True, slots=True)
class Meant:
    """One name as it was typed, and whom it may mean: one, several (somebody has to choose) or nobody."""

    typed: str
    students: tuple[int, ...]


def meant(text: str, students: Mapping[int, str]) -> list[Meant]:
    """Whom each name in `text` means among `students`, id -> name, in the order typed, each student once.

    Names, or parts of them, are separated by lines, commas, `、`, `；` or spaces; case and width do not matter. A
    space inside a name (`Li Na`) is no separator where the words together are part of somebody's name. A name in full
    means whoever has it, even where others' names contain it, also without the number (`Li Na · 12`) that tells two of
    one name apart.
    """
    known = {key: _plain(name) for key, name in students.items()}
    found: list[Meant] = []
    seen: set[tuple[int, ...]] = set()
    for part in _SEPARATORS.split(half_width(text)):
        for one in _in_part(part.split(), known):
            mark = one.students if len(one.students) == 1 else (-1, hash(one.typed.casefold()))
            if mark not in seen:
                seen.add(mark)
                found.append(one)
            if len(found) == _MOST:
                return found
    return found


def _in_part(words: Sequence[str], known: Mapping[int, str]) -> list[Meant]:
    """The longest runs of words that are part of a name, from the left; a word that is none stands alone."""
    made: list[Meant] = []
    start = 0
    while start < len(words):
        for end in range(min(len(words), start + 4), start, -1):
            typed = " ".join(words[start:end]).strip("@#*·-()[]\"'.:")
            students = _who(typed, known) if typed else ()
            if students or end == start + 1:
                if typed:
                    made.append(Meant(typed, students))
                start = end
                break
    return made


def _who(typed: str, known: Mapping[int, str]) -> tuple[int, ...]:
    wanted = _plain(typed)
    exact = tuple(key for key, name in known.items() if wanted in (name, name.partition(" · ")[0]))
    if exact or not wanted:
        return exact
    close = wanted.replace(" ", "")
    return tuple(key for key, name in known.items() if wanted in name or close == name.replace(" ", ""))


def _plain(name: str) -> str:
    return " ".join(half_width(name).casefold().split())
