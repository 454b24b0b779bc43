"""What goes wrong on the database server, by the ids of scenarios.json."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping

from tests.nightshift.fault import HERE, Fault, Stage, on, repair
from tests.nightshift.web_faults import told

READY = (HERE, "pg_isready -h $db1 -q; echo $?")
LOCK = """
run() { systemd-run --quiet --unit="$1" psql -qU postgres -c "$2"; }
run locker "begin; lock table orders in access exclusive mode; select pg_sleep(600)"
until psql -U postgres -Atc "select 1 from pg_locks where mode = 'AccessExclusiveLock' and granted
    and relation = 'orders'::regclass" | grep -q 1; do sleep 0.1; done
run waiter "insert into orders (what) values ('a book')"
"""
UNLOCK = """
psql -qU postgres -c "select pg_terminate_backend(pid) from pg_stat_activity
    where pid <> pg_backend_pid() and backend_type = 'client backend'" >/dev/null
systemctl stop locker waiter 2>/dev/null || true
systemctl reset-failed locker waiter 2>/dev/null || true
"""
MISCONF = """
chown root:root /var/lib/redis
chmod 500 /var/lib/redis
redis-cli set a 1 >/dev/null
redis-cli bgsave >/dev/null
until redis-cli ping 2>&1 | grep -q MISCONF; do sleep 0.1; done
"""
SAVED = """
chown redis:redis /var/lib/redis
chmod 750 /var/lib/redis
redis-cli bgsave >/dev/null
until redis-cli ping 2>&1 | grep -q PONG; do sleep 0.1; done
"""
RATE = 32_000
"""Bytes a second that the slow link lets through."""


def slow_link(stage: Stage) -> None:
    """Let the link to the database carry too much: its queue then delays by 300 ms and loses."""
    queue = f"tbf rate {RATE * 8} burst 3000 latency 300ms"
    stage.sh(HERE, f"tc qdisc add dev $cable_db1 root {queue}")
    over = threading.Event()
    flood = threading.Thread(target=_flood, args=(stage.machines.names["db1"], over), daemon=True)
    flood.start()
    stage.left += [over.set, flood.join, lambda: stage.sh(HERE, "tc qdisc del dev $cable_db1 root")]


def _flood(address: str, over: threading.Event) -> None:
    """Send a tenth more than the link carries."""
    size = 500
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while not over.is_set():
            sender.sendto(bytes(size), (address, 9))
            time.sleep(size / (RATE * 1.1))


def back_up(stage: Stage) -> None:
    """Run the backup as cron does."""
    told(stage, "db1", "/usr/local/bin/backup", "db1/backup")


def back_up_too_much(stage: Stage) -> None:
    """Give the repository a quota, and back up more than that."""
    stage.sh("db1", "borg config /srv/borg storage_quota 10M")
    stage.sh("db1", "head -c 5M /dev/urandom >>/srv/dump/orders")
    back_up(stage)


def lift_quota(stage: Stage) -> None:
    """Take the quota away again, and back up."""
    stage.sh("db1", "sed -i 's/^storage_quota.*/storage_quota = 0/' /srv/borg/config")
    back_up(stage)


FAULTS: Mapping[str, Fault] = {
    "F06": repair(
        READY,
        "db1/postgresql",
        "db1 postgresql",
        "db1 $postgres.service",
        inject=on("db1", "pg_ctlcluster $version main stop"),
        undo=on("db1", "systemctl start $postgres"),
    ),
    "F07": repair(
        READY,
        "db1/postgresql",
        "db1 postgresql",
        "db1 $postgres.service",
        inject=on("db1", "kill -9 $(head -1 $data/postmaster.pid)"),
        undo=on("db1", "systemctl start $postgres"),
    ),
    "F09": Fault(
        inject=on("db1", LOCK),
        undo=on("db1", UNLOCK),
        answers=(
            "db1",
            'psql -U postgres -Atc "select count(*)>0 from pg_locks where not granted"',
        ),
        key="db1/orders",
        says=("access exclusive mode", "blocked by pid"),
        never=(("db1", "psql -U postgres -Atc 'select pg_postmaster_start_time()'"),),
    ),
    "F10": repair(
        (HERE, "redis-cli -h $db1 ping"),
        "db1/redis",
        "db1 redis",
        "db1 redis-server.service",
        inject=on("db1", "systemctl stop redis-server"),
        undo=on("db1", "systemctl start redis-server"),
    ),
    "F11": Fault(
        inject=on("db1", MISCONF),
        undo=on("db1", SAVED),
        answers=("db1", "stat -c %U /var/lib/redis"),
        key="db1/redis",
        says=("MISCONF", "belongs to root"),
        never=(("db1", "redis-cli config get stop-writes-on-bgsave-error"),),
    ),
    "F20": Fault(
        inject=slow_link,
        answers=(HERE, "tc qdisc show dev $cable_db1 | grep -c tbf"),
        key="db1/reach",
        others=("db1/postgresql", "db1/redis", "db1/orders", "db1/ssh", "db1/cron-service"),
    ),
    "F21": Fault(
        inject=lambda stage: stage.machines.hosts["db1"].drop(5432),
        undo=lambda stage: stage.machines.hosts["db1"].heal(),
        answers=("db1", "pg_isready -h /run/postgresql -q; echo $?"),
        key="db1/postgresql",
        says=("no connection within", "is active"),
    ),
    "F26": Fault(
        before=back_up,
        inject=back_up_too_much,
        undo=lift_quota,
        answers=("db1", "borg config /srv/borg storage_quota"),
        key="db1/backup",
        says=("uota",),
    ),
}
