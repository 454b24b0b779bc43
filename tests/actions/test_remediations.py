"""The shipped runbooks load, render, and act by themselves only where DESIGN §10 says so."""

from pathlib import Path

import pytest
import yaml

from monitord import config
from monitord.actions import ACTIONS
from monitord.actions.plan import render_items
from monitord.model.catalog import Catalog
from monitord.model.effect import Command, DeviceCall, PlannedStep
from monitord.model.ids import check_key
from monitord.model.incident import Phase
from monitord.model.kinds import Kinds
from monitord.probes import PROBES

FOLDER = Path(__file__).parents[2] / "remediations"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
BY_THEMSELVES = {
    "clear-disk", "renew-certificate", "rerun-job", "rerun-link", "restart-nginx",
    "start-crashed-program", "start-crashed-unit", "start-database", "start-link",
}  # fmt: skip
OF_DEVICES = {"open-bgp-neighbour"}
OF_CHAINS = {"rerun-link", "start-link"}
GIVEN = {
    "open-bgp-neighbour": {"as": "65001"},
    "restore-database": {"dump": "/backup/shop.dump", "database": "shop"},
    "stop-process": {"name": "convert", "older": "1h"},
    "start-database": {
        "unit": "redis-server",
        "data": "/var/lib/redis",
        "owner": "redis",
        "port": "6379",
    },
    "rerun-job": {"command": "monitord job run nightly -- /opt/nightly 'a b'"},
    "restore-files": {"tar": "/b.tar", "inside": "www", "to": "/srv/www", "expect": "index.html"},
    "restore-files-borg": {
        "repository": "/srv/borg",
        "password_file": "",
        "inside": "srv/www",
        "to": "/srv/www",
        "expect": "index.html",
    },
    "restore-files-restic": {
        "repository": "/srv/restic",
        "password_file": "/etc/restic.pw",
        "inside": "srv/www",
        "to": "/srv/www",
        "expect": "index.html",
    },
}
SHOW = {"show": "show bgp summary", "bad": "Idle"}


CHAIN = {
    "starts": "21:30",
    "done_by": "06:00",
    "jobs": {"worker": {"run": ["/b/x"], "rerun": {"safe_after": ["/b/rollback"]}}},
}


def looked_at_by(name: str) -> dict[str, object]:
    if name in OF_CHAINS:
        return {"chain": CHAIN}
    return {"device": SHOW} if name in OF_DEVICES else {"load": {}}


def plan_of(catalog: Catalog, name: str) -> tuple[PlannedStep, ...]:
    (rung,) = catalog.checks[check_key(name, "check")].remediate
    item = "10.0.0.2" if name in OF_DEVICES else "worker"
    return render_items(catalog.runbooks[name], rung, catalog.hosts[name], [item])


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Give each runbook a check that it is the only rung of, under the standard profile."""
    device = {"device": {"dialect": "frr", "user": "look", "act": {"user": "act"}}}
    hosts = {
        name: {
            "address": "127.0.0.1",
            "login": device if name in OF_DEVICES else {"local": {"act": True}},
            "checks": {
                "check": {
                    **looked_at_by(name),
                    "remediate": [{name: {"with": GIVEN.get(name, {})}}],
                }
            },
        }
        for name in NAMES
    }
    path = tmp_path_factory.mktemp("etc") / "monitord.yaml"
    path.write_text(yaml.safe_dump({"profile": "standard", "hosts": hosts}))
    return config.load(path, Kinds(PROBES, ACTIONS, {}))


def test_there_are_runbooks() -> None:
    assert {"restart-unit", "restart-program", "restore-files"} | BY_THEMSELVES <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_says_what_it_is_for(name: str, catalog: Catalog) -> None:
    lines = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert max(map(len, lines)) <= 120
    assert catalog.runbooks[name].means


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_acts_by_itself_only_where_it_may(name: str, catalog: Catalog) -> None:
    mode = catalog.runbooks[name].mode
    assert mode == ("auto" if name in BY_THEMSELVES else "approve")


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_renders_for_an_item(name: str, catalog: Catalog) -> None:
    plan = plan_of(catalog, name)
    assert any(step.phase == Phase.STEP for step in plan)


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_before_the_steps_changes_nothing(name: str, catalog: Catalog) -> None:
    """Evidence and preconditions are commands that only look."""
    looking = {
        "df", "du", "journalctl", "ls", "nginx -t", "restic snapshots", "ss", "test", "true",
        "supervisorctl status", "supervisorctl tail", "systemctl --failed", "systemctl is-enabled",
        "systemctl is-active", "systemctl is-failed", "systemctl list-timers", "systemctl status",
    }  # fmt: skip
    for step in plan_of(catalog, name):
        if isinstance(step.effect, DeviceCall):
            assert step.phase in {Phase.STEP, Phase.UNDO} or not step.effect.configure
            continue
        assert isinstance(step.effect, Command)
        if step.phase in {Phase.STEP, Phase.UNDO} or step.kind in {
            "ready",
            "evidence",
            "reboot",
            "job",
            "link",
        }:
            assert step.phase == Phase.STEP or not step.effect.restarts
            assert step.phase == Phase.STEP or step.kind not in {"job", "link"} or step.effect.stdin
            continue
        if step.kind in {"cleanup", "database", "process", "restore"}:
            assert step.effect.argv[3] == "look"
            continue
        program, *words = step.effect.argv
        assert program in looking or any(f"{program} {word}" in looking for word in words)


def test_the_only_way_to_start_a_unit_is_that_it_crashed(catalog: Catalog) -> None:
    book = catalog.runbooks["start-crashed-unit"]
    conditions = [step.spec.model_dump()["run"][:2] for step in book.require]
    assert conditions == [("systemctl", "is-failed"), ("systemctl", "is-enabled")]
