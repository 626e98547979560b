"""Who is at risk, and why."""

from crm.domain.at_risk import Known, Limits, absent_in_a_row, reasons
from crm.domain.attendance import Figure
from crm.domain.teaching import Attendance

HERE, GONE, EXCUSED, LATE = Attendance.PRESENT, Attendance.ABSENT, Attendance.EXCUSED, Attendance.LATE
ALWAYS_THERE = Figure(10, 0)
LIMITS = Limits(absences_in_a_row=3, missing_homework=2, falling_points=10, required=80)


def why(marks=(HERE,), numbers=(), missing=0, attended=ALWAYS_THERE, days_left=0, complete=True):
    known = Known(marks, numbers, missing, attended, days_left, complete)
    return [str(one) for one in reasons(known, LIMITS)]


def test_nobody_is_at_risk_without_a_reason():
    assert why() == []
    assert why(marks=(), attended=Figure()) == []


def test_absences_count_from_the_latest_day_back_and_an_excused_day_is_passed_over():
    assert absent_in_a_row([HERE, GONE, GONE]) == 2
    assert absent_in_a_row([GONE, GONE, EXCUSED, GONE, EXCUSED]) == 3
    assert absent_in_a_row([GONE, GONE, LATE]) == 0
    assert why(marks=[HERE, GONE, GONE, GONE]) == ["Absent 3 days in a row."]
    assert why(marks=[GONE, GONE, GONE, HERE]) == []


def test_attendance_is_a_reason_only_once_the_limit_is_out_of_reach():
    assert why(attended=Figure(10, 300), days_left=5) == []
    assert why(attended=Figure(10, 300), days_left=4) == ["Cannot reach 80 % attendance any more."]


def test_as_long_as_days_may_be_added_nothing_is_said_to_be_certain():
    assert why(attended=Figure(10, 300), days_left=4, complete=False) == [
        "Cannot reach 80 % attendance on the days planned so far."
    ]


def test_absences_that_can_be_made_up_are_a_way_to_the_limit():
    absent = (GONE, HERE, GONE, HERE)

    assert why(marks=absent, attended=Figure(4, 200)) == ["Reaches 80 % attendance only if 2 absences are made up."]
    assert why(marks=absent, attended=Figure(4, 200), days_left=5, complete=False) == [
        "On the days planned so far, reaches 80 % attendance only if 1 absence is made up."
    ]
    # What was missed by coming too late is made up by nothing.
    assert why(marks=(LATE, LATE, GONE), attended=Figure(3, 200)) == ["Cannot reach 80 % attendance any more."]


def test_a_falling_average_of_three_is_told_with_both_averages():
    assert why(numbers=[90, 90, None, 90, 70, 80, 81]) == [
        "The average of the last three scores is 77, of the three before 90."
    ]


def test_missing_homework_is_told_from_the_limit_on():
    assert why(missing=1) == []
    assert why(missing=2) == ["2 homeworks missing."]
