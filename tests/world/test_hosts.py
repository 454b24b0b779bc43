"""The test hosts themselves: what they promise to the tests that stand on them."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from tests.world.host import Host, HostError, cgroup_root
from tests.world.hosts import World
from tests.world.needs import requires
from tests.world.process import answers
from tests.world.until import until

pytestmark = requires("hosts")
SUDOERS = "monitord ALL=(root) NOPASSWD: /usr/bin/systemctl restart nginx\n"


@pytest.fixture(scope="module")
def pair(module_world: World) -> list[Host]:
    return module_world.hosts("web1", "db1", sudoers=SUDOERS)


def status(host: Host, path: str = "/", within: float = 2) -> int:
    """Return the HTTP status of a page of the host, 0 when there is no answer."""
    connection = http.client.HTTPConnection(host.address, timeout=within)
    with contextlib.closing(connection):
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0


def traces(world: str) -> list[str]:
    """Return all that the world of this name (its folder's) has on this machine now.

    By name, because other test runs come and go beside this one.
    """
    loops = subprocess.run(["losetup", "-a"], capture_output=True, text=True, check=True).stdout
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    lines = [*loops.splitlines(), *mounts.splitlines(), *processes.stdout.splitlines()]
    found = [line for line in lines if world in line]
    links = subprocess.run(["ip", "-d", "link"], capture_output=True, text=True, check=True).stdout
    found += [line for line in links.splitlines() if world in line]
    found += [str(path) for path in Path(tempfile.gettempdir()).glob(f"{world}*")]
    hierarchy = cgroup_root()
    return found + [str(path) for path in hierarchy.glob(f"{world}*")] if hierarchy else found


def test_a_host_is_a_machine_of_its_own(pair: list[Host]) -> None:
    web, db = pair
    assert web.run(["hostname"]).stdout == "web1\n"
    assert db.run(["cat", "/proc/1/comm"]).stdout == "systemd\n"
    assert web.read("/etc/machine-id") != db.read("/etc/machine-id")
    assert web.read("/proc/sys/kernel/random/boot_id") != db.read("/proc/sys/kernel/random/boot_id")
    assert web.run(["systemctl", "is-system-running"]).stdout == "running\n"


def test_it_cannot_touch_the_machine(pair: list[Host], tmp_path: Path) -> None:
    web, _ = pair
    assert not web.exists(str(tmp_path)), "the machine's /tmp is visible inside"
    web.write("/etc/only-inside", "x")
    assert not Path("/etc/only-inside").exists()
    for argv in (["date", "-s", "2030-01-01"], ["sysctl", "-w", "kernel.panic=9"]):
        with pytest.raises(HostError, match=re.escape(repr(argv))):
            web.run(argv)


def test_ssh_lets_root_and_monitord_in_and_knows_the_host_key(pair: list[Host]) -> None:
    web, _ = pair
    for user in ("root", "monitord"):
        with web.ssh(user=user) as client:
            _, out, _ = client.exec_command("id -un; hostname")
            assert out.read().decode().split() == [user, "web1"]


def test_sudo_allows_exactly_what_the_test_gave(pair: list[Host]) -> None:
    web, _ = pair
    with web.ssh(user="monitord") as client:
        for command, code in (
            ("sudo -n systemctl restart nginx", 0),
            ("sudo -n systemctl stop nginx", 1),
        ):
            _, out, _ = client.exec_command(command)
            assert out.channel.recv_exit_status() == code, command


def test_one_host_reaches_another_over_the_network(pair: list[Host]) -> None:
    web, db = pair
    done = db.run(["bash", "-c", f"read -r line </dev/tcp/{web.address}/22; echo $line"])
    assert done.stdout.startswith("SSH-2.0-OpenSSH")


@requires("nginx")
def test_nginx_answers_dies_and_comes_back_by_a_restart(pair: list[Host]) -> None:
    web, _ = pair
    web.start("nginx")
    assert status(web) == 200
    web.run(["systemctl", "kill", "--signal=KILL", "nginx"])
    until(lambda: status(web) == 0, what="nginx to be dead")
    web.run(["systemctl", "restart", "nginx"])
    until(lambda: status(web) == 200, what="nginx to answer again")


def test_a_cut_cable_silences_the_host_until_it_is_restored(pair: list[Host]) -> None:
    web, db = pair
    web.cut()
    try:
        assert not answers(22, web.address)
        assert answers(22, db.address)
    finally:
        web.restore()
    until(lambda: answers(22, web.address), what="web1 to be back")


def test_ports_can_be_refused_and_packets_lost(pair: list[Host]) -> None:
    web, _ = pair
    try:
        web.reject(22)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((web.address, 22), timeout=2)
        web.heal()
        web.lose(100)
        assert not answers(22, web.address)
    finally:
        web.heal()
    assert answers(22, web.address)


@pytest.mark.parametrize("kind", ["ext4", "tmpfs"])
def test_a_small_filesystem_can_be_filled(pair: list[Host], kind: str) -> None:
    _, db = pair
    point = f"/srv/{kind}"
    db.filesystem(point, megabytes=16, kind=kind)
    with pytest.raises(HostError, match="No space left"):
        db.run(["dd", "if=/dev/zero", f"of={point}/big", "bs=1M"])
    db.run(["umount", point])


def test_a_strictly_sandboxed_unit_runs(pair: list[Host]) -> None:
    _, db = pair
    properties = ["DynamicUser=yes", "ProtectSystem=strict", "PrivateTmp=yes", "PrivateDevices=yes"]
    options = [f"--property={each}" for each in [*properties, "SystemCallFilter=@system-service"]]
    db.run(["systemd-run", "--wait", "--quiet", *options, "true"])


def test_a_crash_a_power_cycle_and_a_reboot_keep_address_and_disk(world: World) -> None:
    host = world.host("box")
    host.write("/srv/kept", "yes")
    first_boot = host.read("/proc/sys/kernel/random/boot_id")
    host.crash()
    assert not host.is_on
    assert not answers(22, host.address)
    host.power_on()
    until(lambda: answers(22, host.address), what="sshd after power on")
    host.reboot()
    assert host.read("/srv/kept") == "yes"
    assert host.read("/proc/sys/kernel/random/boot_id") != first_boot


def test_an_unknown_host_key_is_refused(world: World) -> None:
    host = world.host("box")
    world.known_hosts.write_text("", encoding="ascii")
    with pytest.raises(paramiko.SSHException, match="not found in known_hosts"):
        host.ssh()


def test_nothing_is_left_behind() -> None:
    with World() as world:
        for host in world.hosts("a", "b"):
            host.filesystem("/srv/data", megabytes=16)
        # Loop device, keeper, bridge, cable, folder, cgroup: the search does find them.
        assert len(traces(world.folder.name)) >= 6
    assert traces(world.folder.name) == []


@pytest.fixture
def doomed_run() -> Iterator[subprocess.Popen[str]]:
    script = (
        "from tests.world.hosts import World\n"
        "world = World()\n"
        "world.host('a').filesystem('/srv/data', megabytes=16)\n"
        "print(world.folder.name, flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        yield process
        process.kill()


def test_nothing_is_left_behind_by_a_killed_run(doomed_run: subprocess.Popen[str]) -> None:
    assert doomed_run.stdout is not None
    name = doomed_run.stdout.readline().strip()
    assert traces(name)
    os.kill(doomed_run.pid, signal.SIGKILL)
    until(lambda: not traces(name), what="the remains of a killed run to vanish")
