"""What a test needs from the machine, and what stays unproven where it is missing.

    from tests.world.needs import need, requires

    pytestmark = requires("hosts")              # or a decorator: @requires("nginx", "restic")
    need("postgresql")                          # or a call, in a fixture

Where something is missing, the test is skipped and the last lines of the run say in one sentence
what was not proven. With CI set it fails instead: there nothing is skipped.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import pwd
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.world.hosts import World
from tests.world.peers import postgres_folder
from tests.world.process import find_program

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"
PLUGINS = Path("/usr/lib/nagios/plugins")
MARK = "missing here: "


@dataclass(frozen=True)
class Need:
    """One thing of the machine. `obstacle` says why it cannot be had, "" when it can."""

    proves: str
    obstacle: Callable[[], str]


def _program(name: str, package: str) -> Callable[[], str]:
    def obstacle() -> str:
        return "" if find_program(name) else f"{name} is not installed (apt-get install {package})"

    return obstacle


def _module(name: str) -> Callable[[], str]:
    def obstacle() -> str:
        found = importlib.util.find_spec(name)
        return "" if found else f"{name} is not installed (pip install -e .[test])"

    return obstacle


def _postgresql() -> str:
    if postgres_folder() is None:
        return "postgresql is not installed (apt-get install postgresql)"
    if os.geteuid() == 0 and not any(row.pw_name == "postgres" for row in pwd.getpwall()):
        return "there is no user postgres, and its server refuses root (adduser postgres)"
    return ""


def _plugins() -> str:
    if (PLUGINS / "check_http").exists():
        return ""
    return "there are no plugins (apt-get install monitoring-plugins-basic)"


def _vectors() -> str:
    return "" if VECTORS.is_dir() else "the shared test vectors are not beside this checkout"


def _strace() -> str:
    if find_program("strace") is None:
        return "strace is not installed (apt-get install strace)"
    with subprocess.Popen(["sleep", "10"]) as sleeper:
        watch = ["timeout", "1", "strace", "-qq", "-o", "/dev/null", "-p", str(sleeper.pid)]
        tried = subprocess.run(watch, capture_output=True, text=True, check=False)
        sleeper.kill()
    if "not permitted" in tried.stderr:
        return "strace may not attach to processes here (kernel.yama.ptrace_scope or seccomp)"
    return ""


def _frr() -> str:
    found = Path("/usr/lib/frr/bgpd").exists() and find_program("vtysh")
    return "" if found else "FRRouting is not installed (apt-get install frr)"


def _root() -> str:
    return "" if os.geteuid() == 0 else "not run as root"


NEEDS: Mapping[str, Need] = {
    "root": Need("what only root may do", _root),
    "hosts": Need("whole hosts with systemd, SSH and a network", World.obstacle),
    "nginx": Need("a real web server", _program("nginx", "nginx-light")),
    "sshd": Need("a real SSH server", _program("sshd", "openssh-server")),
    "supervisor": Need("the service manager without root", _module("supervisor")),
    "postgresql": Need("the store on its second engine", _postgresql),
    "restic": Need("restores from restic", _program("restic", "restic")),
    "borg": Need("backups by borg", _program("borg", "borgbackup")),
    "logrotate": Need("logs that logrotate turns over", _program("logrotate", "logrotate")),
    "redis": Need("a real key-value store", _program("redis-server", "redis-server")),
    "mariadb": Need("a real MariaDB", _program("mariadbd", "mariadb-server")),
    "busybox": Need("facts from a host that has busybox alone", _program("busybox", "busybox")),
    "chromium": Need("the console in a real browser", _program("chromium", "chromium")),
    "frr": Need("a real router", _frr),
    "netmiko": Need("network devices over SSH", _module("netmiko")),
    "named": Need("a real name server", _program("named", "bind9")),
    "wireguard": Need("tunnels between two ends", _program("wireguard-go", "wireguard-go")),
    "wg": Need("tunnels between two ends", _program("wg", "wireguard-tools")),
    "dnspython": Need("questions to name servers", _module("dns")),
    "php-fpm": Need("a real PHP-FPM", _program("php-fpm8.2", "php8.2-fpm")),
    "rabbitmq": Need("a real RabbitMQ", _program("rabbitmq-server", "rabbitmq-server")),
    "kubectl": Need("kubectl", _program("kubectl", "kubernetes-client")),
    "dig": Need("a tool that asks name servers", _program("dig", "bind9-dnsutils")),
    "chronyd": Need("a real time server", _program("chronyd", "chrony")),
    "dovecot": Need("real mailboxes", _program("dovecot", "dovecot-imapd dovecot-pop3d")),
    "plugins": Need("real Nagios plugins", _plugins),
    "strace": Need("system calls that fail", _strace),
    "faketime": Need("clock steps", _program("faketime", "faketime")),
    "snmpd": Need("a service that is asked over SNMP", _program("snmpd", "snmpd")),
    "snmpget": Need("a service that is asked over SNMP", _program("snmpget", "snmp")),
    "request-tracker": Need(
        "a real ticket server", _program("rt-setup-database-5", "request-tracker5 rt5-db-sqlite")
    ),
    "alertmanager": Need(
        "a real Alertmanager", _program("prometheus-alertmanager", "prometheus-alertmanager")
    ),
    "promtool": Need("alerts in Prometheus' own words", _program("promtool", "prometheus")),
    "vectors": Need("agreement with other projects' test vectors", _vectors),
}


def requires(*names: str) -> pytest.MarkDecorator:
    """Mark a test, class or module as needing these of NEEDS."""
    unknown = set(names) - set(NEEDS)
    if unknown:
        raise ValueError(f"{sorted(unknown)}: no such need; there are {sorted(NEEDS)}")
    return pytest.mark.requires(*names)


def need(name: str) -> None:
    """Skip the running test, or the file being imported, unless the machine has this.

    In CI it fails them. The vectors alone may be missing there: a user's clone has none.
    """
    reason = obstacle_of(name)
    if not reason:
        return
    if in_ci() and name != "vectors":
        pytest.fail(f"CI must have {name}, but {reason}", pytrace=False)
    pytest.skip(f"{MARK}{name}: {reason}", allow_module_level=True)


@functools.cache
def obstacle_of(name: str) -> str:
    """Why the machine cannot offer this need, with the cure; "" when it can. Asked once."""
    return NEEDS[name].obstacle()


def in_ci() -> bool:
    """Whether this run may not skip anything."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def summary(skip_reasons: Iterable[str]) -> str:
    """One line on what was skipped for want of a peer and what that leaves unproven; or ""."""
    names = [
        reason.partition(MARK)[2].partition(":")[0] for reason in skip_reasons if MARK in reason
    ]
    parts = [
        f"{NEEDS[name].proves} ({count} skipped; {obstacle_of(name)})"
        for name, count in sorted(Counter(names).items())
    ]
    return "Not proven by this run: " + "; ".join(parts) + "." if parts else ""
