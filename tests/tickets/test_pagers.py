"""PagerDuty and Alertmanager: an incident is one alert there, by its key or its labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from monitord.model.ticket import Operation
from monitord.tickets.contract import DOCUMENT, message
from tests.tickets.fakes.desks import ROUTING, Pagerduty, wrong_with
from tests.tickets.real import Alertmanager
from tests.tickets.rigs import build
from tests.world.needs import need
from tests.world.vectors import vector


@pytest.fixture(scope="module")
def manager() -> Iterator[Alertmanager]:
    need("alertmanager")
    with Alertmanager() as peer:
        yield peer


def labels(manager: Alertmanager, incident: str) -> list[dict[str, str]]:
    found = [alert["labels"] for alert in manager.alerts()]
    return [each for each in found if each["incident"] == incident]


def test_amtool_reads_the_alert_back(manager: Alertmanager) -> None:
    backend = build("alertmanager", manager.url, labels={"team": "ops"})
    backend.deliver(message(1, Operation.OPEN, "prod-1"), DOCUMENT, "")
    (alert,) = [a for a in manager.alerts() if a["labels"]["incident"] == "prod-1"]
    assert alert["labels"] == {
        "alertname": "site",
        "instance": "web1",
        "check": "web1/site",
        "incident": "prod-1",
        "severity": "warning",
        "team": "ops",
    }
    assert alert["annotations"]["summary"] == "web1/site: CRITICAL: no answer within 5 s"
    assert alert["annotations"]["tier"] == "L1"
    assert alert["startsAt"].startswith("2026-03-01T02:29:30")


def test_an_alert_that_is_over_fires_no_more(manager: Alertmanager) -> None:
    backend = build("alertmanager", manager.url)
    external = backend.deliver(message(1, Operation.OPEN, "prod-2"), DOCUMENT, "").external
    assert labels(manager, "prod-2")
    backend.deliver(message(2, Operation.RESOLVE, "prod-2"), DOCUMENT, external)
    assert labels(manager, "prod-2") == []
    backend.deliver(message(3, Operation.REOPEN, "prod-2"), DOCUMENT, external)
    assert labels(manager, "prod-2")


def test_a_raised_priority_is_one_alert_and_not_two(manager: Alertmanager) -> None:
    backend = build("alertmanager", manager.url)
    external = backend.deliver(message(1, Operation.OPEN, "prod-3"), DOCUMENT, "").external
    raised = DOCUMENT | {"priority": "P1"}
    external = backend.deliver(message(2, Operation.UPDATE, "prod-3"), raised, external).external
    assert [each["severity"] for each in labels(manager, "prod-3")] == ["critical"]
    backend.deliver(message(3, Operation.RESOLVE, "prod-3"), raised, external)
    assert labels(manager, "prod-3") == []


def test_an_alert_outlives_two_lost_messages() -> None:
    with pytest.raises(ValidationError, match="lasts must be three times resend"):
        build("alertmanager", "http://127.0.0.1:9093", resend="1m", lasts="2m")


def events(fake: Pagerduty) -> list[dict[str, Any]]:
    return [body for _, _, body in fake.requests]


def test_an_incident_is_one_alert_from_trigger_to_resolve() -> None:
    with Pagerduty() as fake:
        backend = build("pagerduty", fake.url)
        external = ""
        for number, operation in enumerate((Operation.OPEN, Operation.UPDATE, Operation.RESOLVE)):
            item = message(number, operation, "prod-1")
            external = backend.deliver(item, DOCUMENT, external).external
        assert [each["event_action"] for each in events(fake)] == ["trigger", "trigger", "resolve"]
        assert {each["dedup_key"] for each in events(fake)} == {"prod-1"}
        payload = events(fake)[0]["payload"]
    assert (payload["severity"], payload["source"]) == ("warning", "web1")
    assert payload["timestamp"] == "2026-03-01T02:30:15Z"
    assert fake.alerts == {"prod-1": "resolve"}


def test_what_is_too_long_is_cut_before_it_is_sent() -> None:
    with Pagerduty() as fake:
        long = DOCUMENT | {"title": "s" * 5000, "check": "c" * 500}
        build("pagerduty", fake.url).deliver(message(1, Operation.OPEN, "k" * 500), long, "")
        (event,) = events(fake)
    assert wrong_with(event) == []


def test_a_severity_that_is_none_is_told() -> None:
    with pytest.raises(ValidationError, match="'fatal' is not a severity"):
        build("pagerduty", "http://127.0.0.1:1", priorities={"P1": "fatal"})


def test_the_events_of_another_project_are_judged_as_it_says() -> None:
    """Our server holds the API to the letter: the vectors' good ones pass, the bad ones do not."""
    judged = 0
    for case in vector("payloads/pagerduty_events_v2.json")["cases"]:
        request, response = case.get("request"), case.get("response") or {}
        if request is None or "http_status" not in response:
            continue
        judged += 1
        assert (wrong_with(request) == []) is (response["http_status"] == 202), case["name"]
    assert judged == 7
    assert len(ROUTING) == 32
