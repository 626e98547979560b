"""The reason that is kept with each assignment."""

from crm.domain.sharing import Pick, Round, Taking, share
from crm.i18n import Says
from crm.services.sharing.assignment import reason, stored_reason

PICK = Pick(id=7, weight=10, total=120, served=17, step=204)


def test_a_manager_reads_the_share_and_what_came_of_it() -> None:
    assert str(reason(PICK)) == "Weight 10 of 120 in all: now has 17 of the last 204 shared out."


def test_the_fast_way_to_store_a_reason_stores_the_same() -> None:
    assert stored_reason(PICK) == reason(PICK).stored()
    assert Says.loaded(stored_reason(PICK)) == reason(PICK)


def test_decisions_can_be_read_one_by_one_and_in_parts() -> None:
    picks, _ = share(Round(), [Taking(1, 2, 9), Taking(2, 1, 1)], 5)

    read = list(picks)

    assert [pick.id for pick in read] == [1, 2, 1, 1, 1]
    assert read[0] == Pick(1, 2, 3, 1, 1)
    assert read[4] == picks[4] == picks[-1] == Pick(1, 2, 2, 3, 3)
    assert picks[1:3] == read[1:3]
