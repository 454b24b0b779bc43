"""A router on a test host: FRRouting with a real neighbour, and vtysh as its users' login shell.

    router = Router(world.host("r1"))          # BGP 65001 on 127.0.0.1 with 65002 on 127.0.0.2
    router.vtysh("show bgp summary")           # as root, at the first
    router.shut(); router.is_shut(); router.is_established()

Users: `look` (vtysh in view mode), `act` (vtysh), `mute` (a shell that says no word), `loud` (one
that never ends) and `slow` (vtysh, once `open_gate` was called). The world key lets them in; `act`
also has the password PASSWORD at port PASSWORD_PORT.
"""

from __future__ import annotations

from tests.world.host import Host
from tests.world.until import until

__all__ = ["NEIGHBOUR", "PASSWORD", "PASSWORD_PORT", "Router"]

NEIGHBOUR = "127.0.0.2"
PASSWORD = "kees-7-dijken"  # noqa: S105 - of a test host that lives for seconds
PASSWORD_PORT = 2222
GATE = "/run/gate"
CONFIG = """\
router bgp {own}
 bgp router-id 10.0.0.{number}
 no bgp ebgp-requires-policy
 neighbor {other} remote-as {others}
 neighbor {other} disable-connected-check
 neighbor {other} port 180{else_}
 neighbor {other} update-source 127.0.0.{number}
 neighbor {other} timers 1 3
 neighbor {other} timers connect 1
"""
# Without zebra: a session between two daemons needs no route of the kernel's.
UNIT = """\
[Service]
ExecStartPre=/usr/bin/install -d -o frr -g frrvty {sockets}
ExecStart=/usr/lib/frr/bgpd -Z -P 0 -l 127.0.0.{number} -p 180{number} \
-f /etc/frr/bgpd{number}.conf -i {sockets}/bgpd.pid --vty_socket {sockets} -z {sockets}/zebra
"""
# As installed: it is watchfrr, as root, that writes what somebody saves.
WATCH = """\
[Service]
ExecStart=/usr/lib/frr/watchfrr --dry -i 1 --vty_socket /run/frr bgpd
"""
SHELLS = {
    "look": "exec /usr/bin/vtysh -u",
    "act": "exec /usr/bin/vtysh",
    "mute": "exec sleep 1000",
    "loud": "exec yes r1",
    "slow": f"cat {GATE} && exec /usr/bin/vtysh",
}


class Router:
    """FRRouting on `host`; its neighbour is a second daemon there."""

    def __init__(self, host: Host) -> None:
        self.host = host
        for number, sockets in ((1, "/run/frr"), (2, "/run/frr-neighbour")):
            other = 3 - number
            text = CONFIG.format(
                own=65000 + number, number=number, other=f"127.0.0.{other}",
                others=65000 + other, else_=other,
            )  # fmt: skip
            host.write(f"/etc/frr/bgpd{number}.conf", text, mode=0o644)
            unit = UNIT.format(number=number, sockets=sockets)
            host.write(f"/etc/systemd/system/bgp{number}.service", unit)
        host.run(["chown", "-R", "frr:frr", "/etc/frr"])
        host.write("/etc/systemd/system/watchfrr.service", WATCH)
        for name, command in SHELLS.items():
            self._user(name, command)
        self.host.run(["mkfifo", "-m", "644", GATE])
        self._second_door()
        host.run(["systemctl", "daemon-reload"])
        host.start("bgp1.service", "bgp2.service")
        until(self.is_established, what="the two daemons to be neighbours")
        host.start("watchfrr.service")

    def vtysh(self, *commands: str) -> str:
        """Type commands as root; give what was answered."""
        words = [word for command in commands for word in ("-c", command)]
        # Its code is 1 while the daemon is not up yet.
        return self.host.run(["vtysh", *words], check=False).stdout

    def shut(self) -> None:
        """Shut the neighbour down, as somebody did who then forgot it."""
        self.vtysh("configure terminal", "router bgp 65001", f"neighbor {NEIGHBOUR} shutdown")

    def is_shut(self) -> bool:
        """Whether the router calls the neighbour shut down."""
        return "Administratively shut down" in self.vtysh(f"show bgp neighbors {NEIGHBOUR}")

    def is_established(self) -> bool:
        """Whether routes are exchanged."""
        return "BGP state = Established" in self.vtysh(f"show bgp neighbors {NEIGHBOUR}")

    def await_slow(self) -> None:
        """Wait until `slow` has logged in and stands at the gate."""
        waits = ["pgrep", "-u", "slow", "-x", "cat"]
        until(lambda: self.host.run(waits, check=False).returncode == 0, what="slow at the gate")

    def open_gate(self) -> None:
        """Let `slow` come to a prompt."""
        self.host.run(["sh", "-c", f": >{GATE}"])

    def _user(self, name: str, command: str) -> None:
        shell = f"/usr/local/bin/{name}-shell"
        self.host.write(shell, f"#!/bin/sh\n{command}\n", mode=0o755)
        self.host.run(["useradd", "-m", "-s", shell, "-G", "frrvty", "-p", "*", name])
        home = f"/home/{name}/.ssh"
        self.host.run(["cp", "-r", "/root/.ssh", home])
        self.host.run(["chown", "-R", f"{name}:{name}", home])

    def _second_door(self) -> None:
        self.host.run(["chpasswd"], given=f"act:{PASSWORD}\n")
        options = [
            "-p",
            str(PASSWORD_PORT),
            "-o",
            "PasswordAuthentication=yes",
            "-o",
            "PidFile=none",
        ]
        self.host.run(["/usr/sbin/sshd", *options])
