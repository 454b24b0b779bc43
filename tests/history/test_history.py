"""A history as its readers see it: charts, runs, gaps, names, and what a crash or damage costs."""

from __future__ import annotations

import resource
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitord.history import Reader, Writer
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Status
from tests.history.conftest import DAY, HOUR, KEY, NOON, SECOND, Kept

MINUTE = 60 * SECOND
MIDNIGHT = NOON - 12 * HOUR


def values(kept: Kept, start: int, end: int, points: int = 5000) -> list[float]:
    return [
        point.mean
        for point in kept.reader.series(KEY, "time", Instant(start), Instant(end), points)
    ]


def test_a_result_is_read_while_the_writer_goes_on(kept: Kept) -> None:
    kept.put(NOON, 0.5)
    kept.flush()
    kept.put(NOON + 30 * SECOND, 0.7)
    assert values(kept, NOON, NOON + HOUR) == [0.5]
    kept.flush()
    assert values(kept, NOON, NOON + HOUR) == [0.5, 0.7]
    assert [known.name for known in kept.reader.measurements(KEY)] == ["time"]


def test_files_are_closed_to_others(kept: Kept) -> None:
    kept.put(NOON, 1)
    kept.flush()
    kept.tidy(NOON + 2 * DAY)
    assert kept.folder.stat().st_mode & 0o777 == 0o750
    assert {path.stat().st_mode & 0o777 for path in kept.folder.iterdir()} == {0o640}


def test_a_day_comes_to_three_files_and_reads_as_before(kept: Kept) -> None:
    for n in range(0, 24 * 60, 5):
        kept.put(MIDNIGHT + n * MINUTE, n)
        if n % 360 == 0:
            kept.flush()
    kept.flush()
    before = values(kept, MIDNIGHT, MIDNIGHT + DAY)
    kept.tidy(MIDNIGHT + 13 * HOUR)  # the hours until noon
    assert values(kept, MIDNIGHT, MIDNIGHT + DAY) == before
    kept.tidy(MIDNIGHT + DAY + HOUR)
    assert [name.rpartition(".")[2] for name in kept.names()] == ["1h", "5m", "raw"]
    assert values(kept, MIDNIGHT, MIDNIGHT + DAY) == before == list(range(0, 24 * 60, 5))


def test_roll_ups_say_what_the_results_said(kept: Kept) -> None:
    for n in range(120):
        kept.put(MIDNIGHT + n * 30 * SECOND, n % 7)
    kept.flush()
    span = Instant(MIDNIGHT), Instant(MIDNIGHT + DAY)
    fresh = [kept.reader.series(KEY, "time", *span, points) for points in (24, 288)]
    kept.tidy(MIDNIGHT + DAY + HOUR)
    for path in kept.folder.glob("*.raw"):
        path.unlink()  # as retention does
    rolled = [kept.reader.series(KEY, "time", *span, points) for points in (24, 288)]
    assert [p[:3] + p[4:] for chart in rolled for p in chart] == [
        p[:3] + p[4:] for chart in fresh for p in chart
    ]
    means = zip(
        (p.mean for chart in rolled for p in chart),
        (p.mean for chart in fresh for p in chart),
        strict=True,
    )
    assert all(a == pytest.approx(b, rel=1e-3) for a, b in means)


def test_what_was_not_looked_at_is_a_gap_and_never_up(kept: Kept) -> None:
    kept.put(NOON, 1)
    kept.put(NOON + 30 * SECOND, 1)
    kept.put(NOON + HOUR, 1)
    kept.flush()
    runs = kept.reader.states(KEY, Instant(NOON - HOUR), Instant(NOON + 2 * HOUR))
    assert [(run.start - NOON, run.end - NOON) for run in runs] == [
        (0, 90 * SECOND),
        (HOUR, HOUR + 60 * SECOND),
    ]
    kept.tidy(NOON + 2 * DAY)
    hours = kept.reader.hours(KEY, Instant(NOON - HOUR), Instant(NOON + 2 * HOUR))
    assert [spent for _, spent in hours] == [{Status.OK: 90.0}, {Status.OK: 60.0}]
    assert values(kept, NOON - HOUR, NOON) == []


def test_a_run_ends_with_status_words_and_attempt_but_not_with_numbers(kept: Kept) -> None:
    says = [
        (Status.OK, "200 in 12 ms", 0),
        (Status.OK, "200 in 14 ms", 0),
        (Status.CRITICAL, "no answer", 0),
        (Status.CRITICAL, "refused", 0),
        (Status.CRITICAL, "refused", 7),
        (Status.OK, "200 in 9 ms", 7),
    ]
    for n, (status, summary, attempt) in enumerate(says):
        kept.put(NOON + n * 30 * SECOND, None, status, summary=summary, attempt=attempt)
    kept.flush()
    expected = [
        (2, Status.OK, "200 in 12 ms", 0),
        (1, Status.CRITICAL, "no answer", 0),
        (1, Status.CRITICAL, "refused", 0),
        (1, Status.CRITICAL, "refused", 7),
        (2, Status.OK, "200 in 9 ms", 7),
    ]
    for _ in range(2):
        runs = kept.reader.states(KEY, Instant(NOON), Instant(NOON + HOUR))
        assert [
            ((r.end - r.start) // (30 * SECOND), r.status, r.summary, r.attempt) for r in runs
        ] == expected
        kept.tidy(NOON + 2 * DAY)


def test_a_clock_that_steps_back_corrupts_nothing(kept: Kept) -> None:
    for at in (NOON, NOON + 30 * SECOND, NOON - 2 * HOUR, NOON - 2 * HOUR + 30 * SECOND):
        kept.put(at, 1)
        kept.flush()
    kept.tidy(NOON + 3 * HOUR)
    kept.put(NOON - HOUR, 1)  # into an hour that is put together already
    kept.flush()
    kept.tidy(NOON + 2 * DAY)
    kept.put(NOON + 60 * SECOND, 1)  # into such a day
    kept.flush()
    runs = kept.reader.states(KEY, Instant(MIDNIGHT), Instant(MIDNIGHT + DAY))
    assert [run.start - NOON for run in runs] == [-2 * HOUR, -HOUR, 0]
    kept.tidy(NOON + 2 * DAY)
    assert len(values(kept, MIDNIGHT, MIDNIGHT + DAY)) == 6
    assert [name.rpartition(".")[2] for name in kept.names()] == ["1h", "5m", "raw"]


def test_a_renamed_check_carries_its_history_also_where_two_change_places(kept: Kept) -> None:
    other = StateKey("web1/api")
    kept.put(NOON, 1)
    kept.put(NOON, 2, key=other)
    kept.writer.rename({KEY: other, other: KEY}, Instant(NOON + MINUTE))
    kept.put(NOON + 2 * MINUTE, 2)
    kept.put(NOON + 2 * MINUTE, 1, key=other)
    kept.flush()
    assert values(kept, NOON, NOON + HOUR) == [2, 2]
    kept.writer.rename({KEY: StateKey("web1/shop")}, Instant(NOON + 3 * MINUTE))
    kept.put(NOON + 4 * MINUTE, 2, key=StateKey("web1/shop"))
    kept.put(NOON + 4 * MINUTE, 9)  # a new check under the name that became free
    kept.flush()
    span = Instant(NOON), Instant(NOON + HOUR)
    shop = kept.reader.series(StateKey("web1/shop"), "time", *span, 5000)
    assert [point.mean for point in shop] == [2, 2, 2]
    assert values(kept, NOON, NOON + HOUR) == [9]


def test_what_is_too_old_goes_a_few_days_at_once(kept: Kept) -> None:
    for day in range(8):
        kept.put(NOON + day * DAY, 1)
    kept.flush()
    kept.tidy(NOON + 8 * DAY)
    kept.writer.keep(timedelta(days=2), timedelta(days=400))
    kept.tidy(NOON + 8 * DAY)
    assert len(list(kept.folder.glob("*.raw"))) == 5  # a clock that is wrong cannot empty it
    kept.tidy(NOON + 8 * DAY)
    assert len(list(kept.folder.glob("*.raw"))) == 2
    assert len(list(kept.folder.glob("*.1h"))) == 8
    assert values(kept, MIDNIGHT, MIDNIGHT + DAY) == [1]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.integers(-5 * HOUR, 30 * HOUR), st.sampled_from([1.0, 2.0, 3.0])),
        st.integers(1, 40 * HOUR),  # housekeeping at that time, given up after some steps
    ),
    max_size=25,
)


@given(STEPS, st.integers(0, 12))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_comes_and_wherever_housekeeping_dies_all_is_there_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, float] | int], dies: int
) -> None:
    kept = Kept(tmp_path_factory.mktemp("any") / "history")
    put = []
    try:
        for step in steps:
            if isinstance(step, tuple):
                put.append(step)
                kept.put(NOON + step[0], step[1])
                kept.flush()
                continue
            if kept.folder.is_dir():
                work = kept.keeper(NOON + step)
                for _ in range(dies):
                    next(work, None)
                work.close()
        found = kept.reader.states(KEY, Instant(0), Instant(NOON + 3 * DAY))
        chart = kept.reader.series(KEY, "time", Instant(NOON - DAY), Instant(NOON + 3 * DAY), 1)
    finally:
        kept.writer.close()
    assert bool(found) == bool(put)
    assert sum(point.samples for point in chart) == len(put)
    if put:
        assert chart[0].mean == pytest.approx(sum(value for _, value in put) / len(put))


def test_a_damaged_file_is_a_gap_for_its_keys_and_for_no_other(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [StateKey(f"web{n}/site") for n in range(20)]
    for key in keys:
        for n in range(10):
            kept.put(NOON + n * 30 * SECOND, n / 8, key=key)
    kept.flush()
    kept.tidy(NOON + 2 * DAY)
    (path,) = kept.folder.glob("*.raw")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3] ^= 1  # in the middle of a chunk
    path.write_bytes(raw)
    span = Instant(NOON), Instant(NOON + HOUR)
    charts = [kept.reader.series(key, "time", *span, 5000) for key in keys]
    assert sorted({len(chart) for chart in charts}) == [0, 10]
    assert sum(not chart for chart in charts) == 1
    assert "history is damaged" in "".join(capsys.readouterr())
    path.write_bytes(raw[: len(raw) * 2 // 3])
    assert 0 < sum(bool(kept.reader.series(key, "time", *span, 5000)) for key in keys) < 20


CHILD = """
import os, signal, sys
from pathlib import Path
from monitord.history import Writer
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Measurement, Status

start = int(sys.argv[2])
writer = Writer(Path(sys.argv[1]), now=lambda: Instant(start))
for n in range(500):
    found = (Measurement("time", float(n), "s"),)
    at = Instant(start + n * 1_000_000)
    writer.put(StateKey("web1/site"), at, Status.OK, "well", found, fresh=60)
    if n == 399:
        assert writer.flush(60)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_after_a_kill_all_that_was_flushed_is_there_and_it_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "history"
    argv = [sys.executable, "-c", CHILD, str(folder), str(NOON)]
    assert subprocess.run(argv, check=False).returncode == -9
    kept = Kept(folder)
    try:
        found = values(kept, NOON, NOON + HOUR)
        assert found[:400] == list(range(400))
        kept.put(NOON + 600 * SECOND, 600.0)
        kept.flush()
        kept.tidy(NOON + 2 * DAY)
        assert values(kept, NOON, NOON + HOUR) == [*found, 600.0]
    finally:
        kept.writer.close()


def test_a_torn_frame_costs_what_was_not_whole_and_what_follows_is_read(kept: Kept) -> None:
    kept.put(NOON, 1)
    kept.flush()
    (tail,) = kept.folder.glob("*.tail")
    whole = tail.read_bytes()
    tail.write_bytes(whole + whole[: len(whole) // 2])  # as after a power cut
    kept.put(NOON + 30 * SECOND, 2)
    kept.flush()
    assert values(kept, NOON, NOON + HOUR) == [1, 2]
    kept.tidy(NOON + 2 * DAY)
    assert values(kept, NOON, NOON + HOUR) == [1, 2]


FULL = """
import resource, sys
from pathlib import Path
from monitord.history import Reader, Writer
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Measurement, Status

folder, start, key = Path(sys.argv[1]), int(sys.argv[2]), StateKey("web1/site")
writer = Writer(folder, now=lambda: Instant(start))
def put(n):
    at = Instant(start + n * 1_000_000)
    writer.put(key, at, Status.OK, "", (Measurement("time", float(n), "s"),), fresh=60)
    assert writer.flush(60)
put(0)
resource.setrlimit(resource.RLIMIT_FSIZE, (150, resource.RLIM_INFINITY))
put(1)
put(2)
size = next(folder.glob("*.tail")).stat().st_size
assert "pauses" in writer.trouble, writer.trouble
assert writer.waiting == 2 and writer.lag > 0
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
put(3)
assert writer.trouble == "" and writer.waiting == 0 and writer.lag == 0
chart = Reader(folder).series(key, "time", Instant(start), Instant(start + 10**9), 5000)
print(size, [point.mean for point in chart])
"""


def test_while_nothing_can_be_written_results_wait_and_it_goes_on_by_itself(
    tmp_path: Path,
) -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert soft == resource.RLIM_INFINITY
    argv = [sys.executable, "-c", FULL, str(tmp_path / "history"), str(NOON)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    size, _, chart = done.stdout.splitlines()[-1].partition(" ")
    assert int(size) < 150  # nothing torn stays behind
    assert chart == "[0.0, 1.0, 2.0, 3.0]"


def test_what_finds_no_room_in_the_queue_is_dropped_and_counted(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitord.history.writer._MOST", 3)
    kept.folder.write_text("in the way")
    for n in range(5):
        kept.put(NOON + n * SECOND, n)
    kept.flush()
    assert kept.writer.trouble
    kept.put(NOON + 9 * SECOND, 9)
    assert kept.writer.stats.dropped >= 2
    assert kept.writer.waiting <= 4
    kept.folder.unlink()
    kept.flush()
    assert kept.writer.trouble == ""
    assert values(kept, NOON, NOON + HOUR)[:3] == [0, 1, 2]


def test_a_folder_that_is_removed_under_it_is_made_again(kept: Kept) -> None:
    kept.put(NOON, 1)
    kept.flush()
    for path in kept.folder.iterdir():
        path.unlink()
    kept.folder.rmdir()
    assert kept.reader.measurements(KEY) == []
    kept.put(NOON + SECOND, 2)
    kept.flush()
    assert values(kept, NOON, NOON + HOUR) == [2]


def test_names_of_files_that_are_none_of_ours_are_left_alone(kept: Kept) -> None:
    kept.put(NOON, 1)
    kept.flush()
    strange = ["2026-99-99.1.raw", "notes.txt", "2026-11-23.x.raw", "2026-11-23T07.1.5m"]
    for name in strange:
        (kept.folder / name).write_text("?")
    kept.tidy(NOON + 900 * DAY)
    assert set(strange) <= set(kept.names())


def test_a_result_of_no_day_that_can_be_named_is_left_out(kept: Kept) -> None:
    for at in (-SECOND, NOON, 2**62):
        kept.put(at, 1)
    kept.flush()
    assert values(kept, NOON, NOON + HOUR) == [1]
    assert kept.writer.trouble == ""


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "history", now=lambda: NOON)
    writer.put(KEY, NOON, Status.OK, "well", (), fresh=60)
    writer.close()
    (run,) = Reader(tmp_path / "history").states(KEY, NOON, Instant(NOON + HOUR))
    assert run.summary == "well"
