"""What Alertmanager, Grafana and scripts send, and what becomes of it before the core sees it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitord.inbound import MOST, PayloadError, read
from monitord.inbound_spool import checked, pieces, spool, waiting
from monitord.model.ids import Instant
from monitord.model.inbound import Source, Told
from monitord.model.result import Status
from tests.world.vectors import vector

NOW = Instant(1_800_000_000_000_000)
PROM = Source("prom", "alertmanager", token="t")


def alert(status: str = "firing", **labels: str) -> dict[str, Any]:
    return {"status": status, "labels": labels, "annotations": {"summary": "it is down"}}


def told(*alerts: dict[str, Any], source: Source = PROM) -> list[Told]:
    return read(source, json.dumps({"version": "4", "alerts": alerts}).encode(), NOW)


def test_an_alert_names_its_host_its_check_and_how_bad_it_is() -> None:
    (one,) = told(alert(alertname="SiteDown", instance="web1:9100", severity="critical", job="n"))
    assert (one.host, one.item, one.status) == ("web1", "", Status.CRITICAL)
    assert one.checks == ("alertmanager-SiteDown", "alertmanager")
    assert one.summary == "SiteDown: it is down"


@pytest.mark.parametrize(
    ("severity", "status"),
    [("warning", Status.WARNING), ("Info", Status.WARNING), ("page", Status.CRITICAL)],
)
def test_only_a_severity_known_to_be_harmless_makes_an_alert_small(
    severity: str, status: Status
) -> None:
    assert told(alert(alertname="A", severity=severity))[0].status is status


def test_each_alert_is_judged_by_itself_and_not_by_its_group() -> None:
    both = told(
        alert(alertname="A", instance="h1"), alert("resolved", alertname="A", instance="h2")
    )
    assert [each.status for each in both] == [Status.CRITICAL, Status.OK]


def test_what_tells_alerts_apart_is_the_item() -> None:
    one, other = told(
        alert(alertname="Disk", instance="h1:9100", mountpoint="/", device="a"),
        alert(alertname="Disk", instance="h1:9100", mountpoint="/srv", device="b"),
    )
    assert one.item == "device=a,mountpoint=/"
    assert one.alert != other.alert
    named = Source("prom", "alertmanager", token="t", items=("mountpoint",))
    assert told(alert(alertname="D", mountpoint="/srv"), source=named)[0].item == "/srv"


def test_hostile_text_stays_one_bounded_line() -> None:
    (one,) = told(alert(alertname="A\n\x1b[2J" + "x" * 9000, zone="\u202egnp" + "y" * 5000))
    assert len(one.summary) <= 500
    assert len(one.item) <= 200
    assert "\n" not in one.summary
    assert "\x1b" not in one.summary
    assert "\u202e" not in one.item


@pytest.mark.parametrize(
    ("said", "began"),
    [
        ("2027-01-15T08:00:00Z", NOW),
        ("2027-01-15T09:00:00.000000123+01:00", NOW),
        ("0001-01-01T00:00:00Z", None),
        ("2027-01-15T08:00:00", None),
        ("yesterday", None),
        (1_800_000_000, None),
    ],
)
def test_an_alert_says_since_when_it_fires(said: object, began: Instant | None) -> None:
    assert told({**alert(alertname="A"), "startsAt": said})[0].began == began


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"{}", b"[" * 100_000, b'{"version": "3", "alerts": []}',
        b'{"version": "4", "alerts": {}}', b'{"version": "4", "alerts": [1]}',
        b'{"version": "4", "alerts": [{"status": "maybe"}]}',
        b'{"version": "4", "alerts": [{"status": "firing", "labels": {"a": 1}}]}', b"\xff\xfe",
    ],
)  # fmt: skip
def test_what_is_no_payload_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(PayloadError) as error:
        read(PROM, body, NOW)
    assert error.value.status == 400
    assert len(str(error.value)) < 200


def test_too_many_alerts_are_refused_as_too_many() -> None:
    with pytest.raises(PayloadError) as error:
        told(*[alert(alertname="A")] * (MOST + 1))
    assert error.value.status == 413


def test_results_are_read_alone_and_in_a_list() -> None:
    source = Source("s", "results", hmac="k")
    one = {"host": "web1", "check": "nightly", "status": 2, "summary": "no file"}
    (alone,) = read(source, json.dumps(one).encode(), NOW)
    assert (alone.host, alone.checks, alone.status) == ("web1", ("nightly",), Status.CRITICAL)
    assert len(read(source, json.dumps({"results": [one, one]}).encode(), NOW)) == 2
    for wrong in ({**one, "status": "so-so"}, {**one, "host": ""}, {**one, "summary": {}}):
        with pytest.raises(PayloadError):
            read(source, json.dumps(wrong).encode(), NOW)


def test_mapped_json_is_found_by_its_paths() -> None:
    paths = {"list": "data.events", "host": "node.name", "check": "rule", "status": "state"}
    source = Source("j", "json", token="t", paths=paths)
    body = {"data": {"events": [{"node": {"name": "db1"}, "rule": "lag", "state": "ok"}]}}
    (one,) = read(source, json.dumps(body).encode(), NOW)
    assert (one.host, one.checks, one.status) == ("db1", ("lag",), Status.OK)


def test_what_waits_on_disk_comes_back_as_it_was(tmp_path: Any) -> None:
    reports = told(alert(alertname="A", instance="h1"), alert("resolved", alertname="B"))
    (body,) = pieces("prom", reports)
    spool(tmp_path, body, NOW)
    ((path, source, back),) = waiting(tmp_path, now=NOW)
    assert (source, back) == ("prom", reports)
    path.write_text("{", encoding="ascii")
    assert list(waiting(tmp_path, now=NOW)) == []
    assert path.with_suffix(".bad").exists()


@pytest.mark.parametrize(
    "change", [{"status": 4}, {"at": -1}, {"host": 7}, {"checks": "a"}, {"began": -1}]
)
def test_the_core_looks_again_at_what_it_is_handed(change: dict[str, Any]) -> None:
    (body,) = json.loads(json.dumps(list(pieces("prom", told(alert(alertname="A"))))))
    assert checked(body["reports"], now=NOW)
    with pytest.raises(ValueError, match=next(iter(change))):
        checked([{**body["reports"][0], **change}], now=NOW)


def test_own_payloads_of_the_vectors_are_counted_as_they_say() -> None:
    cases = vector("payloads/alertmanager_webhook_v4.json")["cases"]
    assert len(cases) == 23
    for case in cases:
        if case["expect"].get("accepted") is not True:
            continue
        statuses = [each.status for each in read(PROM, json.dumps(case["body"]).encode(), NOW)]
        fires = sum(status is not Status.OK for status in statuses)
        expect = case["expect"]
        assert (fires, len(statuses) - fires) == (expect["firing"], expect["resolved"]), case[
            "name"
        ]
