"""A real name server: bind9 on 127.0.0.1 and ::1 at one port, each with its own zone file."""

from __future__ import annotations

import socket

from tests.world.process import Peer, find_program, free_port

ZONE = """\
$TTL 60
@ IN SOA ns1.shop.test. root.shop.test. ({serial} 60 60 600 60)
@ IN NS ns1.shop.test.
@ IN NS ns2.shop.test.
ns1 IN A 127.0.0.1
ns2 IN AAAA ::1
www IN A 192.0.2.80
www IN A 192.0.2.81
mail IN CNAME www
@ IN MX 10 Mail.Shop.Test.
@ IN TXT "v=spf1 mx -all"
{more}
"""

ADDRESSES = ("127.0.0.1", "::1")
VIEW = """\
view "v{number}" {{ match-destinations {{ {address}; }};
  zone "shop.test" {{ type primary; file "{folder}/zone{number}"; }};
  zone "lost.test" {{ type primary; file "{folder}/lost{number}"; }}; }};
"""


class Named(Peer):
    """It serves `shop.test` as each address has it; `lost.test` by one server alone."""

    name = "named"

    def __init__(self, *, other_serial: int = 1, other: str = "") -> None:
        super().__init__()
        self.port = free_port()
        self._zone(1, 1, "")
        self._zone(2, other_serial, other)
        for number in (1, 2):
            text = (
                "$TTL 60\n@ IN SOA a b (1 60 60 600 60)\n"
                "@ IN NS here\n@ IN NS gone\nhere IN A 127.0.0.1\ngone IN A 127.0.0.3\n"
            )
            (self.folder / f"lost{number}").write_text(text, encoding="utf-8")
        config = self.folder / "named.conf"
        views = "".join(
            VIEW.format(number=number, address=address, folder=self.folder)
            for number, address in enumerate(ADDRESSES, 1)
        )
        config.write_text(
            f'options {{ directory "{self.folder}"; pid-file none; session-keyfile none; '
            f"listen-on port {self.port} {{ 127.0.0.1; }}; "
            f"listen-on-v6 port {self.port} {{ ::1; }}; "
            "recursion no; dnssec-validation no; };\ncontrols { };\n" + views,
            encoding="utf-8",
        )
        self.argv = [find_program("named") or "named", "-g", "-n", "1", "-c", str(config)]

    def _zone(self, number: int, serial: int, more: str) -> None:
        text = ZONE.format(serial=serial, more=more)
        (self.folder / f"zone{number}").write_text(text, encoding="utf-8")

    def is_ready(self) -> bool:
        """Whether it answers over TCP at both addresses."""
        try:
            for address in ADDRESSES:
                socket.create_connection((address, self.port), timeout=1).close()
        except OSError:
            return False
        return "all zones loaded" in self.log.read_text(encoding="utf-8")
