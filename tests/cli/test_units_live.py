"""The three units on a real systemd, in their real cages, under their real users."""

from __future__ import annotations

import json
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.executor.test_peers import ASK
from tests.world.hosts import Host, World
from tests.world.needs import need, requires
from tests.world.until import until

pytestmark = requires("hosts")

ROOT = Path(__file__).parents[2]
UNITS = ("monitord", "monitord-executor", "monitord-web")
CONFIG = """\
state: /var/lib/monitord
run: /run/monitord
hosts:
  localhost:
    address: 127.0.0.1
    login: local
    checks:
      memory: {every: 1s}
      nightly: {job: {every: 1d}}
"""
LAUNCHER = '#!/bin/sh\nexec /opt/python/bin/python3 -m monitord "$@"\n'
# ProtectHome hides a checkout or a Python below /root or /home: both are shown elsewhere. Where
# monitord is installed as docs/operations.md says, none of this is needed.
DROP_IN = f"""\
[Service]
BindReadOnlyPaths={ROOT}:/opt/src
BindReadOnlyPaths={sysconfig.get_path("purelib")}:/opt/site
BindReadOnlyPaths={sys.base_prefix}:/opt/python
WatchdogSec=8
Environment=PYTHONPATH=/opt/src:/opt/site PYTHONDONTWRITEBYTECODE=1
Environment=LD_LIBRARY_PATH=/opt/python/lib
"""
HELLO = ["perl", "-e", ASK, "/run/monitord/executor.sock"]


def install(host: Host) -> None:
    """Do what docs/operations.md says, but for the virtual environment."""
    folders = ["/opt/monitord/bin", "/opt/src", "/opt/site", "/opt/python", "/etc/monitord"]
    host.run(["mkdir", "-p", *folders, "/etc/sysusers.d", "/etc/tmpfiles.d"])
    host.write("/opt/monitord/bin/monitord", LAUNCHER, mode=0o755)
    for folder in ("sysusers.d", "tmpfiles.d"):
        text = (ROOT / "systemd" / folder / "monitord.conf").read_text(encoding="utf-8")
        host.write(f"/etc/{folder}/monitord.conf", text)
    for unit in UNITS:
        text = (ROOT / "systemd" / f"{unit}.service").read_text(encoding="utf-8")
        host.write(f"/etc/systemd/system/{unit}.service", text)
        host.run(["mkdir", "-p", f"/etc/systemd/system/{unit}.service.d"])
        host.write(f"/etc/systemd/system/{unit}.service.d/test.conf", DROP_IN)
    host.run(["systemd-sysusers"])
    host.run(["systemd-tmpfiles", "--create", "/etc/tmpfiles.d/monitord.conf"])
    host.run(["useradd", "--groups", "monitord", "kim"])
    host.run(["useradd", "stranger"])
    host.write("/etc/monitord/monitord.yaml", CONFIG, mode=0o640)
    host.run(["chgrp", "-R", "monitord", "/etc/monitord"])
    host.run(["chmod", "750", "/etc/monitord"])
    host.run(["systemctl", "daemon-reload"])


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    need("hosts")
    with World() as world:
        host = world.host("mon1")
        install(host)
        if host.run(["systemctl", "start", *UNITS], check=False).returncode:
            units = [f"--unit={unit}" for unit in UNITS]
            pytest.fail(host.run(["journalctl", "--no-pager", *units]).stdout)
        yield host


def ask(host: Host, route: str, user: str = "root", body: str = "") -> dict[str, Any]:
    """Ask the core as a user."""
    url = ["--unix-socket", "/run/monitord/core.sock", f"http://monitord{route}"]
    more = ["--data", body] if body else []
    done = host.run(["runuser", "-u", user, "--", "curl", "-sS", *more, *url], check=False)
    found: dict[str, Any] = json.loads(done.stdout) if done.stdout else {"down": done.stderr}
    return found


def test_all_three_say_that_they_are_ready(host: Host) -> None:
    for unit in UNITS:
        assert host.is_active(unit)
        shown = host.run(["systemctl", "show", unit, "--property=StatusText,User,NRestarts"]).stdout
        assert f"User={unit}" in shown
        assert "NRestarts=0" in shown
        assert "StatusText=\n" not in shown


def test_checks_run_through_the_cages_of_both_core_and_executor(host: Host) -> None:
    def judged() -> bool:
        rows = ask(host, "/v1/checks")["checks"]
        return any((row["check"], row["status"]) == ("memory", "OK") for row in rows)

    until(judged, within=30, what="an OK of localhost/memory")
    assert ask(host, "/v1/status")["executor"] is True


def test_the_group_commands_by_name_and_a_stranger_does_not_get_in(host: Host) -> None:
    body = '{"selector": "localhost/memory", "reason": "x", "expires": "2100-01-01T00:00:00Z"}'
    assert ask(host, "/v1/ack", "kim", body)["order"]["by"] == "kim"
    assert "down" in ask(host, "/v1/ack", "stranger", body)


def test_web_pings_and_may_not_command(host: Host) -> None:
    (job,) = ask(host, "/v1/jobs")["jobs"]
    url = f"http://127.0.0.1:9750{job['ping']}/3"
    assert host.run(["curl", "-sS", "--data", "no space", url]).stdout == "OK\n"
    record = ask(host, "/v1/jobs")["jobs"][0]["record"]
    assert (record["exit_code"], record["output"]) == (3, "no space")
    assert "may not do this" in ask(host, "/v1/reload", "monitord-web", "{}")["error"]["text"]


def test_a_ping_is_kept_while_the_core_is_down_and_taken_when_it_is_back(host: Host) -> None:
    ping = ask(host, "/v1/jobs")["jobs"][0]["ping"]
    host.run(["systemctl", "stop", "monitord"])
    answer = host.run(["curl", "-sS", f"http://127.0.0.1:9750{ping}/7"]).stdout
    assert answer == "kept until the core is back\n"
    assert host.is_active("monitord-executor")
    assert host.exists("/run/monitord/executor.sock")
    host.run(["systemctl", "start", "monitord"])

    def taken() -> bool:
        return bool(ask(host, "/v1/jobs")["jobs"][0]["record"]["exit_code"] == 7)

    until(taken, within=30, what="the spooled report")


def test_others_can_read_neither_database_nor_secret_nor_configuration(host: Host) -> None:
    for path in ("/var/lib/monitord/state.db", "/var/lib/monitord/secret", "/etc/monitord"):
        done = host.run(["runuser", "-u", "stranger", "--", "cat", path], check=False)
        assert done.returncode != 0
        assert "Permission denied" in done.stderr
    modes = host.run(["stat", "-c", "%a", "/var/lib/monitord/state.db", "/run/monitord/core.sock"])
    assert modes.stdout.split() == ["640", "660"]


def inside_web(host: Host, *argv: str) -> tuple[int, str]:
    """Run a command with what the process of monitord-web sees, as its user and group."""
    shown = host.run(["systemctl", "show", "monitord-web", "--property=MainPID", "--value"]).stdout
    user = ["setpriv", "--reuid=monitord-web", "--regid=monitord", "--init-groups"]
    done = host.run(
        ["nsenter", f"--target={shown.strip()}", "--mount", "--", *user, *argv], check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_web_sees_of_the_state_folder_what_it_needs_and_cannot_open_the_database(
    host: Host,
) -> None:
    path = "/var/lib/monitord/state.db"
    # By its rights it could: the group may read. What keeps it from it is the unit.
    assert host.run(["runuser", "-u", "monitord-web", "--", "test", "-r", path]).returncode == 0
    code, said = inside_web(host, "cat", path)
    assert (code, "No such file or directory" in said) == (1, True)
    _, there = inside_web(host, "ls", "/var/lib/monitord")
    assert set(there.split()) <= {"inventory", "secret", "spool"}
    assert inside_web(host, "test", "-r", "/var/lib/monitord/secret")[0] == 0
    # Nor does the executor answer it, which does for others of the group.
    assert host.run(["runuser", "-u", "kim", "--", *HELLO]).stdout.startswith("answered ")
    assert inside_web(host, *HELLO) == (0, "")
    for folder in ("/var/lib/monitord", "/run/monitord", "/etc/monitord"):
        assert (folder, inside_web(host, "touch", f"{folder}/mine")[0]) == (folder, 1)
    health = host.run(["curl", "-sS", "http://127.0.0.1:9750/healthz"]).stdout
    assert health == '{"web":true,"core":true}'


def test_a_core_that_stands_still_is_started_again(host: Host) -> None:
    before = ask(host, "/v1/status")["epoch"]
    host.run(["systemctl", "kill", "--kill-whom=main", "--signal=STOP", "monitord"])

    def back() -> bool:
        shown = host.run(["systemctl", "show", "monitord", "--property=NRestarts"]).stdout
        return shown != "NRestarts=0\n" and host.is_active("monitord")

    until(back, within=60, what="the restart of the core")
    assert ask(host, "/v1/status")["epoch"] == before + 1
    assert "watchdog" in host.run(["journalctl", "-u", "monitord", "--no-pager"]).stdout.lower()


def test_a_reload_by_systemd_applies_the_files(host: Host) -> None:
    config = CONFIG + "      load: {every: 1s}\n"
    host.write("/etc/monitord/monitord.yaml", config, mode=0o640)
    host.run(["chgrp", "monitord", "/etc/monitord/monitord.yaml"])
    host.run(["systemctl", "reload", "monitord"])
    until(lambda: ask(host, "/v1/status")["checks"] == 3, within=30, what="the third check")
