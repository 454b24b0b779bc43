"""The routes that command, over the real socket: in whose name, and what is refused."""

from __future__ import annotations

import os
import pwd
from typing import Any

import pytest

from monitord.control import CoreSaysNoError
from tests.api.cores import FakeCore

ME = pwd.getpwuid(os.getuid()).pw_name
LATER = "2100-01-01T00:00:00Z"
ORDER = {"selector": "web1/site", "reason": "known", "expires": LATER}


def test_an_order_is_given_in_the_name_of_the_peer_s_uid(core: FakeCore) -> None:
    answer = core.client.post("/v1/ack", ORDER)
    assert answer["touches"] == ["web1/site"]
    assert answer["order"]["by"] == ME
    call = core.calls("ack")[-1]
    assert (call["by"], call["reason"], call["selector"]) == (ME, "known", "web1/site")
    assert call["expires"] == 4_102_444_800_000_000


@pytest.mark.parametrize("verb", ["ack", "take", "mute"])
def test_the_orders_that_begin_now_are_given_alike(core: FakeCore, verb: str) -> None:
    answer = core.client.post(f"/v1/{verb}", {**ORDER, "selector": "web1"})
    assert answer["order"]["verb"] == verb
    assert core.calls(verb)[-1]["selector"] == "web1"


def test_a_halt_can_also_kill_what_runs(core: FakeCore) -> None:
    answer = core.client.post("/v1/halt", {"reason": "stop", "expires": LATER, "now": True})
    assert answer["order"]["selector"] == "*"
    assert answer["killed"] == ["step 1 on web1 killed"]
    assert core.calls("halt-now")[-1]["by"] == ME


def test_an_order_ends_by_its_number_or_a_halt_by_its_selector(core: FakeCore) -> None:
    (ended,) = core.client.post("/v1/resume", {"what": 1})["ended"]
    assert (ended["verb"], ended["ended_by"], ended["in_force"]) == ("halt", ME, False)
    core.client.post("/v1/resume", {"what": "*"})
    core.client.post("/v1/resume", {"what": "web1", "verb": "take"})
    calls = [(call["what"], call["verb"]) for call in core.calls("resume")]
    assert calls == [(1, "halt"), ("*", "halt"), ("web1", "take")]


def test_maintenance_may_start_later(core: FakeCore) -> None:
    body = {**ORDER, "starts": "2099-01-01T00:00:00+01:00", "until_ok": True}
    assert core.client.post("/v1/maintenance", body)["order"]["verb"] == "maintenance"


@pytest.mark.parametrize(
    ("route", "body", "status", "text"),
    [
        ("/v1/ack", {**ORDER, "selector": "web9"}, 409, "'web9' selects no check"),
        ("/v1/ack", {**ORDER, "selector": "&"}, 400, "selector '&' has an empty part"),
        ("/v1/ack", {**ORDER, "expires": "2001-01-01T00:00:00Z"}, 409, "the expiry has passed"),
        ("/v1/ack", {**ORDER, "reason": "  "}, 400, "the request's body does not fit: reason:"),
        ("/v1/ack", {**ORDER, "expires": "2100-01-01T00:00:00"}, 400, "the request's body does"),
        ("/v1/ack", {"reason": "x"}, 400, "the request's body does not fit: selector:"),
        ("/v1/ack", {**ORDER, "by": "kim"}, 400, "the request's body does not fit: by:"),
        (
            "/v1/ack",
            {},
            400,
            "the request's body does not fit: selector: is missing; reason: is missing; expires:",
        ),
        (
            "/v1/remediate",
            {"key": "web1/site", "dry_run": "no"},
            400,
            "the request's body does not fit: dry_run: 'no' is not true or false",
        ),
        ("/v1/resume", {"what": []}, 400, "the request's body does not fit: what: [] is not a"),
        (f"/v1/incidents/{10**20}/close", {"reason": "x"}, 404, f"there is no incident {10**20}"),
        ("/v1/maintenance", {**ORDER, "starts": "2100-01-02T00:00:00Z"}, 409, "the maintenance"),
        ("/v1/resume", {"what": 99}, 404, "there is no order 99 in force"),
        ("/v1/markers", {"text": "x", "selector": "web9"}, 409, "'web9' selects no check"),
        ("/v1/markers", {"text": " "}, 400, "the request's body does not fit: text: is empty"),
        ("/v1/forget", {"key": "web1/site"}, 409, "web1/site still reports"),
        ("/v1/run-check", {"key": "web9/site"}, 404, "no check is called 'web9/site'"),
        ("/v1/incidents/7/close", {"reason": "x"}, 404, "there is no incident 7"),
        ("/v1/incidents/1/close", {}, 400, "the request's body does not fit: reason:"),
        ("/v1/ping", {"key": "nope", "event": "start", "at": 1}, 404, "no job is called 'nope'"),
        ("/v1/ping", {"key": "nightly", "event": "x", "at": 1}, 400, "event: 'x' is none of"),
        ("/v1/ack", {**ORDER, "reason": "x" * 70_000}, 413, "the request's body is over 65536"),
    ],
)
def test_what_cannot_be_done_says_why(
    core: FakeCore, route: str, body: dict[str, Any], status: int, text: str
) -> None:
    before = len(core.calls())
    with pytest.raises(CoreSaysNoError) as caught:
        core.client.post(route, body)
    assert caught.value.status == status
    assert str(caught.value).startswith(text)
    assert len(core.calls()) == before


def test_a_broken_configuration_is_listed_and_changes_nothing(core: FakeCore) -> None:
    broken = core.state / "broken"
    broken.touch()
    try:
        with pytest.raises(CoreSaysNoError) as caught:
            core.client.post("/v1/reload", {})
    finally:
        broken.unlink()
    assert caught.value.status == 422
    assert str(caught.value) == "the configuration has 1 mistake"
    assert caught.value.problems == ("monitord.yaml:3:1: every: '5' is not a duration",)
    assert core.client.post("/v1/reload", {})["lines"] == ["added: web1/load"]


def test_a_bug_of_ours_is_one_sentence_and_the_core_lives_on(core: FakeCore) -> None:
    with pytest.raises(CoreSaysNoError) as caught:
        core.client.post("/v1/run-check", {"key": "web1/bug"})
    assert caught.value.status == 500
    assert (str(caught.value), caught.value.cure) == (
        "/v1/run-check failed",
        "the daemon's log tells why",
    )
    assert "a bug of ours" in core.last_words()
    assert core.client.get("/healthz")["ok"] is True


def test_a_check_run_by_hand_gives_its_results(core: FakeCore) -> None:
    (result,) = core.client.post("/v1/run-check", {"key": "web1/site"})["results"]
    assert (result["status"], result["summary"]) == ("CRITICAL", "no answer within 5 s")


def test_a_remediation_is_only_planned_unless_told_otherwise(core: FakeCore) -> None:
    assert core.client.post("/v1/remediate", {"key": "web1/site"})["started"] is None
    body = {"key": "web1/site", "runbook": "restart-nginx", "dry_run": False}
    assert core.client.post("/v1/remediate", body)["started"] == 5
    assert core.calls("remediate")[-1] == {
        "call": "remediate",
        "key": "web1/site",
        "runbook": "restart-nginx",
        "dry_run": False,
        "by": ME,
    }


def test_a_job_reports_in_the_name_of_who_ran_it_and_a_ping_as_ping(core: FakeCore) -> None:
    report = {"key": "nightly", "event": "fail", "at": 5, "exit_code": 2, "output": "x\x1b[1m"}
    core.client.post("/v1/jobs/report", report)
    core.client.post("/v1/ping", report)
    by_hand, ping = core.calls("job")[-2:]
    assert (by_hand["by"], ping["by"]) == (ME, "ping")
    assert by_hand["key"] == "db1/nightly"
    assert (by_hand["exit_code"], by_hand["output"], by_hand["at"]) == (2, "x\x1b[1m", 5)


def test_events_arrive_as_they_happen(core: FakeCore) -> None:
    stream = core.client.follow("/v1/events")
    assert next(stream)["kind"] == "alive"
    core.client.post("/v1/forget", {"key": "web1/gone/item"})
    kinds = [next(stream)["kind"]]
    while kinds[-1] != "forget":
        kinds.append(next(stream)["kind"])
    stream.close()
