"""The network of a world: one bridge with an address, one cable (veth pair) per host.

Addresses are 10.99.X.0/24, X taken by making the bridge `mtwX`: the kernel refuses a second one
of that name, so several test runs on one machine never share a network.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

BRIDGE_PREFIX = "mtw"
NETWORKS = 200
FIRST_HOST = 10


class NetworkError(Exception):
    """The kernel refused a link, an address or a packet rule; the text holds its words."""


@dataclass(frozen=True)
class Network:
    """One bridge of ours. `label` is written on it and on its cables (`ip -d link` shows it)."""

    number: int
    label: str

    @property
    def bridge(self) -> str:
        """The name of the bridge."""
        return f"{BRIDGE_PREFIX}{self.number}"

    @property
    def gateway(self) -> str:
        """This machine's address, as the hosts see it."""
        return f"10.99.{self.number}.1"

    @property
    def cidr(self) -> str:
        """All addresses of the network."""
        return f"10.99.{self.number}.0/24"

    def address(self, host_number: int) -> str:
        """Return the address of the host with this number; numbers start at 1."""
        return f"10.99.{self.number}.{FIRST_HOST + host_number}"

    def cable(self, host_number: int) -> str:
        """Return the name of the machine's end of the host's cable."""
        return f"{self.bridge}h{host_number}"


def ip(*arguments: str) -> str:
    """Run the program of that name; return its output or raise NetworkError with its complaint."""
    return _run(["ip", *arguments])


def take_network(label: str) -> Network:
    """Make the first free bridge and give it its address. The caller removes the bridge."""
    complaint = ""
    for number in range(NETWORKS):
        network = Network(number, label)
        try:
            ip("link", "add", "name", network.bridge, "type", "bridge")
        except NetworkError as error:
            complaint = str(error)
            if "File exists" in complaint:
                continue
            break
        ip("address", "add", f"{network.gateway}/24", "dev", network.bridge)
        ip("link", "set", network.bridge, "up", "alias", label)
        return network
    raise NetworkError(f"no bridge for the test hosts: {complaint}")


def plug_in(network: Network, host_number: int, pid: int) -> None:
    """Connect the network namespace of process `pid` to the bridge as its eth0."""
    cable = network.cable(host_number)
    ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    ip("link", "set", cable, "master", network.bridge, "up", "alias", network.label)
    address = f"{network.address(host_number)}/24"
    _run(["nsenter", f"--target={pid}", "--net", "ip", "address", "add", address, "dev", "eth0"])
    _run(["nsenter", f"--target={pid}", "--net", "ip", "link", "set", "eth0", "up"])


def set_cable(network: Network, host_number: int, *, up: bool) -> None:
    """Pull the host's cable at the switch, or plug it in again."""
    ip("link", "set", network.cable(host_number), "up" if up else "down")


def filter_packets(pid: int, rules: list[str]) -> None:
    """Replace the incoming packet rules in the network namespace of `pid` (none = let all in).

    Rules are nftables statements, such as `tcp dport 80 drop`.
    """
    lines = ["table inet world", "delete table inet world", "table inet world {"]
    lines += ["chain incoming {", "type filter hook input priority 0", *rules, "}", "}", ""]
    script = "\n".join(lines)
    _run(["nsenter", f"--target={pid}", "--net", "nft", "-f", "-"], given=script)


def _run(argv: list[str], *, given: str = "") -> str:
    done = subprocess.run(
        argv, input=given, capture_output=True, text=True, timeout=20, check=False
    )
    if done.returncode:
        raise NetworkError(f"{' '.join(argv)}: {done.stderr.strip() or done.returncode}")
    return done.stdout
