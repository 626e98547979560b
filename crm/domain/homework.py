"""Homework that is handed in: what kinds of file a school takes, told by their content, and whether it was late."""

import zipfile
from collections.abc import Collection
from datetime import date, datetime, tzinfo
from io import BytesIO
from pathlib import PurePath

from crm.domain.calendar import day_of
from crm.i18n import Says, says

SIGNATURES: dict[str, tuple[bytes, ...]] = {
    "pdf": (b"%PDF-",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF87a", b"GIF89a"),
    "zip": (b"PK\x03\x04",),
}
"""How a file of this kind begins."""

PACKAGES = {"docx": "word/", "xlsx": "xl/", "pptx": "ppt/"}
"""Zips that hold a folder of that name."""

TEXTS = ("txt", "md", "py", "csv", "json", "sql", "ipynb")
"""Files that hold nothing but text, in UTF-8 or as Chinese Windows writes it."""

KINDS = tuple(sorted({*SIGNATURES, *PACKAGES, *TEXTS}))
"""Every kind that can be told by its content, by the ending of its name."""

LONGEST_NAME = 200


def handed_in_late(handed_in_at: datetime | None, due_on: date | None, zone: tzinfo) -> bool:
    """Whether it came after the end of the day on which it was due, on the school's clock."""
    return handed_in_at is not None and due_on is not None and day_of(handed_in_at, zone) > due_on


def kept_name(name: str) -> str:
    """What the student called the file, without folders and what no name should hold, and not too long."""
    plain = "".join(sign for sign in PurePath(name.replace("\\", "/")).name if sign.isprintable())
    stem, dot, ending = plain.rpartition(".")
    if len(plain) <= LONGEST_NAME:
        return plain or "homework"
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}{dot}{ending}"[-LONGEST_NAME:]


def refusal(name: str, content: bytes, allowed: Collection[str], most_megabytes: int) -> Says | None:
    """Why a school does not take this file as homework; None if it does.

    What it is, its content says. The name only says which kind the student means, and the two have to agree.
    """
    if not content:
        return says("The file is empty. Choose another one.")
    if len(content) > most_megabytes << 20:
        # In tenths, so that a file a little too large is not said to be as large as it may be.
        size = -(-len(content) * 10 >> 20) / 10
        return says("The file has {size} MB; {most} are the most.", size=size, most=most_megabytes)
    kind = PurePath(name).suffix.lower().lstrip(".")
    if kind not in allowed:
        return says("Files of this kind are not taken. Taken are: {kinds}.", kinds=", ".join(sorted(allowed)))
    if not _is(kind, content):
        return says("The file is no {kind}, whatever its name says. Save it again as one of: {kinds}.",
                    kind=kind, kinds=", ".join(sorted(allowed)))  # fmt: skip
    return None


def _is(kind: str, content: bytes) -> bool:
    if kind in TEXTS:
        return _is_text(content)
    if kind in PACKAGES:
        return content.startswith(SIGNATURES["zip"]) and _holds(content, PACKAGES[kind])
    return content.startswith(SIGNATURES.get(kind, ()))


def _holds(content: bytes, folder: str) -> bool:
    """Whether the zip is a package of an office program, with a folder of that name. Nothing of it is unpacked."""
    try:
        names = zipfile.ZipFile(BytesIO(content)).namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError):
        return False
    return "[Content_Types].xml" in names and any(name.startswith(folder) for name in names)


def _is_text(content: bytes) -> bool:
    if b"\0" in content:
        return False
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False
