"""The widget that takes a file speaks the reader's language, which Streamlit does not."""

import pytest
from streamlit.testing.v1 import AppTest


def uploader(language) -> None:
    from crm.i18n import read_in
    from crm.ui.file_upload import file_upload

    with read_in(language):
        file_upload("Scores", ["xlsx", "csv"], 20, key="scores")


@pytest.mark.parametrize(("language", "said"), [("en", []), ("zh", ["选择文件", "最大 20 MB · XLSX、CSV"])])
def test_the_button_and_its_limits_are_in_the_readers_language(language, said):
    at = AppTest.from_function(uploader, args=(language,)).run()

    styles = [element.proto.body for element in at.get("html")]
    assert not at.exception
    assert len(at.get("file_uploader")) == 1
    assert [text for text in said if f'content: "{text}"' in "".join(styles)] == said
    assert bool(styles) == bool(said)
