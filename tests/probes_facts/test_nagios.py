"""Plugins: what each exit code, text and limit of time means; and the real ones of Debian."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from monitord.model.facts import PluginOutput
from monitord.model.kinds import Target
from monitord.model.result import Cause, Result, Status
from monitord.probes.nagios import KIND, NagiosSpec, judge
from tests.world.needs import PLUGINS, requires
from tests.world.process import free_port

SPEC = NagiosSpec(command=("/usr/lib/nagios/plugins/check_thing", "-H", "10.1.1.1"))


def judged(code: int, stdout: str = "", stderr: str = "", **more: bool) -> Result:
    (result,) = judge(SPEC, PluginOutput(code, stdout, stderr, **more))
    return result


@pytest.mark.parametrize(
    ("code", "status", "cause"),
    [
        (0, Status.OK, None),
        (1, Status.WARNING, None),
        (2, Status.CRITICAL, None),
        (3, Status.UNKNOWN, Cause.PLUGIN),
    ],
)
def test_the_exit_code_decides_not_the_word(code: int, status: Status, cause: Cause | None) -> None:
    result = judged(code, "THING OK - all is well | t=1s\n")
    assert (result.status, result.cause) == (status, cause)
    assert result.summary == "THING OK - all is well"
    assert [(m.name, m.value, m.unit) for m in result.measurements] == [("t", 1.0, "s")]


@pytest.mark.parametrize(
    ("code", "stdout", "stderr", "summary"),
    [
        (4, "what", "", "check_thing exited with 4 (a plugin gives 0 to 3): what"),
        (255, "", "boom\nbang", "check_thing exited with 255 (a plugin gives 0 to 3): boom"),
        (127, "", "", "check_thing is not installed, or a library of it is missing"),
        (126, "", "", "check_thing is not executable"),
        (-11, "", "", "check_thing was killed by signal 11"),
        (-9, "so far", "", "check_thing was killed by signal 9: so far"),
        (3, "", "no route", "no route"),
    ],
)
def test_what_is_no_plugin_status_is_unknown(
    code: int, stdout: str, stderr: str, summary: str
) -> None:
    result = judged(code, stdout, stderr)
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PLUGIN)
    assert result.summary == summary
    assert result.measurements == ()


def test_a_plugin_that_hangs_is_unknown_by_its_time_limit() -> None:
    result = judged(-9, "half a li", timed_out=True)
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.TIMEOUT)
    assert result.summary == "check_thing gave no answer within its time limit: half a li"


def test_a_plugin_that_says_nothing_is_judged_all_the_same() -> None:
    result = judged(2)
    assert result.status is Status.CRITICAL
    assert result.summary == "check_thing exited with 2 and said nothing"


def test_hostile_text_is_one_bounded_line() -> None:
    result = judged(1, "\x1b[2J\x00evil\u202e \r" + "x" * 5000 + "\nlong \x1b[31mred\n", "warn\x07")
    assert "\x1b" not in result.summary + result.details
    assert "\u202e" not in result.summary
    assert len(result.summary) <= 300
    assert result.summary.startswith("\\x1b[2J\\x00evil\\u202e")
    assert result.details == "long \\x1b[31mred\nstderr: warn\\x07"


def test_what_was_not_understood_or_cut_off_is_told() -> None:
    result = judged(0, "OK|a=1 b=x 'c'=2 a=3", truncated=True)
    assert [(m.name, m.value) for m in result.measurements] == [("a", 1.0), ("c", 2.0)]
    assert result.details == (
        "performance data not understood: b=x\nthe output was cut off at its limit"
    )


def test_one_status_may_be_read_as_another() -> None:
    spec = NagiosSpec.model_validate({"command": ["x"], "treat": {"warning": "CRITICAL", 3: "ok"}})
    told = [judge(spec, PluginOutput(code, "t", ""))[0] for code in range(4)]
    assert [result.status for result in told] == [
        Status.OK,
        Status.CRITICAL,
        Status.CRITICAL,
        Status.OK,
    ]
    assert told[3].cause is None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"command": []}, "names no program"),
        ({"command": [" "]}, "names no program"),
        ({"command": ["x", "a\0b"]}, "holds a NUL byte"),
        ({"command": ["x"], "treat": {"bad": "ok"}}, "'bad' is no status (write ok, warning"),
        ({}, "Field required"),
    ],
)
def test_what_a_user_cannot_mean_is_refused(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        NagiosSpec.model_validate(given)
    assert sentence in str(caught.value)


def test_the_argv_is_never_expanded_again() -> None:
    argv = ("check", "{address}", "$(id)", "%s {host} {{n}}")
    assert KIND.command(NagiosSpec(command=argv), Target("h", "a", {})) == argv


def run(*argv: str) -> Result:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
    (result,) = judge(
        NagiosSpec(command=argv), PluginOutput(done.returncode, done.stdout, done.stderr)
    )
    return result


def plugin(name: str) -> str:
    return str(PLUGINS / name)


@requires("plugins")
@pytest.mark.parametrize("code", range(4))
def test_the_real_check_dummy(code: int) -> None:
    result = run(plugin("check_dummy"), str(code), "told so")
    assert result.status == code
    assert result.summary.endswith(": told so")


@requires("plugins")
def test_the_real_check_load_and_disk_give_measurements(tmp_path: Path) -> None:
    load = run(plugin("check_load"), "-w", "1000,1000,1000", "-c", "2000,2000,2000")
    assert load.status is Status.OK
    assert [m.name for m in load.measurements] == ["load1", "load5", "load15"]
    assert load.measurements[0].critical == "2000"
    disk = run(plugin("check_disk"), "-w", "1%", "-c", "0%", "-p", str(tmp_path))
    assert disk.measurements[0].unit == "B"
    assert disk.measurements[0].value > 1 << 20


@requires("plugins", "nginx")
def test_the_real_check_http_sees_a_server_and_its_absence(nginx: object) -> None:
    port = str(nginx.port)  # type: ignore[attr-defined]  # the fixture's class is its own affair
    well = run(plugin("check_http"), "-H", "127.0.0.1", "-p", port)
    assert well.status is Status.OK, well.summary
    assert {m.name: m.unit for m in well.measurements} == {"time": "s", "size": "B"}
    gone = run(plugin("check_http"), "-H", "127.0.0.1", "-p", str(free_port()), "-t", "3")
    assert gone.status is Status.CRITICAL
    assert "refused" in gone.summary


def test_a_plugin_that_was_stopped_for_its_flood_says_that_and_no_signal() -> None:
    result = judged(-9, "spam", truncated=True, flooded=4_194_304)
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PLUGIN)
    assert "wrote over 4194304 bytes and was stopped" in result.summary
    assert "signal" not in result.summary
