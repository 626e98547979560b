"""What people typed is shown as they typed it, wherever markdown is drawn: no link, no picture, no formula."""

import pytest

from crm.i18n import literal, marked, says


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("[You have won](http://evil.example)", r"\[You have won\](http://evil.example)"),
        ("![](http://evil.example/seen)", r"\!\[\](http://evil.example/seen)"),
        (":red[paid] $x$ <b>", r":red\[paid\] \$x\$ \<b\>"),
        ("# Paid", r"\# Paid"),
        ("- paid", r"\- paid"),
        ("\\[a]", r"\\\[a\]"),
        ("张三 wx_1 - 2", r"张三 wx\_1 - 2"),
        (":smile: a[:x:2]", ":\u2060smile: a\\[:\u2060x:2\\]"),
        ("at 10:30:45", "at 10:30:45"),
        (":material/home::+1:", ":\u2060material/home::\u2060+1:"),
        ("one\n# two\n\n    three", r"one \# two three"),
    ],
)
def test_every_sign_means_itself(typed: str, shown: str) -> None:
    assert literal(typed) == shown


def test_the_sentence_keeps_its_own_marks() -> None:
    sentence = says("For **{role}**: {why}", role="[a](b)", why=says("{name} is taken.", name="_x_"))

    assert marked(sentence) == r"For **\[a\](b)**: \_x\_ is taken."
