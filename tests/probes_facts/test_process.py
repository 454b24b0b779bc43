"""Which processes are meant, and what is expected of them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitord.model.facts import Facts, Section
from monitord.model.result import Result, Status
from monitord.probes.host.process import ProcessSpec
from monitord.transports.facts_local import gather
from tests.probes_facts.judging import judged, process
from tests.world.until import until

SEVERAL = (
    process(10, "nginx", user="root", command="nginx: master process"),
    process(11, "nginx", user="www", command="nginx: worker process", rss=300 << 20),
    process(12, "java", user="app", command="java -jar /srv/shop.jar", age=20.0),
    process(13, "sh", state="Z", command="[sh]"),
)


def told(given: dict[str, Any]) -> Result:
    (result,) = judged("process", Facts("h", processes=SEVERAL), given).values()
    return result


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"name": "nginx"}, 2),
        ({"name": "ngin"}, 0),
        ({"pattern": "nginx: (master|worker)"}, 2),
        ({"pattern": r"-jar .*shop\.jar$"}, 1),
        ({"name": "nginx", "user": "www"}, 1),
        ({"user": "app"}, 1),
        ({"states": ["Z", "D"]}, 1),
    ],
)
def test_all_conditions_must_hold(given: dict[str, Any], count: int) -> None:
    assert told({**given, "min": 0}).measurements[0].value == count


@pytest.mark.parametrize(
    ("given", "status", "summary"),
    [
        ({"name": "nginx"}, 0, "nginx: 2 running, oldest 1 h"),
        ({"name": "cron"}, 2, "cron: 0 running (at least 1)"),
        ({"name": "cron", "min": 0}, 0, "cron: none"),
        ({"name": "nginx", "min": 3}, 2, "nginx: 2 running (at least 3)"),
        ({"name": "nginx", "max": 1}, 2, "nginx: 2 running (limit 1)"),
        ({"name": "nginx", "max_rss": "256M"}, 2, "nginx: pid 11 holds 300 MiB (limit 256 MiB)"),
        ({"name": "nginx", "max_age": "30m"}, 2, "nginx: pid 10 runs for 1 h (limit 30m)"),
        ({"name": "java", "min_age": "2m"}, 1, "java: started 20 s ago (at least 2m)"),
        (
            {"pattern": "shop", "user": "app", "max": 0, "min": 0},
            2,
            "processes matching shop of app: 1 running (limit 0)",
        ),
        ({"states": ["Z"], "min": 0, "max": 0}, 2, "processes in state Z: 1 running (limit 0)"),
    ],
)
def test_what_is_expected_of_them(given: dict[str, Any], status: int, summary: str) -> None:
    result = told(given)
    assert (result.status, result.summary) == (status, summary)


def test_the_ticket_gets_a_bounded_harmless_list() -> None:
    many = tuple(process(n, "x", command="x \x1b[31m\n" + "y" * 400) for n in range(9))
    (result,) = judged("process", Facts("h", processes=many), {"name": "x"}).values()
    lines = result.details.split("\n")
    assert len(lines) == 6
    assert lines[-1] == "and 4 more"
    assert "\x1b" not in result.details
    assert all(len(line) < 200 for line in lines)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "says no process: give name, pattern, user or states"),
        ({"pattern": "(unclosed"}, "is not a pattern"),
        ({"pattern": "(?=ahead)"}, "no look-around"),
        ({"name": "x", "min": 5, "max": 2}, "max 2 is below min 5"),
        ({"name": "x", "min": -1}, "greater than or equal to 0"),
    ],
)
def test_what_a_user_cannot_mean_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ProcessSpec.model_validate(given)
    assert sentence in str(caught.value)


def test_a_real_process_that_dies(tmp_path: Path) -> None:
    given = {"pattern": f"^tail -f {tmp_path}"}

    def look() -> Result:
        (result,) = judged("process", gather("me", (Section("process"),)), given).values()
        return result

    (tmp_path / "log").touch()
    with subprocess.Popen(["tail", "-f", str(tmp_path / "log")]) as child:
        until(lambda: look().status is Status.OK)
        child.kill()
    assert look().status is Status.CRITICAL
