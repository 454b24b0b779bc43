"""Units, failed units and the clock of a real systemd, told alike by both ways of asking."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitord.model.facts import Facts, Section
from monitord.model.ids import Instant
from monitord.transports.facts_json import facts_from_json
from monitord.transports.facts_remote import parse, script
from tests.world.host import Host
from tests.world.hosts import World
from tests.world.needs import need
from tests.world.until import until

REPOSITORY = Path(__file__).resolve().parents[2]
LOCALLY = """
import json, sys
from monitord.model.facts import Section
from monitord.transports.facts_json import facts_to_json
from monitord.transports.facts_local import gather
asked = tuple(Section(name, tuple(args)) for name, args in json.loads(sys.argv[1]))
print(json.dumps(facts_to_json(gather("host", asked))))
"""
UNITS = {
    "sick.service": "[Service]\nType=oneshot\nExecStart=/bin/false\n",
    "loop.service": "[Unit]\nStartLimitIntervalSec=0\n"
    "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=1d\n",
    "well@.service": "[Service]\nExecStart=/bin/sleep 1000\n"
    "[Install]\nWantedBy=multi-user.target\n",
}


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    need("hosts")
    with World() as world:
        machine = world.host("units")
        for name, text in UNITS.items():
            machine.write(f"/etc/systemd/system/{name}", text)
        machine.run(["systemctl", "daemon-reload"])
        machine.run(["systemctl", "enable", "-q", "well@a\\x2db.service"])
        machine.start("well@a\\x2db.service")
        machine.run(["systemctl", "start", "sick.service"], check=False)
        machine.run(["systemctl", "start", "--no-block", "loop.service"])
        until(lambda: "auto-restart" in _state(machine, "loop.service"))
        yield machine


def _state(host: Host, unit: str) -> str:
    return host.run(["systemctl", "show", "--property=SubState", unit]).stdout


def _far(host: Host, *sections: Section) -> Facts:
    output = host.run(["sh"], given=script(sections)).stdout
    return parse("host", output, asked_at=Instant(0), answered_at=Instant(1 << 62))


def _here(host: Host, *sections: Section) -> Facts:
    asked = json.dumps([[section.name, section.args] for section in sections])
    argv = ["env", f"PYTHONPATH={REPOSITORY}", sys.executable, "-c", LOCALLY, asked]
    return facts_from_json(json.loads(host.run(argv).stdout))


def test_units_are_told_alike(host: Host) -> None:
    names = (
        "sick",
        "loop",
        "well@a\\x2db",
        "cron.service",
        "no-such-thing",
        "well@a\\x2db.service",
    )
    asked = (Section("unit", names), Section("failed-units"), Section("clock"))
    far, here = _far(host, *asked), _here(host, *asked)
    assert dict(far.errors) == dict(here.errors) == {}
    assert dict(far.units) == dict(here.units)
    assert far.failed_units == here.failed_units
    assert far.failed_units is not None
    assert "sick.service" in far.failed_units
    assert far.clock is not None
    assert far.clock == here.clock


def test_what_systemd_says_of_each_unit(host: Host) -> None:
    units = _far(host, Section("unit", ("sick", "loop", "well@a\\x2db", "no-such-thing"))).units
    sick, loop, well, none = units.values()
    assert (sick.name, sick.active, sick.result) == ("sick.service", "failed", "exit-code")
    assert (loop.active, loop.sub) == ("activating", "auto-restart")
    assert (well.active, well.sub, well.enabled) == ("active", "running", "enabled")
    assert well.main_pid > 1
    assert (none.load, none.active) == ("not-found", "inactive")


def test_a_killed_service_counts_its_restarts(host: Host) -> None:
    host.write(
        "/etc/systemd/system/often.service",
        "[Service]\nRestart=always\nRestartSec=0\nExecStart=/bin/sleep 1000\n",
    )
    host.run(["systemctl", "daemon-reload"])
    host.start("often")
    before = _far(host, Section("unit", ("often",))).units["often"]
    host.run(["kill", "-9", str(before.main_pid)])
    until(lambda: _far(host, Section("unit", ("often",))).units["often"].restarts == 1)


def test_a_plain_user_may_ask_all_of_it(host: Host) -> None:
    asked = tuple(map(Section, ("disk", "memory", "load", "process", "failed-units", "clock")))
    argv = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--init-groups", "sh"]
    done = host.run(argv, given=script((*asked, Section("unit", ("cron",)))))
    facts = parse("host", done.stdout, asked_at=Instant(0), answered_at=Instant(1 << 62))
    assert dict(facts.errors) == {}
    assert facts.units["cron"].load == "loaded"
    assert facts.disks
