"""The scripts that look, on a whole machine with systemd: its journal and its units are real."""

from __future__ import annotations

from typing import Any

import pytest

from monitord.model.facts import PluginOutput
from monitord.model.result import Cause, Status
from tests.probes_facts.looking import Run, Watch
from tests.world.host import Host
from tests.world.hosts import World
from tests.world.until import until

pytestmark = pytest.mark.requires("hosts")


@pytest.fixture(scope="module")
def host(module_world: World) -> Host:
    return module_world.host("web1")


def on(host: Host, user: str = "root") -> Run:
    """Feed a script to the host's own shell."""

    def run(text: str) -> PluginOutput:
        done = host.run(["sh"], given=text, user=user, check=False)
        return PluginOutput(done.returncode, done.stdout, done.stderr)

    return run


def watch(host: Host, kind: str, user: str = "root", **given: Any) -> Watch:
    return Watch(kind, given, on(host, user))


def say(host: Host, unit: str, *lines: str) -> None:
    """Have a unit write to the journal, and wait until it is there."""
    text = "\n".join(lines)
    host.run(["systemd-run", "--wait", "-q", f"--unit={unit}", "printf", "%s\\n", text])
    host.run(["journalctl", "--sync"])


# -- log: a unit's journal -------------------------------------------------------------------------


def test_the_journal_of_a_unit_is_read_from_a_cursor_on(host: Host) -> None:
    say(host, "shop", "ERROR old")
    bad = {"patterns": {"bad": "ERROR"}, "within": "1s", "unit": "shop.service"}
    watched = watch(host, "log", **bad)
    assert watched.look().summary == "shop.service: read from now on"
    say(host, "other", "ERROR of another unit")
    assert watched.look().summary == "shop.service: nothing bad"
    say(host, "shop", "fine", "ERROR: no stock", "ERROR: no till")
    result = watched.look()
    assert result.status is Status.CRITICAL
    assert result.summary == "shop.service: 2 × bad in 1s (limit 0): ERROR: no till"
    assert watched.look().status is Status.OK


def test_a_login_without_rights_on_the_journal_is_told_the_cure(host: Host) -> None:
    host.run(["useradd", "looker"], check=False)
    given = {"patterns": {"bad": "ERROR"}, "unit": "shop.service"}
    result = watch(host, "log", "looker", **given).look()
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN), result.summary
    assert "systemd-journal" in result.summary


# -- timers ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def timed(host: Host) -> Host:
    """Four timers: well, with a unit that fails, stopped though enabled, with a run that lasts."""
    folder = "/etc/systemd/system"
    for name, calendar, runs in (
        ("well", "*-*-* *:*:00/1", "true"),
        ("broken", "*-*-* *:*:00/1", "false"),
        ("stopped", "hourly", "true"),
        ("long", "*-*-* *:*:00/1", "sleep 1000"),
    ):
        timer = (
            f"[Timer]\nOnCalendar={calendar}\nAccuracySec=10ms\n[Install]\nWantedBy=timers.target\n"
        )
        host.write(f"{folder}/{name}.timer", timer)
        host.write(f"{folder}/{name}.service", f"[Service]\nType=oneshot\nExecStart={runs}\n")
    host.run(["systemctl", "daemon-reload"])
    host.run(["systemctl", "enable", "stopped.timer"])
    host.run(["systemctl", "start", "well.timer", "broken.timer", "long.timer"])
    ran = 'test -n "$(systemctl show -P LastTriggerUSec well.timer)"'
    until(lambda: host.run(["sh", "-c", ran], check=False).returncode == 0, within=20)
    failed = ["systemctl", "is-failed", "broken.service"]
    until(lambda: host.run(failed, check=False).returncode == 0, within=20)
    return host


def test_timers_that_are_on_are_judged_each(timed: Host) -> None:
    found = watch(timed, "timers", ignore=["systemd-tmpfiles-clean"]).looks()
    assert found["well.timer"].status is Status.OK
    assert found["well.timer"].summary.startswith("well.timer: last ran ")
    assert "systemd-tmpfiles-clean.timer" not in found
    said = "broken.timer: broken.service has failed (exit code 1): journalctl -u broken.service"
    assert found["broken.timer"].summary.startswith(said)
    assert found["stopped.timer"].status is Status.WARNING
    assert "is stopped: nothing starts its unit" in found["stopped.timer"].summary


def test_named_timers_must_be_there_and_run(timed: Host) -> None:
    named = ["well", "stopped.timer", "none.timer"]
    found = watch(timed, "timers", timers=named, ran_within="1h").looks()
    assert set(found) == {"well.timer", "stopped.timer", "none.timer"}
    assert found["well.timer"].status is Status.OK
    assert found["stopped.timer"].status is Status.CRITICAL
    assert "there is no such timer" in found["none.timer"].summary


def test_a_run_that_lasts_is_told(timed: Host) -> None:
    watched = watch(timed, "timers", timers=["long"], longest="1s")
    until(lambda: watched.looks()["long.timer"].status is Status.WARNING, within=20)
    assert "(limit 1s): the next one cannot begin" in watched.looks()["long.timer"].summary


# -- reboot ----------------------------------------------------------------------------------------


def test_a_host_says_that_it_waits_for_a_reboot(host: Host) -> None:
    watched = watch(host, "reboot", warning_after="1s")
    assert watched.look().summary == "reboot: none is needed"
    running = host.run(["uname", "-r"]).stdout.strip()
    host.run(["mkdir", "-p", "/boot"])
    for version in (running, f"99{running}"):
        host.run(["touch", "-d", "2 days ago", f"/boot/vmlinuz-{version}"])
    said = f"it runs {running}, 99{running} is installed"
    assert watched.look().summary == f"reboot: needed for 2 d (limit 1s): {said}"
    host.write("/run/reboot-required.pkgs", "libc6\ndbus\n")
    host.run(["touch", "-d", "3 days ago", "/run/reboot-required"])
    result = watched.look()
    assert result.status is Status.WARNING
    assert "needed for 3 d (limit 1s): updated and not in use yet: libc6, dbus; it runs" in (
        result.summary
    )
