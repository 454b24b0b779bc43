"""Programs, units, data and disks of a host: what is repaired, and what becomes a ticket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitord.model.incident import AttemptStatus
from tests.scenarios.conftest import Took
from tests.scenarios.house import House, now
from tests.world.host import Host
from tests.world.hosts import World
from tests.world.needs import requires
from tests.world.services import supervised, unit

pytestmark = requires("hosts", "supervisor", "restic")
RESTIC = ["restic", "--repo", "/var/backups/restic", "--password-file", "/root/restic-password"]
SCENARIO = """
hosts:
  app:
    address: $app
    groups: [fleet]
    checks:
      worker: {supervisor: {programs: [worker]}, attempts: 3, remediate: [start-program]}
      twins: {supervisor: {programs: [left, right]}, attempts: 3, remediate: [start-program]}
      cron-service: {every: 2s, remediate: [start-cron]}
      hopeless: {systemd: {units: [hopeless]}, remediate: [start-hopeless, restart-hopeless]}
  data:
    address: $data
    groups: [fleet]
    checks:
      orders: {file: {path: /srv/orders/orders.db, min_size: 1}, remediate: [restore-orders]}
      disk-space:
        disk: {mounts: [/srv/logs], warning: 80%, critical: 90%}
        every: 2s
        remediate: [drop-old-logs: {with: {folder: /srv/logs}}]
      disk-spool:
        disk: {mounts: [/srv/spool], warning: 80%, critical: 90%}
        remediate: [drop-old-logs: {with: {folder: /srv/spool}}]
      disk-archive:
        disk: {mounts: [/srv/archive], warning: 80%, critical: 90%}
        means: Nothing more is archived.
        by_hand: Move the oldest year to tape.
runbooks:
  start-program:
    steps: [{supervisor: {program: "{item}", do: start, sudo: true}, idempotent: true}]
    verify: {settle: 2s, oks: 2, within: 15s}
    limits: {per_incident: 1, cooldown: 0s}
  start-cron:
    steps: [{systemd: {unit: cron, do: start}, idempotent: true}]
    verify: {settle: 1s, oks: 2, within: 15s}
    limits: {per_incident: 1, cooldown: 0s}
  start-hopeless:
    collect:
      - command: {run: [journalctl, --no-pager, --unit=hopeless, --lines=20], sudo: true}
    steps: [{systemd: {unit: hopeless, do: start}}]
    verify: {settle: 1s, oks: 2, within: 3s}
    limits: {per_incident: 1, cooldown: 0s}
  restart-hopeless:
    collect:
      - command: {run: [journalctl, --no-pager, --unit=hopeless, --lines=20], sudo: true}
    steps: [{systemd: {unit: hopeless, do: restart}}]
    verify: {settle: 1s, oks: 2, within: 3s}
    limits: {per_incident: 1, cooldown: 0s}
  restore-orders:
    steps:
      - restore:
          restic:
            repository: /var/backups/restic
            password: !secret "file:$folder/restic-password"
          inside: srv/orders
          to: /srv/orders
          expect: [orders.db]
    verify: {settle: 1s, oks: 2, within: 15s}
    limits: {per_incident: 1, cooldown: 0s}
  drop-old-logs:
    collect:
      - command: [df, -h, "{folder}"]
      - command: [du, -a, "{folder}"]
    steps:
      - command: [find, "{folder}", -name, "*.old", -delete]
        idempotent: true
    verify: {settle: 1s, oks: 2, within: 4s}
    limits: {per_incident: 1, cooldown: 0s}
"""


SUPERVISORD = "/etc/supervisor/supervisord.conf"
PASSWORD = "correct horse battery staple"  # noqa: S105 - of a repository made here
RETRIES = "startretries=0\nautorestart=false"
# Ends at once when a fault lies in wait for it, and takes that away: the next start succeeds,
# whoever makes it and whenever.
PROGRAM = 'sh -c "rm /srv/fault-{name} 2>/dev/null && exit 1; exec sleep 1000"'
COUNT = "#!/bin/sh\necho start >>/srv/starts\ntest ! -e /srv/hopeless\n"


@pytest.fixture(scope="module")
def hosts(module_world: World) -> dict[str, Host]:
    app, data = module_world.hosts("app", "data")
    # What is there to be looked at without root: supervisord's socket, the backup.
    app.run(["sed", "-i", r"s/^chmod=0700.*/chmod=0770\nchown=root:monitord/", SUPERVISORD])
    for program in ("worker", "left", "right"):
        supervised(app, program, PROGRAM.format(name=program), lines=RETRIES)
    app.start("cron")
    app.write("/usr/local/bin/count", COUNT, mode=0o755)
    unit(app, "hopeless", "/usr/bin/sleep 1000", lines="ExecStartPre=/usr/local/bin/count")
    data.write("/srv/orders/orders.db", "a thousand orders\n")
    data.write("/root/restic-password", f"{PASSWORD}\n", mode=0o600)
    data.run([*RESTIC, "init"])
    data.run([*RESTIC, "backup", "/srv/orders"])
    data.run(["chown", "-R", "monitord:", "/var/backups/restic"])
    data.filesystem("/srv/logs", megabytes=16)
    data.filesystem("/srv/spool", megabytes=16)
    data.filesystem("/srv/archive", megabytes=16)
    return {"app": app, "data": data}


@pytest.fixture(scope="module")
def house(module_world: World, hosts: dict[str, Host]) -> Iterator[House]:
    house = House(SCENARIO, world=module_world, hosts=hosts.values())
    secret = house.folder / "restic-password"
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o600)
    with house:
        house.await_ok("app/worker", "app/twins", "app/cron-service", "app/hopeless")
        house.await_ok("data/orders", "data/disk-space", "data/disk-spool", "data/disk-archive")
        yield house


def give_up(app: Host, *programs: str) -> int:
    """Have programs end at their start, so that the supervisor gives them up; give when."""
    for program in programs:
        app.write(f"/srv/fault-{program}", "")
    broken = now()
    app.run(["supervisorctl", "restart", *programs], check=False)
    return broken


def test_a_program_that_its_supervisor_gave_up_is_started(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    broken = give_up(hosts["app"], "worker")
    incident = house.incident("app/worker", "RESOLVED")
    took(incident, broken)
    assert incident.cause == "verified"
    assert incident.items == ("app/worker/worker",)
    assert "RUNNING" in hosts["app"].run(["supervisorctl", "status", "worker"]).stdout


def test_two_programs_of_one_check_are_one_incident_and_one_plan(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    broken = give_up(hosts["app"], "left", "right")
    incident = house.incident("app/twins", "RESOLVED")
    took(incident, broken)
    assert incident.cause == "verified"
    assert set(incident.items) == {"app/twins/left", "app/twins/right"}
    attempt = house.tried(incident)[-1]  # one that began before both had failed is void
    assert [step.status for step in house.steps(attempt)] == ["DONE", "DONE"]


def test_a_stopped_cron_is_started(house: House, hosts: dict[str, Host], took: Took) -> None:
    hosts["app"].run(["systemctl", "stop", "cron"])
    broken = now()
    incident = house.incident("app/cron-service", "RESOLVED")
    took(incident, broken)
    assert incident.cause == "verified"
    assert hosts["app"].is_active("cron")


def test_a_unit_that_cannot_start_is_tried_as_often_as_the_ladder_says(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    app = hosts["app"]
    app.write("/srv/hopeless", "")
    app.run(["rm", "/srv/starts"])
    app.run(["systemctl", "stop", "hopeless"])
    broken = now()
    incident = house.incident("app/hopeless", "ESCALATED")
    took(incident, broken)
    tried = [(one.runbook, one.status) for one in house.tried(incident)]
    failed = AttemptStatus.FAILED
    assert tried == [("start-hopeless", failed), ("restart-hopeless", failed)]
    assert app.read("/srv/starts") == "start\n" * 2, "each rung starts it exactly once"
    ticket = house.ticket(incident)
    assert any("hopeless.service: Control process exited" in e["text"] for e in ticket["evidence"])
    assert ticket["timeline"][-2]["text"].endswith("the ladder is at its end")


def test_lost_data_comes_back_from_restic(house: House, hosts: dict[str, Host], took: Took) -> None:
    data = hosts["data"]
    data.write("/srv/orders/orders.db", "")  # truncated, as after a crash
    broken = now()
    incident = house.incident("data/orders", "RESOLVED")
    took(incident, broken)
    assert incident.cause == "verified"
    assert data.read("/srv/orders/orders.db") == "a thousand orders\n"
    (old,) = [n for n in data.run(["ls", "-A", "/srv"]).stdout.split() if n.startswith(".monitord")]
    assert data.read(f"/srv/{old}/orders.db") == "", "the damaged copy is kept for a person"
    kept = [file.read_bytes() for file in house.state.glob("state.db*")]
    told = house.executor.log.read_bytes() + house.core.log.read_bytes()
    assert PASSWORD.encode() not in b"".join([*kept, told]), "the secret was written down"


def test_old_logs_are_dropped_from_a_full_disk(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    data = hosts["data"]
    data.write("/srv/logs/app.log", "today\n")
    data.run(["fallocate", "-l", "13M", "/srv/logs/app.log.old"])
    broken = now()
    incident = house.incident("data/disk-space", "RESOLVED")
    took(incident, broken)
    assert incident.cause == "verified"
    assert data.run(["ls", "/srv/logs"]).stdout.split() == ["app.log", "lost+found"]


def test_a_disk_full_of_what_nobody_may_delete_is_a_ticket_with_the_evidence(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    data = hosts["data"]
    data.run(["fallocate", "-l", "13M", "/srv/spool/orders"])
    broken = now()
    incident = house.incident("data/disk-spool", "ESCALATED")
    took(incident, broken)
    df, du = (one["text"] for one in house.ticket(incident)["evidence"])
    assert "Use%" in df
    assert "/srv/spool/orders" in du
    assert data.exists("/srv/spool/orders")


def test_a_full_disk_without_a_runbook_is_a_ticket_that_says_what_to_do(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    hosts["data"].run(["fallocate", "-l", "13M", "/srv/archive/1999"])
    broken = now()
    incident = house.incident("data/disk-archive", "ESCALATED")
    took(incident, broken)
    ticket = house.ticket(incident)
    assert ticket["tried"] == []
    assert (ticket["means"], ticket["by_hand"]) == (
        "Nothing more is archived.",
        "Move the oldest year to tape.",
    )
    assert ticket["items"] == ["data/disk-archive//srv/archive"]


def test_the_journal_of_all_this_holds_every_invariant(house: House) -> None:
    assert house.violations() == []
    assert house.cli("audit")["violations"] == [], "it is judged by other budgets than ours"
