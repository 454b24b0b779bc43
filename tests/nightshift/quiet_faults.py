"""What must be left alone: everyday events, and traps; by the ids of scenarios.json."""

from __future__ import annotations

import time
from collections.abc import Mapping

from tests.nightshift.fault import HERE, Fault, Stage, nothing, on

LOOPS = """
for _ in 1 2 3 4 5 6 7 8; do timeout 40 nice -n 19 sh -c 'while :; do :; done' & done
"""
BACKUP = """
mkdir -p /srv/much
head -c 150M /dev/urandom >/srv/much/data
export RESTIC_PASSWORD=night
restic --quiet --no-cache init --repo /srv/restic
restic --quiet --no-cache backup --repo /srv/restic /srv/much
restic --quiet --no-cache check --repo /srv/restic
"""
REQUESTS = "seq 500 | sed 's,.*,http://$web1/error-&,' | xargs curl -s -o /dev/null"
NEW_HOST_KEY = """
cd /etc/ssh
mkdir -p /root/key
mv ssh_host_ed25519_key ssh_host_ed25519_key.pub /root/key/
ssh-keygen -q -t ed25519 -N '' -C '' -f ssh_host_ed25519_key
systemctl stop nginx
systemctl stop ssh
pkill -KILL -x sshd || true
systemctl start ssh
"""
OLD_HOST_KEY = """
mv /root/key/* /etc/ssh/
systemctl stop ssh
pkill -KILL -x sshd || true
systemctl start ssh
systemctl start nginx
"""
STARTS = "journalctl -q -o cat _PID=1 UNIT=nginx.service | grep -c ^Started"
TOGGLES = 7


def everything(stage: Stage) -> None:
    """Cut both links, and stop what stands behind them, at once."""
    for name, services in (("web1", "nginx"), ("db1", "redis-server $postgres")):
        stage.machines.hosts[name].cut()
        stage.sh(name, f"systemctl stop {services}")


def all_again(stage: Stage) -> None:
    """Start what was stopped, then mend the links."""
    for name, services in (("web1", "nginx"), ("db1", "redis-server $postgres")):
        stage.sh(name, f"systemctl start {services}")
        stage.machines.hosts[name].restore()


def toggle(stage: Stage) -> None:
    """Stop and start nginx over and over: 12 times as fast as every minute, as the checks are."""
    for _ in range(TOGGLES):
        stage.sh("web1", "systemctl stop nginx")
        time.sleep(8)
        stage.sh("web1", "systemctl start nginx")
        time.sleep(8)


def started_too_often(stage: Stage) -> list[str]:
    """Count what was started beyond the toggling itself."""
    before, now = stage.seen["starts"], int(stage.sh("web1", STARTS))
    more = now - before - TOGGLES
    return [f"nginx was started {more} times on top"] if more > 1 else []


def count_starts(stage: Stage) -> None:
    """Remember how often nginx was started until now."""
    stage.seen["starts"] = int(stage.sh("web1", STARTS))


FAULTS: Mapping[str, Fault] = {
    "N01": Fault(inject=on("web1", LOOPS), watch=20.0),
    "N03": Fault(inject=on("web1", "nginx -s reload"), answers=None, watch=20.0),
    "N04": Fault(
        before=lambda stage: stage.tool.announce("web1/*", "the nightly backup"),
        inject=on("web1", BACKUP),
        undo=on("web1", "rm -rf /srv/much /srv/restic"),
    ),
    "N05": Fault(inject=on("web1", "supervisorctl start oneshot || true"), watch=20.0),
    "N07": Fault(inject=on(HERE, REQUESTS), watch=20.0),
    "N08": Fault(
        before=lambda stage: stage.tool.announce("db1/redis", "a new version is put in"),
        inject=on("db1", "systemctl stop redis-server"),
        undo=on("db1", "systemctl start redis-server"),
        watch=25.0,
    ),
    "T01": Fault(
        inject=on("web1", "systemctl stop mailer"),
        undo=on("web1", "systemctl start mailer"),
        key="web1/worker",
        says=("no exact plan",),
        ours_alone=True,
    ),
    "T02": Fault(
        inject=everything,
        undo=all_again,
        key="web1/reach",
        others=("db1/reach",),
        watch=25.0,
    ),
    "T04": Fault(
        before=count_starts,
        inject=toggle,
        undo=nothing,
        key="web1/web-site",
        may_act=1,
        may_change=frozenset({"web1 nginx"}),
        also=started_too_often,
        says=("flapping",),
    ),
    "T06": Fault(
        inject=on("web1", NEW_HOST_KEY),
        undo=on("web1", OLD_HOST_KEY),
        answers=("web1", "pgrep -c nginx"),
        key="web1/ssh",
        others=("web1/web-site",),
        says=("SHA256:", "CHANGED"),
        never=((HERE, "cat $known_hosts"), ("web1", STARTS)),
    ),
}
