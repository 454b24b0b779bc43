"""Whole test hosts: a real systemd as pid 1, a real sshd, an address of their own, in namespaces.

    with World() as world:
        web = world.host("web1", sudoers="monitord ALL=(root) NOPASSWD: ALL")
        web1, db1 = world.hosts("web2", "db1")         # several boot side by side
        web.run(["systemctl", "start", "nginx"])       # as root inside; raises when it fails
        web.write("/etc/nginx/conf.d/x.conf", text); web.read("/etc/hostname")
        web.address                                    # reachable from here, port 22 is open
        with web.ssh(user="monitord") as client: ...   # paramiko, strict about the host key
        web.cut(); web.restore()                       # the network cable
        web.drop(80); web.reject(5432); web.lose(30); web.heal()
        web.filesystem("/srv/data", megabytes=64)      # something small to fill
        web.crash(); web.power_on(); web.reboot()

A host runs over an overlay of this machine's root: the machine's programs are there, and so is a
checkout or a virtual environment, at the same paths; what the host writes is gone with it. /tmp
and /run are its own. `world.key` and `world.known_hosts` are what an SSH client needs; users are
root and `monitord`. Root is required; `World.obstacle()` says what else is missing.

Nothing outlives the world, not even after `kill -9` of the test run (see keep.sh).
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.world import network as net
from tests.world.host import Host, HostError, tool
from tests.world.seed import Identity

__all__ = ["Host", "HostError", "World"]

TOOLS = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "ip": "iproute2",
    "nft": "nftables",
    "sshd": "openssh-server",
    "ssh-keygen": "openssh-client",
    "mkfs.ext4": "e2fsprogs",
}
SYSTEMD = Path("/lib/systemd/systemd")
# When the test run dies, the pipe closes and this takes the network and the folder away.
NETWORK_KEEPER = """
read -r _
# The kernel removes a dead host's cable some time later: the next world must not find its name.
for cable in /sys/class/net/"$1"/brif/*; do ip link delete "${cable##*/}" 2>&-; done
ip link delete "$1"
# A host that is just ending may still write there.
until rm -rf "$2" 2>&-; do sleep 0.05; done
"""


class World:
    """A private network, a key to all its hosts, and the hosts. A context manager.

    `folder` is a temporary folder of its own, gone at the end; `key` and `known_hosts` in it are
    for SSH clients. `network.gateway` is this machine's address as the hosts see it.
    """

    def __init__(self) -> None:
        obstacle = self.obstacle()
        if obstacle:
            raise HostError(f"no test hosts here: {obstacle}")
        self.folder = Path(tempfile.mkdtemp(prefix="monitord-world-"))
        self.network = net.take_network(self.folder.name)
        self._keeper = subprocess.Popen(
            ["sh", "-c", NETWORK_KEEPER, "keeper", self.network.bridge, str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self.key = self.folder / "id_ed25519"
        self.known_hosts = self.folder / "known_hosts"
        self.known_hosts.touch()
        self._hosts: list[Host] = []
        tool(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.key)])
        atexit.register(self.close)

    @staticmethod
    def obstacle() -> str:
        """Why this machine cannot boot test hosts, as a sentence with the cure; "" if it can."""
        if os.geteuid() != 0:
            return "namespaces need root (run as root)"
        if not SYSTEMD.exists():
            return "systemd is not installed (apt-get install systemd)"
        for name, package in TOOLS.items():
            if shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
                return f"{name} is not installed (apt-get install {package})"
        trial = ["unshare", "--mount", "--pid", "--fork", "--net", "--cgroup", "true"]
        done = subprocess.run(trial, capture_output=True, text=True, timeout=10, check=False)
        if done.returncode:
            return f"the kernel refuses new namespaces ({done.stderr.strip()})"
        return ""

    def host(self, name: str, *, sudoers: str = "") -> Host:
        """Boot one host and wait until it runs. `sudoers` becomes a file in its sudoers.d."""
        return self.hosts(name, sudoers=sudoers)[0]

    def hosts(self, *names: str, sudoers: str = "") -> list[Host]:
        """Boot several hosts side by side and wait for all of them; in the order of `names`."""
        public_key = self.key.with_suffix(".pub").read_text(encoding="ascii").strip()
        new = []
        for name in names:
            number = len(self._hosts) + 1
            identity = Identity(name, self.network.address(number), public_key, sudoers)
            host = Host(self, number, identity)
            self._hosts.append(host)
            new.append(host)
        with ThreadPoolExecutor(max_workers=max(1, len(new))) as pool:
            list(pool.map(Host.boot, new))
        with self.known_hosts.open("a", encoding="ascii") as file:
            file.writelines(host.host_key_line() for host in new)
        return new

    def close(self) -> None:
        """Take everything away: hosts, cables, bridge, cgroups, files. May be called twice."""
        atexit.unregister(self.close)
        if self._hosts:
            with ThreadPoolExecutor(max_workers=len(self._hosts)) as pool:
                list(pool.map(Host.close, self._hosts))
        if self._keeper.poll() is None:
            self._keeper.communicate(b"\n", timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
