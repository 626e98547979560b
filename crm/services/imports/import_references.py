"""Cells that name rows of the database: courses of interest, and the customer who referred somebody."""

import difflib
import re
from collections.abc import Callable, Mapping

from sqlmodel import Session, col, select

from crm.domain import normalise
from crm.domain.normalise import Wrong, spelling
from crm.domain.school import Course
from crm.i18n import Says, says
from crm.store import import_rows
from crm.xlsx.check import POSITION, Layout, Looked, WrongRow
from crm.xlsx.fields import COURSES, REFERRED_BY

_COURSES, _REFERRED_BY = POSITION[COURSES], POSITION[REFERRED_BY]
_BETWEEN = re.compile(r"[,;，；、/\n]")


class References:
    """Puts ids in place of names, a chunk of rows at a time. A row whose names are not known becomes wrong."""

    def __init__(self, session: Session, layout: Layout) -> None:
        self._session = session
        self._layout = layout
        self._courses: Mapping[str, int] | None = None
        self._names: list[str] = []

    def resolve(self, looked: Looked) -> None:
        """In the good rows: course names become a tuple of ids, a referrer's phone or QQ becomes an id."""
        courses, referred_by = self._layout.place(COURSES), self._layout.place(REFERRED_BY)
        if courses is None and referred_by is None:
            return
        owners = self._owners(looked)
        kept = Looked(wrong=looked.wrong)
        for number, values, cells in zip(looked.numbers, looked.values, looked.cells, strict=True):
            problems = []
            row = list(values)
            if values[_COURSES] is not None:
                row[_COURSES], problem = self._course_ids(values[_COURSES])
                if problem:
                    problems.append(self._layout.problem(COURSES, problem))
            if values[_REFERRED_BY] is not None:
                row[_REFERRED_BY] = owners.get(values[_REFERRED_BY])
                if row[_REFERRED_BY] is None:
                    problems.append(self._layout.problem(REFERRED_BY, _NO_REFERRER))
            if problems:
                kept.wrong.append(WrongRow(number, tuple(cells), tuple(problems)))
            else:
                kept.numbers.append(number)
                kept.values.append(tuple(row))
        kept.wrong.sort(key=lambda row: row.number)
        looked.numbers, looked.values = kept.numbers, kept.values

    def _course_ids(self, text: str) -> tuple[tuple[int, ...], Says | None]:
        known = self._known_courses()
        ids: list[int] = []
        for name in (part for part in _BETWEEN.split(text) if part.strip()):
            course = known.get(spelling(name))
            if course is None:
                return (), self._no_course(name.strip())
            ids.append(course)
        return tuple(dict.fromkeys(ids)), None

    def _no_course(self, name: str) -> Says:
        near = difflib.get_close_matches(name, self._names, n=1, cutoff=0.5)
        if near:
            return says("There is no course {name}. Did you mean {near}?", name=name, near=near[0])
        return says("There is no course {name}. Courses: {courses}.", name=name, courses=", ".join(self._names))

    def _known_courses(self) -> Mapping[str, int]:
        if self._courses is None:
            found = self._session.execute(
                select(col(Course.name), col(Course.id)).where(col(Course.active)).order_by(col(Course.name))
            ).all()
            self._names = [name for name, _id in found]
            self._courses = {spelling(name): number for name, number in found}
        return self._courses

    def _owners(self, looked: Looked) -> dict[str, int]:
        """Who is meant by each way of writing a referrer: the live customer of that phone, or else of that QQ."""
        texts = {values[_REFERRED_BY] for values in looked.values} - {None}
        owners: dict[str, int] = {}
        for column, normal in (("qq", normalise.qq), ("phone", normalise.phone)):
            numbers = {text: number for text in texts if (number := _number(normal, text))}
            found = import_rows.owners(self._session, column, list(numbers.values()))
            owners |= {text: found[number] for text, number in numbers.items() if number in found}
        return owners


_NO_REFERRER = says(
    "Nobody in the school's records has this phone or QQ. Import that customer first, or leave it empty."
)


def _number(normal: Callable[[str], str | None], text: str) -> str | None:
    try:
        return normal(text)
    except Wrong:
        return None
