"""The scripts that look, on a whole machine with systemd: its journal and its units are real."""

from __future__ import annotations

from typing import Any

import pytest

from monitord.model.facts import PluginOutput
from monitord.model.result import Cause, Status
from tests.probes_facts.looking import Run, Watch
from tests.world.host import Host
from tests.world.hosts import World

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
