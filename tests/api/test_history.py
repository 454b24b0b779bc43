"""GET /v1/history over the real socket, from files of the real writer; and `monitord history`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from monitord.cli.history import bars, shares
from monitord.clock import as_instant
from monitord.control import CoreSaysNoError
from monitord.history import Writer
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Measurement, Status
from tests.api.cores import FakeCore
from tests.cli.conftest import Cli

NOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
SPAN = {"from": NOON.isoformat(), "to": (NOON + timedelta(hours=1)).isoformat()}
SITE = "/v1/history/web1/site"


@pytest.fixture(scope="module")
def core() -> Iterator[FakeCore]:
    with FakeCore() as running:
        writer = Writer(running.state / "history", now=lambda: as_instant(NOON))
        for n in range(60):
            at = Instant(as_instant(NOON) + n * 30_000_000)
            status = Status.CRITICAL if n in (20, 21) else Status.OK
            found = (Measurement("size", 4096.0, "B"), Measurement("time", n / 100, "s"))
            attempt = 5 if n == 21 else 0
            writer.put(StateKey("web1/site"), at, status, "it says", found, attempt, fresh=30)
        writer.close()
        yield running


def test_a_chart_and_its_runs_come_together(core: FakeCore) -> None:
    answer = core.client.get(SITE, measurement="time", points=120, **SPAN)
    assert answer["measurements"] == [{"name": "size", "unit": "B"}, {"name": "time", "unit": "s"}]
    assert (answer["measurement"], answer["unit"]) == ("time", "s")
    assert answer["points"][:2] == [
        [NOON.timestamp(), 0.0, 0.0, 0.0, 1],
        [NOON.timestamp() + 30, 0.01, 0.01, 0.01, 1],
    ]
    assert len(answer["points"]) == 60  # half an hour of the hour: the rest is no data
    told = [(run["status"], run["attempt"]) for run in answer["states"]]
    assert told == [("OK", None), ("CRITICAL", None), ("CRITICAL", 5), ("OK", None)]


def test_a_day_of_three_hundred_points_of_the_first_measurement_is_the_default(
    core: FakeCore,
) -> None:
    answer = core.client.get(SITE)
    assert answer["measurement"] == "size"
    assert sum(point[4] for point in answer["points"]) == 60
    assert core.client.get("/v1/history/web1/disk//srv")["points"] == []  # known, never measured


@pytest.mark.parametrize(
    ("route", "query", "status", "text"),
    [
        ("/v1/history/web1/sit", {}, 404, "the nearest is web1/site"),
        (SITE, {"measurement": "tim"}, 404, "it has size, time"),
        (SITE, {"from": "yesterday"}, 400, "no point in time with a zone"),
        (SITE, {"from": SPAN["to"], "to": SPAN["from"]}, 400, "not before to"),
        (SITE, {"points": "0"}, 400, "from 1 to 5000"),
        (SITE, {"points": "9" * 99}, 400, "from 1 to 5000"),
    ],
)
def test_a_wrong_question_is_told_what_is_right(
    core: FakeCore, route: str, query: dict[str, str], status: int, text: str
) -> None:
    with pytest.raises(CoreSaysNoError) as refused:
        core.client.get(route, **query)
    assert refused.value.status == status
    assert text in f"{refused.value}; {refused.value.cure}"


def test_a_person_reads_shares_bad_times_and_bars(core: FakeCore) -> None:
    said = Cli(core)("history", "web1/site", "--since", "6h")
    assert (said.code, said.err) == (0, "")
    assert "no data" in said.out
    lines = [line.split() for line in said.out.splitlines()]
    assert [line[0] for line in lines if line[:1] == ["CRITICAL"]] == ["CRITICAL"] * 2
    (time,) = [line for line in lines if line[:1] == ["time"]]
    assert time[:5] == ["time", "s", "0", "0.295", "0.59"]
    answer = Cli(core)("history", "web1/site", "--since", "6h", "-m", "time", "--json").json
    assert answer["measurement"] == "time"


def test_without_a_core_the_files_answer(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "history", now=lambda: as_instant(NOON))
    writer.put(StateKey("web1/site"), as_instant(NOON), Status.OK, "well", (), fresh=30)
    writer.close()
    nobody = Cli(SimpleNamespace(state=tmp_path))
    said = nobody("history", "web1/site", "--since", "6h")
    assert (said.code, said.err) == (0, "")
    assert "OK 0.14%" in said.out
    assert nobody("history", "web1/no").err == "monitord: nothing is known of 'web1/no'\n"


def test_bars_leave_blank_what_has_no_data() -> None:
    assert bars([(0.0, 1.0), (30.0, 8.0)], 0, 60) == "▁" + " " * 29 + "█" + " " * 29


def test_hours_count_only_before_the_first_run() -> None:
    noon = NOON.isoformat()
    answer = {
        "states": [{"from": noon, "to": SPAN["to"], "status": "OK"}],
        "hours": [
            {"at": (NOON - timedelta(hours=1)).isoformat(), "seconds": {"CRITICAL": 1800.0}},
            {"at": noon, "seconds": {"OK": 3600.0}},
        ],
    }
    told = shares(answer, NOON - timedelta(hours=1), NOON + timedelta(hours=1))
    assert told == "OK 50.00%, CRITICAL 25.00%, no data 25.00%"
