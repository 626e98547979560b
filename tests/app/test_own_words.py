"""What Streamlit says of its own is read in the reader's language too."""

import pytest
from streamlit.testing.v1 import AppTest


def page(language) -> None:
    from crm.i18n import read_in
    from crm.ui.own_words import own_words

    with read_in(language):
        own_words()


@pytest.mark.parametrize(
    ("language", "said"), [("en", []), ("zh", ["按 Enter 键应用", "按 Ctrl+Enter 键提交", "全选"])]
)
def test_what_a_box_says_while_one_types_is_in_the_readers_language(language, said):
    at = AppTest.from_function(page, args=(language,)).run()

    styles = "".join(element.proto.body for element in at.get("html"))
    assert not at.exception
    assert [text for text in said if f'content: "{text}"' in styles] == said
    assert bool(styles) == bool(said)
