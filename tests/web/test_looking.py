"""The pages of what is watched: a check with its history, a host; and the data that charts draw."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitord.clock import after, as_instant
from monitord.history import Writer
from monitord.model.ids import StateKey
from monitord.model.result import Measurement, Status
from monitord.web.console import charts
from tests.web.conftest import Web
from tests.web.test_console import ask, session

NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - timedelta(hours=2)


@pytest.fixture(scope="module")
def cookie(shared_web: Web) -> str:
    """A viewer's session; web1/site has an hour of results, of which twenty minutes are missing."""
    writer = Writer(shared_web.core.state / "history", now=lambda: as_instant(NOW))
    for n in range(120):
        if 40 <= n < 80:
            continue
        status = Status.CRITICAL if 20 <= n < 30 else Status.OK
        at = after(as_instant(START), timedelta(seconds=30 * n))
        size = Measurement("size<b>", 4096.0, "B")
        found = (size, Measurement("time", n / 100, "s"))
        writer.put(StateKey("web1/site"), at, status, "\x1b[31mred", found, 0, fresh=30)
    writer.close()
    return session(shared_web, "looker", "viewer")


def history(**more: Any) -> dict[str, Any]:
    """Give an answer of /v1/history over 1000 s."""
    empty: dict[str, Any] = {"states": [], "hours": [], "points": []}
    span = {"from": charts.iso(0), "to": charts.iso(1000)}
    return {**empty, **span, "measurement": "time", "unit": "s", **more}


def run(start: float, end: float, status: str) -> dict[str, Any]:
    span = {"from": charts.iso(start), "to": charts.iso(end)}
    return {**span, "status": status, "attempt": None, "summary": status}


def test_a_check_is_told_whole(web: Web, cookie: str) -> None:
    body = ask(web, "/checks/web1/site", cookie=cookie).body.decode()
    for said in (
        "customers see an error",
        "look at nginx",
        "/configuration?key=web1/site",
        "ran 3 min ago",
        "restart-nginx",
        "no page, still repairs",
        "answers in 1 ms",
        "/incidents/1",
        'data-measurement="time"',
    ):
        assert said in body
    assert "\x1b" not in body
    assert "style=" not in body


def test_a_page_tells_its_history_without_a_script_too(web: Web, cookie: str) -> None:
    body = ask(web, "/checks/web1/site?last=3h&measurement=time", cookie=cookie).body.decode()
    assert "time as a table" in body
    assert "When it was not OK (1)" in body
    assert 'class="b-critical"' in body
    assert body.count("data-chart=") == 1
    assert "no data 77" in body  # of three hours: all but 40 minutes and what an end adds


def test_an_item_has_a_page_of_its_own_key(web: Web, cookie: str) -> None:
    body = ask(web, "/checks/web1/disk//srv", cookie=cookie).body.decode()
    assert 'href="/checks/web1/disk//srv?last=7d' in body
    assert "91 % used" in body


def test_what_cannot_be_shown_is_said(web: Web, cookie: str) -> None:
    unknown = ask(web, "/checks/web9/site", cookie=cookie)
    assert (unknown.status, b"the nearest is web1/site" in unknown.body) == (404, True)
    far = ask(web, "/checks/web1/site?last=9y", cookie=cookie)
    assert (far.status, b"choose 3h, 24h, 7d, 30d" in far.body) == (400, True)


def test_the_data_of_a_chart_breaks_where_nothing_is_known(web: Web, cookie: str) -> None:
    path = f"/data/history/web1/site?measurement=time&from={START:%Y-%m-%dT%H:%M:%SZ}&points=240"
    answer = ask(web, path, cookie=cookie)
    assert answer.headers["content-type"] == "application/json"
    data = json.loads(answer.body)
    breaks = [at for at, mean in zip(data["at"], data["mean"], strict=True) if mean is None]
    gone = START.timestamp() + 40 * 30, START.timestamp() + 80 * 30
    assert any(gone[0] < at < gone[1] for at in breaks)
    assert data["at"] == sorted(data["at"])
    named = ask(web, "/data/history/web1/site?measurement=size%3Cb%3E", cookie=cookie)
    assert b"<" not in named.body
    assert json.loads(named.body)["measurement"] == "size<b>"


def test_a_host_tells_its_facts_and_its_incidents(web: Web, cookie: str) -> None:
    body = ask(web, "/hosts/web1", cookie=cookie).body.decode()
    for said in ("10.1.1.11", "web, linux", "ulm", "only looks", "/incidents/1"):
        assert said in body
    assert "Take web1" not in body
    operator = session(web, "host-operator", "operator")
    body = ask(web, "/hosts/web1", cookie=operator).body.decode()
    assert "Take web1" in body
    assert 'name="verb" value="maintenance"' in body
    assert b"No host of this name" in ask(web, "/hosts/db1x", cookie=cookie).body


def test_no_data_is_no_band_and_no_share() -> None:
    told = history(states=[run(0, 250, "OK"), run(250, 300, "CRITICAL"), run(800, 1000, "OK")])
    found = [(one.x, one.width, one.status) for one in charts.bands(told)]
    assert found == [(0, 250, "OK"), (250, 50, "CRITICAL"), (800, 200, "OK")]
    assert charts.shares(told) == [("OK", 0.45), ("CRITICAL", 0.05), ("no data", 0.5)]
    assert [one["took"] for one in charts.not_ok(told)] == [50]


def test_runs_of_other_words_are_one_band() -> None:
    told = history(states=[run(0, 10, "OK"), run(10, 20, "OK"), run(20, 30, "WARNING")])
    assert [one.width for one in charts.bands(told)] == [20, 10]


def test_what_changes_all_the_time_is_drawn_as_the_worst_of_each_part() -> None:
    states = [run(n, n + 0.5, "CRITICAL" if n == 500 else "OK") for n in range(1000)]
    found = charts.bands(history(states=states))
    assert len(found) < 10
    assert [one.status for one in found].count("CRITICAL") == 1


def test_before_the_first_result_the_hours_are_told() -> None:
    hours = [{"at": charts.iso(0), "seconds": {"OK": 3000.0, "CRITICAL": 600.0}}]
    told = history(to=charts.iso(7200), hours=hours, states=[run(3600, 7200, "OK")])
    assert [one.status for one in charts.bands(told)] == ["CRITICAL", "OK"]
    assert charts.shares(told)[0] == ("OK", pytest.approx(6600 / 7200))


def test_a_line_goes_on_over_what_is_shorter_than_a_part_of_the_chart() -> None:
    points = [[0.0, 1, 1, 1, 5], [100.0, 1, 1, 1, 5], [200.0, float("nan"), 1, 1, 5]]
    states = [run(0, 150, "OK"), run(160, 1000, "OK")]
    told = charts.columns(history(points=points, states=states))
    assert told["at"] == (0.0, 100.0, 200.0)
    assert told["min"] == (1, 1, None)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.25, "s", "250 ms"),
        (0, "s", "0 s"),
        (3, "s", "3 s"),
        (4096, "B", "4 KiB"),
        (97.25, "%", "97.25 %"),
        (float("inf"), "s", "–"),
        (12, "", "12"),
    ],
)
def test_a_number_is_written_for_people(value: float, unit: str, text: str) -> None:
    assert charts.number(value, unit) == text
