"""The texts of the product, as Babel finds them in the code, beside the catalogue `crm/i18n/zh.po`.

`python -m tests.texts` brings the catalogue up to date: new texts are added untranslated, unused ones go.
"""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "crm" / "i18n" / "zh.po"
KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "says": None, "says_n": (1, 2)}
HEADER = r"""msgid ""
msgstr ""
"Project-Id-Version: Thanos CRM\n"
"Language: zh\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=1; plural=0;\n"

"""
Key = str | tuple[str, str]


def sources() -> list[Path]:
    """Every file that may hold a text."""
    files = [ROOT / "app.py", *(file for name in ("crm", "pages", "jobs") for file in (ROOT / name).rglob("*.py"))]
    return sorted(file for file in files if "versions" not in file.parts)


def extracted() -> dict[Key, list[tuple[str, int]]]:
    """Each text, singular and plural together, with the places that say it."""
    found: dict[Key, list[tuple[str, int]]] = {}
    for file in sources():
        for line, message, _comments, _context in extract_from_file("python", file, keywords=KEYWORDS):
            if message:
                key = tuple(message) if isinstance(message, list | tuple) else message
                found.setdefault(key, []).append((file.relative_to(ROOT).as_posix(), line))
    return found


def catalogue() -> Catalog:
    """The Chinese catalogue as it is."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh")


def _alphabet(key: Key) -> tuple[str, str]:
    text = key if isinstance(key, str) else key[0]
    return text.casefold(), text


def main() -> int:
    """Write the catalogue with every text there is, and say how many lack a translation."""
    old = catalogue()
    new = Catalog(locale="zh", fuzzy=False)
    lacking = 0
    # In the order of the alphabet, so that two people's new texts seldom meet on the same line.
    for key in sorted(extracted(), key=_alphabet):
        known = old.get(key if isinstance(key, str) else key[0])
        translated = known.string if known else ""
        if isinstance(key, tuple) and isinstance(translated, str):
            translated = (translated,)
        lacking += not any(translated)
        new.add(key, translated)
    with CATALOGUE.open("wb") as file:
        file.write(HEADER.encode())
        write_po(file, new, width=120, omit_header=True)
    sys.stdout.write(f"{len(new)} texts, {lacking} without a translation\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
