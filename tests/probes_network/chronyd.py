"""A real time server: chronyd on a high port that never touches the machine's clock."""

from __future__ import annotations

import os
import socket

from tests.world.process import Peer, find_program


class Chronyd(Peer):
    """It serves this machine's own time at `stratum`; at 0 it knows no time."""

    name = "chronyd"

    def __init__(self, stratum: int = 3) -> None:
        super().__init__()
        self.port = free_udp_port()
        local = f"local stratum {stratum}\n" if stratum else ""
        config = self.folder / "chrony.conf"
        config.write_text(
            f"port {self.port}\nbindaddress 127.0.0.1\nallow 127.0.0.1\ncmdport 0\n"
            f"bindcmdaddress /\npidfile {self.folder}/pid\n{local}",
            encoding="utf-8",
        )
        user = ["-u", "root"] if os.geteuid() == 0 else ["-U"]
        self.argv = [find_program("chronyd") or "chronyd", "-x", "-d", *user, "-f", str(config)]

    def is_ready(self) -> bool:
        """Whether it answers anything at all."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.2)
            try:
                asking.connect(("127.0.0.1", self.port))
                asking.send(bytes([0x23]) + bytes(47))
                return bool(asking.recv(100))
            except OSError:
                return False


def free_udp_port() -> int:
    """Give a UDP port of 127.0.0.1 that nobody uses at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
