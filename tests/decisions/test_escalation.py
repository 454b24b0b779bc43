import pytest

from monitord.decisions.escalation import priority, ticket_at_once
from monitord.model.ids import TicketId
from monitord.model.result import Status
from monitord.model.sla import PRIORITY_TABLE
from tests.decisions.cases import check, incident

OK, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN


@pytest.mark.parametrize(
    ("severity", "impacts", "expected"),
    [
        (CRITICAL, [], "P3"),
        (CRITICAL, ["normal"], "P3"),
        (CRITICAL, ["normal", "low"], "P4"),
        (CRITICAL, ["low", "high"], "P2"),
        (WARNING, ["low"], "P5"),
        (CRITICAL, ["normal", "high"], "P2"),
        (WARNING, ["high"], "P4"),
        (UNKNOWN, ["high"], "P4"),
        (OK, ["high"], "P4"),
    ],
)
def test_priority(severity: Status, impacts: list[str], expected: str) -> None:
    assert priority(severity, impacts) == expected


@pytest.mark.parametrize(("impact", "expected"), [("high", "P1"), ("normal", "P2"), ("low", "P3")])
def test_a_service_that_is_down_raises_the_priority(impact: str, expected: str) -> None:
    assert priority(CRITICAL, [impact], down=True) == expected


def test_a_table_of_ones_own_decides() -> None:
    table = {**PRIORITY_TABLE, ("high", "critical"): "P1"}
    assert priority(CRITICAL, ["high"], table) == "P1"
    assert priority(CRITICAL, [], table) == "P3"


@pytest.mark.parametrize(
    ("severity", "ticket", "opens"),
    [
        (CRITICAL, "on_escalation", False),
        (CRITICAL, "at_once", True),
        (WARNING, "on_escalation", False),
        (WARNING, "at_once", True),
        (UNKNOWN, "on_escalation", True),
    ],
)
def test_a_ticket_opens_at_once_where_nobody_else_would_tell(
    severity: Status, ticket: str, opens: bool
) -> None:
    of = incident(severity=severity)
    assert ticket_at_once(of, check(ticket=ticket)) is opens


def test_there_is_one_ticket_only() -> None:
    assert not ticket_at_once(incident(ticket=TicketId(3)), check(ticket="at_once"))
    assert not ticket_at_once(incident(severity=UNKNOWN, ticket=TicketId(3)), None)


def test_what_cannot_be_judged_needs_no_check_to_be_told() -> None:
    assert ticket_at_once(incident(severity=UNKNOWN), None)
    assert not ticket_at_once(incident(severity=CRITICAL), None)
