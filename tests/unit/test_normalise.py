"""What people type becomes uniform: equal things are equal, and what cannot be understood is refused."""

from datetime import date, datetime, time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm.domain import normalise
from crm.domain.customers import Gender
from crm.domain.normalise import Cell, Wrong
from crm.i18n import LANGUAGES, Language, read_in, says
from crm.xlsx.fields import BY_KEY, FIELDS

WITHOUT_ROWS = [item for item in FIELDS if item.key not in ("courses", "referred_by")]
cells: st.SearchStrategy[Cell] = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="0123456789+-() .eE０１２８６'=@万元k,", max_size=24),
    st.floats(),
    st.integers(min_value=-(10**15), max_value=10**15),
    st.booleans(),
    st.none(),
    st.dates(),
    st.datetimes(),
    st.times(),
)
mobiles = st.builds("1{}{:09d}".format, st.integers(3, 9), st.integers(0, 999_999_999))


@pytest.mark.parametrize("item", WITHOUT_ROWS, ids=lambda item: item.key)
@given(cell=cells)
@example(cell=" '@")
@example(cell="\u200b'\t'=")
def test_what_comes_out_goes_in_again_unchanged(item, cell: Cell) -> None:  # type: ignore[no-untyped-def]
    try:
        value = item.clean(cell)
    except Wrong:
        return

    assert item.clean(value) == value


@pytest.mark.parametrize("item", WITHOUT_ROWS, ids=lambda item: item.key)
@given(cell=cells)
def test_what_comes_out_can_be_stored(item, cell: Cell) -> None:  # type: ignore[no-untyped-def]
    try:
        value = item.clean(cell)
    except Wrong as error:
        assert str(error)
        return

    assert value is None or value != ""
    if isinstance(value, str):
        assert value == value.strip()
        assert "\x00" not in value
        value.encode("utf-8")


@given(
    number=mobiles, country=st.sampled_from(["", "+86", "0086", "+86 ", "86-", "（+86）"]), mark=st.sampled_from(" -–.")
)
def test_however_a_mobile_is_written_it_is_the_same(number: str, country: str, mark: str) -> None:
    apart = f"{country}{number[:3]}{mark}{number[3:7]}{mark}{number[7:]}"
    wide = number.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})

    for written in (apart, wide, f"'{number}", f"\u200b{number}\xa0", f"{number}.0", float(number), int(number)):
        assert normalise.phone(written) == number


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("010-8888 8888", "01088888888"),
        ("(0755)2345678", "07552345678"),
        ("+86 10 8888 8888", "01088888888"),
        ("400-810-1234", "4008101234"),
        ("+1 (415) 555-2671", "+14155552671"),
        ("001 415 555 2671", "+14155552671"),
        ("", None),
        (" ", None),
        (None, None),
    ],
)
def test_phones_of_other_kinds(written: Cell, number: str | None) -> None:
    assert normalise.phone(written) == number


@pytest.mark.parametrize(
    "written",
    [
        "1380013800",
        "138001380000",
        "12800138000",
        "call me",
        "13800138000/13900139000",
        "1.38E+10",
        "+8612345678901",
        "10000",
        "0",
    ],
)
def test_what_is_no_phone_is_refused(written: str) -> None:
    with pytest.raises(Wrong):
        normalise.phone(written)


def test_a_number_that_a_spreadsheet_shortened_is_not_guessed() -> None:
    with pytest.raises(Wrong, match=r"shortened this number to 1\.38E\+10"):
        normalise.phone("1.38E+10")


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("10001", "10001"),
        (1234567.0, "1234567"),
        ("１２３４５６", "123456"),
        ("123456@QQ.com", "123456"),
        ("123 456", "123456"),
    ],
)
def test_qq_numbers(written: Cell, number: str) -> None:
    assert normalise.qq(written) == number


@pytest.mark.parametrize("written", ["1234", "0123456", "1234567890123", "abc123"])
def test_what_is_no_qq_is_refused(written: str) -> None:
    with pytest.raises(Wrong):
        normalise.qq(written)


@pytest.mark.parametrize(
    ("written", "yuan"),
    [
        ("8000", 8000),
        (8000.0, 8000),
        ("¥8,000", 8000),
        ("8，000元", 8000),
        ("8000元/月", 8000),
        ("8k", 8000),
        ("1.2万", 12000),
        ("0", 0),
        ("8000.00", 8000),
        ("", None),
    ],
)
def test_salaries(written: Cell, yuan: int | None) -> None:
    assert normalise.salary(written) == yuan


@pytest.mark.parametrize(
    "written", ["8000-10000", "a lot", -1, "8000.5", 10_000_001, "１ 0 0 0 0 0 0 1万", float("nan"), float("inf")]
)
def test_what_is_no_salary_is_refused(written: Cell) -> None:
    with pytest.raises(Wrong):
        normalise.salary(written)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("  张\u3000三 ", "张 三"),
        ("Ａnna", "Anna"),
        ("张\n三", "张 三"),
        ("O'Brien", "O'Brien"),
        ("张三（北京）", "张三（北京）"),
        (None, None),
    ],
)
def test_names(written: Cell, name: str | None) -> None:
    assert normalise.name(written) == name


@pytest.mark.parametrize("written", ["13800138000", "---", 5.0, "x" * 65])
def test_what_is_no_name_is_refused(written: Cell) -> None:
    with pytest.raises(Wrong):
        normalise.name(written)


@pytest.mark.parametrize(
    "written", ["a@b", "a b@example.com", "example.com", "a@example.com, b@example.com", "@example.com"]
)
def test_what_is_no_mail_address_is_refused(written: str) -> None:
    with pytest.raises(Wrong):
        normalise.email(written)


def test_mail_addresses_are_written_small() -> None:
    assert normalise.email(" Li.Lei＠Example.COM ") == "li.lei@example.com"


@pytest.mark.parametrize("cell", [date(2024, 1, 3), datetime(2024, 1, 3), time(8, 30), datetime(2024, 1, 3, 8)])
@pytest.mark.parametrize("key", ["name", "phone", "qq", "company", "experience", "salary"])
def test_a_date_where_none_belongs_is_refused_with_the_remedy(key: str, cell: Cell) -> None:
    with pytest.raises(Wrong, match="Format the cell as text"):
        BY_KEY[key].clean(cell)


def test_a_note_may_be_a_date_and_keeps_its_lines() -> None:
    assert normalise.lines(date(2024, 1, 3), 100) == "2024-01-03"
    assert normalise.lines(" one\r\ntwo\x07 ", 100) == "one\ntwo"


def test_text_that_is_too_long_says_by_how_much() -> None:
    with pytest.raises(Wrong) as error:
        normalise.line("x" * 101, 100)

    assert error.value.says == says(
        "This text has {count} characters; {longest} are the most. Shorten it.", count=101, longest=100
    )


def test_a_formula_in_a_text_is_only_text() -> None:
    assert normalise.line("'=1+1", 100) == "=1+1"
    assert normalise.line("=1+1", 100) == "=1+1"


@pytest.mark.parametrize("written", ["1", 1, 1.0, "１", "男", "男性", "Male", "MALE", " male ", "m"])
def test_a_choice_is_read_by_code_label_or_classic_word(written: Cell) -> None:
    assert BY_KEY["gender"].clean(written) is Gender.MALE


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("item", [item for item in FIELDS if item.choices], ids=lambda item: item.key)
def test_every_choice_is_read_by_its_code_and_its_label_in_either_language(  # type: ignore[no-untyped-def]
    item, language: Language
) -> None:
    for member in item.choices:
        assert item.clean(member) is member
        assert item.clean(member.value) is member
        with read_in(language):
            label = str(member.label)
        assert item.clean(label) is member


def test_an_unknown_choice_is_told_what_there_is() -> None:
    with pytest.raises(Wrong, match=r"3 is not known here\. Use one of: Male, Female\."):
        BY_KEY["gender"].clean(3.0)


def test_a_number_is_searched_as_it_is_stored_however_it_was_pasted() -> None:
    typed = ("150 0000 0002", "+86 150-0000-0002", "１５０００００００02", "008615000000002")

    assert {normalise.digits_typed(text) for text in typed} == {"15000000002"}


@pytest.mark.parametrize("typed", ["王伟", "伟77", "wang88", "138x", "1+2"])
def test_no_number_begins_with_a_name(typed):
    assert normalise.digits_typed(typed) == ""


@pytest.mark.parametrize(("typed", "begins"), [("+49 151", "+49151"), ("138-0013", "1380013"), ("+", "+")])
def test_a_number_from_abroad_is_looked_for_as_it_is_stored(typed, begins):
    assert normalise.digits_typed(typed) == begins
