"""Every promise in this folder holds: one file, one test. A promise is a `*.test.yaml` file.

`monitord test tests/behaviour` runs the same files; docs/scenarios.md has their format.
"""

from pathlib import Path

import pytest
import structlog

from monitord.daemon.kinds import KINDS
from monitord.engine.scenario import run_files

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.test.yaml"))
# What the engine logs where a bug of its own was caught: a promise that holds in spite of it is
# no promise. Troubles that a scenario makes on purpose (a full disk) are logged by other words.
_BUGS = {
    "a stage failed; its row is set aside",
    "stages failed",
    "outside work failed",
    "housekeeping failed",
    "a run failed",
    "ticket backend failed",
    "probe failed",
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".test.yaml"))
def test_promise(file: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        (report,) = run_files([file], KINDS)
    assert report.failures == ()
    assert [line for line in logs if line["event"] in _BUGS] == []


def test_every_promise_is_a_sentence_of_its_own() -> None:
    titles = [file.read_text().partition("\n")[0] for file in FILES]
    assert all(title.startswith("# ") and len(title) <= 100 for title in titles)
    assert len(set(titles)) == len(titles)
    assert len(titles) >= 30
