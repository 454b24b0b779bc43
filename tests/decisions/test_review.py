"""When incidents are a problem; and the review that is begun from an incident's rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitord.decisions.problems import barred, is_problem, times
from monitord.decisions.review import markdown
from monitord.model.ids import AttemptId, IncidentId, Instant
from monitord.model.incident import AttemptStatus
from monitord.model.policy import Recurring
from monitord.model.problem import Problem, ProblemStatus
from monitord.model.ticket import Event
from tests.decisions.cases import at, incident
from tests.store.rows import attempt

RULE = Recurring()
PROBLEM = Problem(4, "web1/site", ProblemStatus.OPEN, "web1/site failed 3 times", at(0), at(9), 3)


def test_each_incident_counts_and_each_time_that_one_came_back() -> None:
    former = [incident(opened=at(60)), incident(opened=at(90), reopened=2), incident(opened=at(10))]
    assert times(former, at(50)) == 4
    assert is_problem(3, RULE)
    assert not is_problem(2, RULE)


@pytest.mark.parametrize(
    ("fixed", "status", "bars"),
    [
        (2, ProblemStatus.OPEN, ""),
        (3, ProblemStatus.OPEN, "fixed 3 times in 1d and back again (problem 4)"),
        (3, ProblemStatus.KNOWN, ""),
    ],
)
def test_what_was_fixed_too_often_is_left_alone_until_its_cause_is_known(
    fixed: int, status: ProblemStatus, bars: str
) -> None:
    row = replace(attempt(7), status=AttemptStatus.FIXED, finished=at(80))
    rows = [replace(row, id=AttemptId(number)) for number in range(fixed)]
    rows += [replace(row, finished=at(5)), replace(row, status=AttemptStatus.FAILED)]
    assert barred(rows, replace(PROBLEM, status=status), at(50), RULE) == bars


def test_a_review_tells_what_rows_know_and_asks_the_rest() -> None:
    over = incident(resolved=Instant(at(40) + 600_000_000), cause="verified", cure="more memory")
    paged = Event(IncidentId(7), at(99), "paged", "L1: kim: it waits for a person")
    told = Event(IncidentId(7), at(100), "noticed", "kim was told by email")
    page = markdown(over, [paged, told], [replace(attempt(7), outcome="fixed")], PROBLEM)
    assert "# Review of incident 7: web1/site" in page
    assert "| over | " in page
    assert "(after 10 min)" in page
    assert "| people told | " in page
    assert "(after 1 min)" in page
    assert "more memory" in page
    assert "_What was the cause?_" in page
    assert "| action | who | due |" in page


def test_a_review_does_not_call_people_told_whom_nothing_reached() -> None:
    paged = Event(IncidentId(7), at(100), "paged", "L1: kim: it waits for a person")
    failed = Event(IncidentId(7), at(101), "unnoticed", "kim could not be reached")
    assert "| people told | nobody was reached |" in markdown(incident(), [paged, failed], [], None)


def test_what_a_target_wrote_is_no_structure_of_a_review() -> None:
    hostile = "</td>\n# Owned | [click](http://evil) `x` \x1b[31m"
    page = markdown(incident(summary=hostile), [], [], None)
    assert "\n# Owned" not in page
    assert "\x1b" not in page
    assert "[click](" not in page
    assert "Nothing." in page
