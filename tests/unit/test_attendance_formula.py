"""The formula of attendance, against an oracle that counts day by day."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from crm.domain.attendance import Attended, Figure, Rule, counted, figure, percent, to_make_up
from crm.domain.teaching import Attendance

RULE = Rule(late_over=15, part=50)
P, E, L, A, LE = Attendance.PRESENT, Attendance.EXCUSED, Attendance.LATE, Attendance.ABSENT, Attendance.LEFT_EARLY


def test_excused_leaves_the_denominator():
    assert figure([Attended(P), Attended(E), Attended(A)], RULE) == Figure(2, 100)


def test_late_counts_as_set_after_so_many_minutes():
    assert figure([Attended(L, 15)], RULE) == Figure(1, 0)
    assert figure([Attended(L, 16)], RULE) == Figure(1, 50)
    assert figure([Attended(L, 16)], Rule(15, 25)) == Figure(1, 25)


def test_late_by_minutes_that_nobody_noted_has_missed_nothing():
    assert figure([Attended(L)], Rule(0, 50)) == Figure(1, 0)


def test_who_left_early_missed_as_much_as_who_came_too_late():
    assert figure([Attended(LE)], RULE) == Figure(1, 50)


def test_a_day_that_was_not_taken_never_counts():
    assert figure([Attended(A, taken=False)], RULE) == Figure()


def test_of_each_day_it_is_said_how_it_counts_and_of_one_that_does_not_why():
    days = [
        Attended(P), Attended(A), Attended(A, made_up=True), Attended(L, 16), Attended(LE), Attended(E),
        Attended(P, taken=False), Attended(P, in_class=False),
    ]  # fmt: skip

    assert [str(counted(day, RULE)) for day in days] == [
        "1 of 1", "0 of 1", "1 of 1", "0.5 of 1", "0.5 of 1", "No: excused",
        "No: not confirmed", "No: not in the class",
    ]  # fmt: skip
    assert [str(day.says) for day in days[2:4]] == ["Absent, made up", "Late, 16 min"]


def test_of_a_day_that_was_not_taken_a_default_is_no_evidence_and_a_mark_that_somebody_set_is_said():
    days = [Attended(P, taken=False), Attended(A, taken=False), Attended(P)]

    assert [str(day.says) for day in days] == ["Not taken yet", "Absent", "Present"]


def test_a_day_before_joining_or_after_leaving_never_counts():
    assert figure([Attended(A, in_class=False)], RULE) == Figure()


def test_an_absence_that_was_made_up_is_not_missed():
    assert figure([Attended(A, made_up=True), Attended(A)], RULE) == Figure(2, 100)


def test_without_a_day_that_counts_there_is_no_figure():
    assert Figure().share is None
    assert percent(Figure()) is None


def test_a_share_is_rounded_down():
    assert percent(Figure(3, 100)) == 66
    assert percent(Figure(1000, 20_001)) == 79


DAYS = st.lists(
    st.builds(
        Attended, st.sampled_from(list(Attendance)), st.none() | st.integers(1, 90), st.booleans(), st.booleans(),
        st.booleans(),
    ),
    max_size=40,
)  # fmt: skip
RULES = st.builds(Rule, st.integers(0, 60), st.integers(0, 100))


@given(DAYS, RULES)
def test_the_formula_is_that_of_a_patient_clerk(days, rule):
    denominator, attended = 0, Fraction(0)
    for day in days:
        if not day.taken or not day.in_class or day.attendance == "excused":
            continue
        denominator += 1
        if day.attendance == "present":
            attended += 1
        elif day.attendance == "late":
            too_late = day.late_minutes is not None and day.late_minutes > rule.late_over
            attended += 1 - (Fraction(rule.part, 100) if too_late else 0)
        elif day.attendance == "left_early":
            attended += 1 - Fraction(rule.part, 100)
        elif day.made_up:
            attended += 1

    found = figure(days, rule)

    assert found.days == denominator
    assert Fraction(100 * found.days - found.missed, 100) == attended
    assert found.share is None if denominator == 0 else abs(found.share - attended / denominator) < 1e-9


@given(DAYS, RULES, st.integers(0, 30), st.integers(0, 100))
def test_so_many_absences_have_to_be_made_up_as_reach_the_limit_with_all_that_is_left_attended(
    days, rule, left, required
):
    def reaches(made_up):
        best = figure([*days, *[Attended(P)] * left], rule)
        return 100 * (100 * best.days - best.missed + 100 * made_up) >= 100 * required * best.days

    least = to_make_up(figure(days, rule), left, required)

    assert least >= 0 and reaches(least)
    assert least == 0 or not reaches(least - 1)
