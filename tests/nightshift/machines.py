"""The machines of the night: a web server and a database server, made by the scripts in hosts/."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.world.host import Host
from tests.world.hosts import World

SCRIPTS = Path(__file__).with_name("hosts")
SUDOERS = "monitord ALL=(root) NOPASSWD: ALL"


@dataclass(frozen=True)
class Machines:
    """A world with the two hosts running; `hosts` by name.

    `names` is what `$name` stands for in configurations and commands: the hosts' addresses, and
    what differs between Debian's releases.
    """

    world: World
    hosts: Mapping[str, Host]
    names: Mapping[str, str]

    def sh(self, where: str, script: str, *, check: bool = True, within: float = 60.0) -> str:
        """Run a shell script as root on a host; give what it printed, without the last newline."""
        host = self.hosts[where]
        done = host.run(["sh", "-s"], given=script, check=check, within=within)
        return done.stdout.rstrip("\n")


@contextlib.contextmanager
def machines() -> Iterator[Machines]:
    """Boot the hosts, put the services on them, and take all away at the end."""
    with World() as world:
        web1, db1 = world.hosts("web1", "db1", sudoers=SUDOERS)
        for folder, megabytes in (("/var/log/app", 64), ("/var/lib/app", 32), ("/srv/data", 16)):
            web1.filesystem(folder, megabytes=megabytes)
        with ThreadPoolExecutor() as pool:
            list(pool.map(_furnish, (web1, db1)))
        version = db1.run(["ls", "/etc/postgresql"]).stdout.strip()
        names = {
            "web1": web1.address,
            "db1": db1.address,
            "cable_web1": world.network.cable(1),
            "cable_db1": world.network.cable(2),
            "ca": str(_authority(world, web1)),
            "known_hosts": str(world.known_hosts),
            "version": version,
            "postgres": f"postgresql@{version}-main",
            "data": f"/var/lib/postgresql/{version}/main",
        }
        yield Machines(world, {"web1": web1, "db1": db1}, names)


def _furnish(host: Host) -> None:
    script = (SCRIPTS / f"{host.name}.sh").read_text(encoding="utf-8")
    host.run(["env", f"ADDRESS={host.address}", "sh", "-s"], given=script, within=120)


def _authority(world: World, host: Host) -> Path:
    """Keep the certificate authority of the web server where clients on this machine find it."""
    path = world.folder / "ca.pem"
    path.write_text(host.read("/etc/nginx/tls/ca.pem"), encoding="ascii")
    return path
