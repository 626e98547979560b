"""Every text of the product can be read in both languages, and every translation is of a text that exists."""

import ast
from string import Formatter

from tests.texts import ROOT, catalogue, extracted, sources


def test_every_text_is_translated() -> None:
    known = {message.id: message.string for message in catalogue() if message.id}

    untranslated = [
        f"{places[0][0]}:{places[0][1]} {key!r}" for key, places in extracted().items() if not _filled(known.get(key))
    ]

    assert untranslated == []


def test_every_translation_is_used() -> None:
    used = set(extracted())

    unused = [message.id for message in catalogue() if message.id and message.id not in used]

    assert unused == []


def test_no_translation_is_doubtful() -> None:
    assert [message.id for message in catalogue() if message.id and message.fuzzy] == []


def test_translations_have_the_places_of_their_text() -> None:
    different = []
    for message in catalogue():
        if not message.id or not _filled(message.string):
            continue
        texts = message.id if isinstance(message.id, tuple) else (message.id,)
        translations = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set().union(*(_places(text) for text in texts))
        different += [message.id for text in translations if _places(text) != wanted]

    assert different == []


def test_a_text_is_written_out_where_it_is_said() -> None:
    """What is not a literal, Babel cannot find, and what is an f-string, nobody can translate."""
    computed = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in sources()
        if "i18n" not in file.parts
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in ("_", "says", "says_n")
        and not (node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str))
    ]

    assert computed == []


def test_no_text_is_said_inside_an_f_string() -> None:
    """Babel takes an f-string for a text and does not look into it: what is said there stays English, unnoticed."""
    hidden = [
        f"{file.relative_to(ROOT)}:{said.lineno} {said.args[0].value!r}"
        for file in sources()
        for text in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(text, ast.JoinedStr)
        for said in ast.walk(text)
        if isinstance(said, ast.Call)
        and getattr(said.func, "id", "") in ("_", "says", "says_n")
        and isinstance(said.args[0], ast.Constant)
    ]

    assert hidden == []


def test_a_text_is_given_what_its_places_name() -> None:
    wrong = []
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in ("_", "says", "says_n"):
                continue
            texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            given = {keyword.arg for keyword in node.keywords}
            if texts and None not in given and set().union(*map(_places, texts)) - {"count"} != given - {"count"}:
                wrong.append(f"{file.relative_to(ROOT)}:{node.lineno} {texts[0]!r} is given {sorted(map(str, given))}")

    assert wrong == []


def _filled(translation: object) -> bool:
    return all(translation) if isinstance(translation, tuple) else bool(translation)


def _places(text: str) -> set[str]:
    return {name for _text, name, _format, _conversion in Formatter().parse(text) if name is not None}
