"""The page on jobs names every job, and no job that is not there."""

import re

from crm.settings import ROOT
from jobs.plan import JOBS


def test_the_page_lists_the_jobs_that_there_are() -> None:
    page = (ROOT / "docs" / "jobs.md").read_text("utf-8")

    listed = re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)

    assert listed == [job.name for job in JOBS]
