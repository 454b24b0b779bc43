"""Sixty hosts behind three switches, in network namespaces, and what befalls their cables.

    with Switches(hosts=20, switches=3) as net:     # 20 behind each
        net.switch(1), net.host(1, 7)               # addresses; both answer pings, hosts on port 80
        net.cut(1); net.restore(1)                  # the cable between us and a switch
        net.lose(2, 50); net.delay(0.4)             # percent of frames; seconds, of the last switch
        net.cut_host(1, 7); net.restore_host(1, 7)

Nothing here is on this machine's own network but a bridge, a cable to each switch and a TAP.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.world import network as net

ROOT = Path(__file__).parents[2]
FIRST_SWITCH = 1  # addresses: 10.99.X.2, .3, .4 are switches


class Switches:
    """A bridge of ours, switches on it, and hosts on each. A context manager. Root is required."""

    def __init__(self, *, hosts: int = 20, switches: int = 3) -> None:
        self._each, self._count = hosts, switches
        self.network = net.take_network("switches")
        self._fabric = subprocess.Popen(
            [
                sys.executable, "-m", "tests.world.fabric",
                str(hosts * switches), str(switches), self._cable(switches),
            ],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._fabric.stdout is not None
        pid, *spaces = self._fabric.stdout.readline().split()
        self._spaces = [f"/proc/{pid}/fd/{space}" for space in spaces]
        try:
            self._lay_cables()
        except BaseException:
            self.close()
            raise

    def switch(self, number: int) -> str:
        """Return the address of a switch; numbers start at 1."""
        return f"10.99.{self.network.number}.{FIRST_SWITCH + number}"

    def host(self, switch: int, number: int) -> str:
        """Return the address of the host of this number behind a switch; numbers start at 1."""
        return self.network.address(self._index(switch, number) + 1)

    def cut(self, switch: int) -> None:
        """Pull the cable between us and a switch."""
        net.ip("link", "set", self._cable(switch), "down")

    def restore(self, switch: int) -> None:
        """Plug it in again."""
        net.ip("link", "set", self._cable(switch), "up")

    def cut_host(self, switch: int, number: int) -> None:
        """Pull the cable between a switch and one host."""
        self._in(self._of_switch(switch), f"link set p{number} down")

    def restore_host(self, switch: int, number: int) -> None:
        """Plug it in again."""
        self._in(self._of_switch(switch), f"link set p{number} up")

    def lose(self, switch: int, percent: int) -> None:
        """Drop so many of the frames that a switch takes in or passes on; 0: none."""
        drop = f"numgen random mod 100 < {percent} drop" if percent else ""
        lines = ["table bridge world", "delete table bridge world", "table bridge world {"]
        for hook in ("input", "forward"):
            head = f"type filter hook {hook} priority 0"
            # What finds a neighbour passes: a switch that loses pings is still in the ARP table.
            lines += [f"chain {hook} {{", head, "ether type arp accept", drop, "}"]
        self._run(
            ["nsenter", f"--net={self._of_switch(switch)}", "nft", "-f", "-"],
            "\n".join([*lines, "}", ""]),
        )

    def delay(self, seconds: float) -> None:
        """Hold each frame between us and the last switch so long, in both directions."""
        assert self._fabric.stdin is not None
        self._fabric.stdin.write(f"{seconds}\n")
        self._fabric.stdin.flush()

    def close(self) -> None:
        """Take all of it away. May be called twice."""
        if self._fabric.poll() is None:
            # Cables go at once: the kernel takes a dead namespace's away only some time later.
            ends = [self._cable(switch) for switch in range(1, self._count)]
            for link in (*ends, self.network.bridge):
                subprocess.run(["ip", "link", "delete", link], check=False, timeout=20)
            self._fabric.communicate(timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _cable(self, switch: int) -> str:
        return f"{self.network.bridge}s{switch}"

    def _index(self, switch: int, number: int) -> int:
        return (switch - 1) * self._each + number - 1

    def _of_switch(self, switch: int) -> str:
        return self._spaces[self._each * self._count + switch - 1]

    def _lay_cables(self) -> None:
        bridge = self.network.bridge
        for switch in range(1, self._count + 1):
            space, cable = self._of_switch(switch), self._cable(switch)
            if switch < self._count:  # the last one's is the TAP
                net.ip(
                    "link", "add", cable, "type", "veth", "peer", "name", "uplink", "netns", space
                )
            net.ip("link", "set", cable, "master", bridge, "up")
            ports = range(1, self._each + 1)
            spaces = {port: self._spaces[self._index(switch, port)] for port in ports}
            self._in(
                space,
                "link add br0 type bridge",
                *(
                    f"link add p{port} type veth peer name eth0 netns {spaces[port]}"
                    for port in ports
                ),
                *(
                    f"link set {name} master br0 up"
                    for name in ["uplink", *(f"p{p}" for p in ports)]
                ),
                f"address add {self.switch(switch)}/24 dev br0",
                "link set br0 up",
            )
            for port in ports:
                address = f"address add {self.host(switch, port)}/24 dev eth0"
                self._in(spaces[port], address, "link set eth0 up")

    def _in(self, space: str, *lines: str) -> None:
        self._run(["nsenter", f"--net={space}", "ip", "-batch", "-"], "\n".join([*lines, ""]))

    def _run(self, argv: list[str], given: str) -> None:
        done = subprocess.run(
            argv, input=given, capture_output=True, text=True, timeout=20, check=False
        )
        if done.returncode:
            raise net.NetworkError(f"{argv[-3:]}: {done.stderr.strip()}")
