"""What the jobs are called on the screen."""

from crm.services.jobs.job_names import TITLES, title
from jobs.plan import JOBS


def test_every_job_has_a_title_and_no_title_is_left_over() -> None:
    assert list(TITLES) == [job.name for job in JOBS]


def test_a_job_without_one_goes_by_its_name() -> None:
    assert str(title("tidy-up")) == "tidy-up"
