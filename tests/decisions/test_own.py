"""What monitord stands on itself: its host's reboot and network, its units, state and database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitord.decisions.own import own_host, touches
from monitord.model.catalog import Host, Login, Settings
from monitord.model.effect import Command, PlannedStep
from monitord.model.incident import Phase

HERE = Host("here", "10.1.1.1", login=Login("local"))
THERE = Host("there", "10.1.1.2", login=Login("ssh"))
SETTINGS = Settings("here", "standard", False, "/var/lib/monitord", "", "127.0.0.1:9751")  # noqa: FBT003 - observe is off
SERVER = replace(SETTINGS, store="postgresql+psycopg://monitord@10.1.1.2/monitord")
NEAR = replace(SETTINGS, store="postgresql://monitord@localhost/monitord")


def step(*argv: str, phase: Phase = Phase.STEP) -> PlannedStep:
    """Give a step of a plan."""
    return PlannedStep(phase, "command", "here", Command(argv), False, timedelta(minutes=1))  # noqa: FBT003 - not idempotent


@pytest.mark.parametrize(
    ("host", "own"),
    [
        (HERE, True),
        (THERE, False),
        (replace(THERE, address="127.0.0.9"), True),
        (replace(THERE, address="::1"), True),
        (replace(THERE, address="localhost"), True),
        (replace(THERE, address="web.example.com"), False),
    ],
)
def test_its_own_host_is_reached_without_a_network(host: Host, own: bool) -> None:
    assert own_host(host) is own


@pytest.mark.parametrize(
    ("changes", "argv"),
    [
        ("reboot", ("systemctl", "reboot")),
        ("network", ("ip", "link", "set", "eth0", "up")),
        ("change", ("systemctl", "restart", "monitord-executor.service")),
        ("start", ("systemctl", "start", "monitord")),
        ("change", ("sh", "-c", "systemctl stop monitord; sleep 1")),
        ("change", ("pkill", "-f", "monitord core")),
        ("change", ("sh", "-c", "kill $(pidof monitord-core.service)")),
        ("cleanup", ("rm", "/var/lib/monitord/state.db-wal")),
        ("change", ("sh", "-c", "cp x /var/lib/monitord/state.db")),
        ("change", ("tar", "-C", "/var/lib/monitord", "-x")),
        ("rerun", ("monitord", "job", "run", "x", "--", "systemctl", "stop", "monitord")),
    ],
)
def test_what_ends_monitord_is_named(changes: str, argv: tuple[str, ...]) -> None:
    assert touches(HERE, SETTINGS, changes, [step(*argv)])
    assert not touches(THERE, SETTINGS, changes, [step(*argv)])


@pytest.mark.parametrize(
    "argv",
    [
        ("systemctl", "restart", "nginx.service"),
        ("cp", "a", "/var/lib/monitord-mirror/x"),
        ("touch", "/srv/var/lib/monitord"),
        ("logger", "monitord repaired it"),
        ("python", "-m", "monitord", "job", "run", "nightly", "--", "/usr/local/bin/nightly"),
        ("monitord", "--state", "/var/lib/monitord", "job", "run", "nightly", "--", "nightly"),
        ("systemctl", "restart", "postgresql"),
        ("supervisorctl", "-c", "/srv/monitord-demo-x/supervisord.conf", "restart", "worker"),
    ],
)
def test_other_things_on_its_host_are_not_its_own(argv: tuple[str, ...]) -> None:
    assert touches(HERE, SETTINGS, "change", [step(*argv)]) == ""


def test_evidence_and_preconditions_touch_nothing() -> None:
    looked = step("ls", "/var/lib/monitord", phase=Phase.COLLECT)
    asked = step("systemctl", "is-active", "monitord", phase=Phase.REQUIRE)
    assert touches(HERE, SETTINGS, "change", [looked, asked]) == ""


@pytest.mark.parametrize(("host", "settings"), [(THERE, SERVER), (HERE, NEAR)])
def test_the_database_with_its_journal_is_its_own_wherever_it_runs(
    host: Host, settings: Settings
) -> None:
    restart = [step("systemctl", "restart", "postgresql@15-main.service")]
    assert "keeps its journal in" in touches(host, settings, "change", restart)
    assert touches(host, settings, "start", restart) == ""
    assert touches(replace(THERE, address="10.1.1.3"), settings, "change", restart) == ""


def test_an_undo_counts_as_a_step() -> None:
    undo = step("systemctl", "stop", "monitord", phase=Phase.UNDO)
    assert touches(HERE, SETTINGS, "change", [undo])
