"""The routes that look, over the real socket."""

from __future__ import annotations

import socket

import pytest

from monitord.control import CoreSaysNoError
from tests.api.cores import FakeCore
from tests.api.fake_rows import HOSTILE


def test_status_tells_the_worst_and_names_what_is_bad(core: FakeCore) -> None:
    status = core.client.get("/v1/status")
    assert status["status"] == "CRITICAL"
    assert status["states"] == {"OK": 1, "WARNING": 1, "CRITICAL": 1, "UNKNOWN": 0, "PENDING": 0}
    assert [bad["key"] for bad in status["bad"]] == ["web1/site", "web1/disk//srv"]
    assert status["incidents"] == {"ESCALATED": 1}
    assert status["tickets"] == {"OPEN": 1}
    assert status["instance"] == "test"
    assert status["warnings"] == ["nobody will be woken"]
    assert status["halt_file"] is False


def test_the_metrics_say_what_runbooks_are_worth(core: FakeCore) -> None:
    text = core.client.text("/metrics").decode()
    assert 'monitord_runbook_attempts{runbook="restart-nginx"} 0.0' in text


def test_the_file_halt_shows_in_the_status(core: FakeCore) -> None:
    path = core.state / "HALT"
    path.touch()
    try:
        assert core.client.get("/v1/status")["halt_file"] is True
    finally:
        path.unlink()


def test_a_host_has_its_states_counted(core: FakeCore) -> None:
    hosts = core.client.get("/v1/hosts")["hosts"]
    assert [host["host"] for host in hosts] == ["db1", "web1"]
    assert hosts[1]["states"] == {"WARNING": 1, "CRITICAL": 1}
    assert hosts[1]["checks"] == 2
    assert hosts[1]["status"] == "CRITICAL"


def test_a_check_carries_its_items_and_what_it_means(core: FakeCore) -> None:
    (check,) = core.client.get("/v1/checks", select="web1/disk")["checks"]
    assert check["status"] == "WARNING"
    assert check["every"] == "30s"
    assert check["means"] == "customers see an error"
    assert [item["key"] for item in check["items"]] == ["web1/disk//srv"]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({}, ["db1/nightly", "web1/disk", "web1/site"]),
        ({"select": "group=db"}, ["db1/nightly"]),
        ({"select": "web1/site"}, ["web1/site"]),
        ({"host": "web1"}, ["web1/disk", "web1/site"]),
        ({"host": "web1", "status": "CRITICAL"}, ["web1/site"]),
        ({"host": "web1", "select": "db1/nightly"}, []),
        ({"host": "web"}, []),
        ({"status": "critical"}, ["web1/site"]),
        ({"select": "web1", "status": "OK"}, []),
        ({"limit": 1}, ["db1/nightly"]),
        ({"after": "db1/nightly", "limit": 1}, ["web1/disk"]),
        ({"after": "web1/site"}, []),
    ],
)
def test_checks_are_narrowed_and_paged(
    core: FakeCore, query: dict[str, str | int], keys: list[str]
) -> None:
    answer = core.client.get("/v1/checks", **query)
    assert [check["key"] for check in answer["checks"]] == keys


def test_a_page_names_where_to_go_on_and_the_last_names_nothing(core: FakeCore) -> None:
    assert core.client.get("/v1/checks", limit=2)["next"] == "web1/disk"
    assert core.client.get("/v1/checks", limit=3)["next"] is None


def test_an_incident_comes_with_attempts_steps_timeline_and_ticket(core: FakeCore) -> None:
    incident = core.client.get("/v1/incidents/1")
    assert incident["status"] == "ESCALATED"
    assert incident["first_failed"] == "2026-11-27T12:00:00Z"
    assert incident["attempts"][0]["runbook"] == "restart-nginx"
    assert incident["attempts"][0]["steps"][0]["effect"]["argv"] == [
        "systemctl",
        "restart",
        "nginx",
    ]
    assert incident["events"][0]["kind"] == "opened"
    assert incident["ticket_row"]["key"] == "test-1"


def test_hostile_text_of_a_target_travels_whole_inside_the_json(core: FakeCore) -> None:
    assert core.client.get("/v1/incidents/1")["attempts"][0]["steps"][0]["output"] == HOSTILE


def test_a_ticket_is_the_whole_document(core: FakeCore) -> None:
    ticket = core.client.get("/v1/tickets/1")
    assert ticket["incident"] == 1
    assert ticket["means"] == "customers see an error"
    assert ticket["tried"][0]["runbook"] == "restart-nginx"
    assert ticket["host"]["address"] == "10.1.1.11"


def test_lists_of_incidents_tickets_orders_and_audit(core: FakeCore) -> None:
    assert [one["incident"] for one in core.client.get("/v1/incidents")["incidents"]] == [1]
    assert [one["ticket"] for one in core.client.get("/v1/tickets")["tickets"]] == [1]
    orders = core.client.get("/v1/orders")
    assert [order["verb"] for order in orders["orders"]] == ["mute"]
    assert orders["hidden"] == ["1 mute hides 1 WARNING"]
    (row,) = core.client.get("/v1/audit")["rows"]
    assert (row["actor"], row["act"], row["subject"]) == ("kim", "mute", "web1/site")


def test_the_audit_says_what_is_broken(core: FakeCore) -> None:
    violations = core.client.get("/v1/audit/violations")["violations"]
    assert all(isinstance(text, str) for text in violations)


def test_who_may_command_gets_the_ping_paths_of_the_jobs(core: FakeCore) -> None:
    (job,) = core.client.get("/v1/jobs")["jobs"]
    assert job["key"] == "db1/nightly"
    assert len(job["ping"]) == len("/ping/") + 32


def test_a_preview_names_what_a_selector_touches(core: FakeCore) -> None:
    assert core.client.get("/v1/preview", selector="group=web & site=ulm") == {
        "touches": ["web1/disk", "web1/site"]
    }


def test_explain_passes_on_what_the_engine_says(core: FakeCore) -> None:
    assert core.client.get("/v1/explain/web1/site")["ladder"][0]["runbook"] == "restart-nginx"


def test_health_readiness_and_metrics(core: FakeCore) -> None:
    assert core.client.get("/healthz")["ok"] is True
    assert core.client.get("/readyz")["ok"] is True
    text = core.client.text("/metrics").decode()
    assert 'monitord_states{status="critical"} 1.0' in text
    assert "web1/site" not in text
    assert "web1/site" in core.client.text("/metrics", checks=1).decode()


@pytest.mark.parametrize(
    ("route", "status", "text"),
    [
        ("/v1/incidents/99", 404, "there is no incident 99; `monitord incidents` lists them"),
        ("/v1/tickets/99", 404, "there is no ticket 99; `monitord tickets` lists them"),
        ("/v1/explain/web9/site", 404, "no check is called 'web9/site'; the nearest is web1/site"),
        (f"/v1/incidents/{10**20}", 404, f"there is no incident {10**20}; `monitord incidents` l"),
        (f"/v1/tickets/{10**20}", 404, f"there is no ticket {10**20}; `monitord tickets` lists"),
        (f"/v1/audit?after={10**20}", 400, f"after={10**20}: not a number"),
        ("/v1/checks?status=bad", 400, "status=bad: no status"),
        ("/v1/checks?limit=many", 400, "limit=many: not a number; write limit=200"),
        ("/v1/preview", 400, "an empty selector selects nothing"),
        ("/v1/nothing", 404, "GET /v1/nothing: no such route; docs/api.md lists the routes"),
        ("/v1/ack", 405, "GET /v1/ack: no such route"),
    ],
)
def test_an_error_is_a_sentence_with_a_cure(
    core: FakeCore, route: str, status: int, text: str
) -> None:
    path, _, query = route.partition("?")
    with pytest.raises(CoreSaysNoError) as caught:
        core.client.get(path, **(dict([query.split("=")]) if query else {}))
    assert caught.value.status == status
    said = f"{caught.value}{'; ' + caught.value.cure if caught.value.cure else ''}"
    assert said.startswith(text)


def test_the_event_stream_is_server_sent_events_where_asked(core: FakeCore) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(core.socket))
        sock.sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
        heard = b""
        while b'data: {"kind": "alive"}\n\n' not in heard:
            heard += sock.recv(4096)
    assert b"content-type: text/event-stream" in heard
