"""The shipped runbooks on real services: what each repairs, and what it refuses and names instead.

All faults are made at once, on one host; each test looks at what became of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitord.model.incident import Incident
from tests.scenarios.house import House
from tests.world.host import Host
from tests.world.hosts import World
from tests.world.needs import requires
from tests.world.services import unit, web_site

pytestmark = requires("hosts", "nginx", "redis", "mariadb")
SCENARIO = """
hosts:
  srv:
    address: $srv
    # clean-ups are a script of ours, no argv: no line of sudoers could be exact
    login: {ssh: {user: root, key: $key, known_hosts: $known_hosts, act: {}}}
    checks:
      cache:
        systemd: {units: [cache]}
        remediate: [start-database: {$soon, with: {unit: cache, data: /srv/cache, $redis}}]
      ledger:
        systemd: {units: [ledger]}
        remediate: [start-database: {$soon, with: {unit: ledger, data: /srv/ledger, $redis}}]
      books:
        systemd: {units: [mariadb]}
        remediate: [start-database: {$soon, with: {unit: mariadb, $mariadb}}]
      portal:
        systemd: {units: [portal]}
        remediate: [restart-unit: {$soon, mode: auto, with: {port: "8081"}}]
      certificate:
        tcp: {port: 443, tls: {server_name: shop, verify: false, expires: {critical: 7d}}}
        remediate: [renew-certificate: {$soon, with: {renew: /usr/local/bin/renew 90}}]
      logs:
        disk: {mounts: [/srv/logs], warning: 80%, critical: 90%}
        remediate: [clear-disk: {$soon, with: {folder: /srv/logs/app, manifest: /srv/manifest}}]
"""
RENEW = """#!/bin/sh
cd /etc/nginx && openssl req -x509 -newkey rsa:2048 -nodes -days "$1" -subj /CN=shop \
    -keyout shop.key -out shop.crt 2>/dev/null
"""
TLS = """server {
    listen 443 ssl;
    ssl_certificate shop.crt;
    ssl_certificate_key shop.key;
}
"""


@pytest.fixture(scope="module")
def srv(module_world: World) -> Host:
    srv = module_world.host("srv")
    srv.run(["install", "-d", "-o", "redis", "-g", "redis", "/srv/cache", "/srv/ledger"])
    redis = "/usr/bin/redis-server --dir /srv/cache --port 6379"
    unit(srv, "cache", redis, lines="User=redis")
    unit(srv, "ledger", "/usr/bin/sleep 1000", lines="User=redis")
    unit(srv, "portal", "/usr/bin/python3 -m http.server 8081")
    # As some of Debian's releases have it: systemd holds the port while the service is stopped.
    srv.write(
        "/etc/systemd/system/mariadb.socket.d/port.conf",
        "[Socket]\nListenStream=\nListenStream=/run/mysqld/mysqld.sock\nListenStream=3306\n",
    )
    srv.run(["systemctl", "daemon-reload"])
    srv.run(["systemctl", "restart", "mariadb.socket"])
    srv.start("mariadb")  # as its package made it: unit, folder, and root's own files in that
    srv.write("/usr/local/bin/renew", RENEW, mode=0o755)
    srv.run(["/usr/local/bin/renew", "90"])
    srv.write("/etc/nginx/conf.d/tls.conf", TLS)
    web_site(srv)
    srv.filesystem("/srv/logs", megabytes=16)
    srv.write("/srv/logs/app/now.log", "of today\n")
    return srv


@pytest.fixture(scope="module")
def house(module_world: World, srv: Host) -> Iterator[House]:
    names = {
        "soon": "verify: {settle: 1s, oks: 2, within: 30s}, limits: {cooldown: 0s}",
        "redis": 'owner: redis, port: "6379"',
        "mariadb": 'data: /var/lib/mysql, owner: mysql, port: "3306"',
    }
    checks = [
        f"srv/{name}" for name in ("cache", "ledger", "books", "portal", "certificate", "logs")
    ]
    with House(SCENARIO, world=module_world, hosts=[srv], names=names) as house:
        house.await_ok(*checks)
        break_it_all(srv)
        yield house


def break_it_all(srv: Host) -> None:
    srv.run(["systemctl", "stop", "cache", "ledger", "mariadb", "portal"])
    srv.run(["chown", "root", "/srv/ledger"])
    srv.run(["systemd-run", "--quiet", "/usr/bin/python3", "-m", "http.server", "8081"])
    srv.run(["/usr/local/bin/renew", "3"])
    srv.run(["systemctl", "reload", "nginx"])
    old = 'fallocate -l 1M $1.gz && touch -d "$((40 - $1)) days ago" $1.gz'
    script = f"cd /srv/logs/app && seq 0 11 | xargs -n 1 sh -c '{old}' old"
    srv.run(["sh", "-c", script])


def healed(house: House, key: str) -> Incident:
    incident = house.incident(key, "RESOLVED", "ESCALATED", within=90)
    tried = [(one.runbook, one.outcome) for one in house.tried(incident)]
    assert (incident.status, incident.cause) == ("RESOLVED", "verified"), tried
    return incident


def refused(house: House, key: str) -> str:
    """Wait for the ticket of what was refused; give why."""
    incident = house.incident(key, "RESOLVED", "ESCALATED", within=90)
    (attempt,) = house.tried(incident)
    assert all(step.phase != "step" for step in house.steps(attempt)), (
        "it was refused before it did"
    )
    return attempt.outcome


def test_a_stopped_redis_is_started(house: House, srv: Host) -> None:
    healed(house, "srv/cache")
    assert srv.run(["redis-cli", "ping"]).stdout == "PONG\n"


def test_a_stopped_mariadb_is_started(house: House, srv: Host) -> None:
    healed(house, "srv/books")
    assert srv.run(["mariadb", "-Ne", "select 1 + 1"]).stdout == "2\n"


def test_a_database_is_not_started_on_data_of_somebody_else(house: House, srv: Host) -> None:
    assert "/srv/ledger belongs to root, not to redis" in refused(house, "srv/ledger")
    assert not srv.is_active("ledger")


def test_a_unit_whose_port_another_process_has_is_not_restarted(house: House, srv: Host) -> None:
    assert "port 8081 is held by python3 (pid " in refused(house, "srv/portal")
    assert not srv.is_active("portal")


def test_a_certificate_is_renewed_and_the_server_reloads(house: House, srv: Host) -> None:
    born = srv.run(["systemctl", "show", "--property=ExecMainStartTimestamp", "nginx"]).stdout
    healed(house, "srv/certificate")
    now = srv.run(["systemctl", "show", "--property=ExecMainStartTimestamp", "nginx"]).stdout
    assert now == born, "it was not restarted"


def test_a_full_disk_is_cleared_of_what_is_listed(house: House, srv: Host) -> None:
    healed(house, "srv/logs")
    left = srv.run(["ls", "/srv/logs/app"]).stdout.split()
    assert "now.log" in left
    assert "11.gz" in left, "the youngest stays"
    assert "0.gz" not in left, "the oldest goes"
    assert "/srv/logs/app/0.gz" in srv.run(["sh", "-c", "cat /srv/manifest/*"]).stdout
