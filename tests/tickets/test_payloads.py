"""Other projects' request and answer bodies of ticket systems: ours have their shape."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from monitord.errors import TicketError
from monitord.model.ticket import Operation
from monitord.tickets.contract import DOCUMENT, message
from monitord.tickets.wire import Answer
from tests.tickets.rigs import FAKES, build
from tests.world.vectors import vector

NAMES = {
    "github": "github",
    "gitlab": "gitlab",
    "jira_cloud": "jira-cloud",
    "jira_data_center": "jira",
    "servicenow": "servicenow",
    "zammad": "zammad",
}
FOR_GOOD = {400, 413, 415, 422}


def cases() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = vector("payloads/ticket_systems.json")["cases"]
    assert len(found) == 6
    assert sum(len(case["errors"]) for case in found) == 19
    return found


def test_a_new_ticket_has_the_fields_that_the_documentation_names() -> None:
    for case in cases():
        name = NAMES[case["system"]]
        with FAKES[name]() as fake:
            build(name, fake.url).deliver(message(1, Operation.OPEN, "prod-1"), DOCUMENT, "")
            # What else it asks (whose the new ticket is) changes nothing there.
            ((method, path, body),) = [each for each in fake.requests if each[0] != "GET"]
        wanted = case["request"]
        assert method == wanted["method"]
        assert urlsplit(wanted["path"]).path.count("/") == path.count("/"), name
        required = {"github": {"title", "body"}, "gitlab": {"title", "description"}}.get(
            name, {"fields"} if "jira" in name else {"short_description", "correlation_id"}
        )
        required = {"title", "group", "customer", "article"} if name == "zammad" else required
        assert required <= set(body) & set(wanted["body"]), name
        if "jira" in name:
            fields = {"project", "issuetype", "summary", "description"}
            assert fields <= set(body["fields"]) & set(wanted["body"]["fields"])
            said = [type(each["fields"]["description"]) for each in (body, wanted["body"])]
            assert said[0] is said[1]


def test_which_of_their_refusals_are_worth_another_try() -> None:
    for case in cases():
        for refusal in case["errors"]:
            status = refusal["http_status"]
            answer = Answer("desk.example.com", status, {}, str(refusal.get("body", "")))
            with pytest.raises(TicketError) as caught:
                answer.must_be_good()
            assert caught.value.permanent is (status in FOR_GOOD), (case["system"], refusal)
            assert not caught.value.unknown


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}, 86_400.0),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "1000000000"}, 0.0),
        ({"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "99999999999"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, None),
        ({"Retry-After": "5", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, 5.0),
    ],
)
def test_a_spent_allowance_is_waited_for(headers: dict[str, str], wait: float | None) -> None:
    with pytest.raises(TicketError) as caught:
        Answer("api.example.com", 403, headers, "").must_be_good()
    assert caught.value.retry_after == wait


@pytest.mark.parametrize(
    "told",
    ["", "soon", "-5", "01 Jan 2020 00:00:00 +99999999999999", "Thu, 01 Jan 1970 00:00:9e9 GMT",
     "Mon, 01 Jan 20200000000000000000000 00:00:00 GMT"],
)  # fmt: skip
def test_a_retry_after_that_is_none_is_no_failure_of_ours(told: str) -> None:
    with pytest.raises(TicketError) as caught:
        Answer("api.example.com", 429, {"Retry-After": told}, "").must_be_good()
    assert caught.value.retry_after is None
