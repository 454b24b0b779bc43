"""Two real name servers: one serves signed zones and a long answer, one validates what it says.

The validating one trusts the zone's own key. `expired.test` was signed with signatures that have
ended; `plain.test` is not signed.
"""

from __future__ import annotations

import socket
import subprocess

from tests.world.process import Peer, find_program, free_port

_ZONE = """\
$TTL 60
@ IN SOA ns root (1 60 60 600 60)
@ IN NS ns
ns IN A 127.0.0.1
www IN A 192.0.2.80
"""
_LONG = "".join(f'long IN TXT "{number:03d}{"x" * 200}"\n' for number in range(40))
_OPTIONS = (
    'options {{ directory "{folder}"; pid-file none; session-keyfile none; '
    "listen-on-v6 {{ none; }}; listen-on port {port} {{ 127.0.0.1; }}; {more} }};\n"
    "controls {{ }};\n"
)


class Signing(Peer):
    """It has the authority for `signed.test`, `expired.test` and `plain.test`."""

    name = "named-signing"

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        self.keys = {zone: self._sign(zone) for zone in ("signed.test", "expired.test")}
        (self.folder / "plain.test.signed").write_text(_ZONE + _LONG, encoding="utf-8")
        zones = "".join(
            f'zone "{name}" {{ type primary; file "{self.folder}/{name}.signed"; }};\n'
            for name in (*self.keys, "plain.test")
        )
        config = self.folder / "named.conf"
        options = _OPTIONS.format(
            folder=self.folder, port=self.port, more="recursion no; dnssec-validation no;"
        )
        config.write_text(options + zones, encoding="utf-8")
        self.argv = [find_program("named") or "named", "-g", "-n", "1", "-c", str(config)]

    def _sign(self, zone: str) -> str:
        """Sign a zone; gives its key as `trust-anchors` wants it."""
        file = self.folder / zone
        file.write_text(_ZONE, encoding="utf-8")
        made = self._run("dnssec-keygen", "-a", "ECDSAP256SHA256", "-f", "KSK", zone).strip()
        ended = ("-s", "20200101000000", "-e", "20200201000000") if "expired" in zone else ()
        self._run("dnssec-signzone", "-z", "-S", "-P", *ended, "-o", zone, str(file))
        key = (self.folder / f"{made}.key").read_text(encoding="utf-8").splitlines()[-1]
        flags, protocol, algorithm, *rest = key.split("DNSKEY")[1].split()
        return f'"{zone}" static-key {flags} {protocol} {algorithm} "{"".join(rest)}";'

    def _run(self, program: str, *argv: str) -> str:
        found = find_program(program) or program
        done = subprocess.run(
            [found, "-K", str(self.folder), *argv],
            cwd=self.folder, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        return done.stdout

    def is_ready(self) -> bool:
        """Whether it answers over TCP."""
        return _listens(self.port) and "all zones loaded" in self.log.read_text(encoding="utf-8")


class Validating(Peer):
    """A resolver that asks a Signing, and validates what it says."""

    name = "named-validating"

    def __init__(self, of: Signing) -> None:
        super().__init__()
        self.port = free_port()
        forward = f"forward only; forwarders {{ 127.0.0.1 port {of.port}; }};"
        more = f"recursion yes; dnssec-validation yes; empty-zones-enable no; {forward}"
        more += ' validate-except { "plain.test"; };'
        anchors = f"trust-anchors {{ {' '.join(of.keys.values())} }};\n"
        config = self.folder / "named.conf"
        options = _OPTIONS.format(folder=self.folder, port=self.port, more=more)
        config.write_text(options + anchors, encoding="utf-8")
        self.argv = [find_program("named") or "named", "-g", "-n", "1", "-c", str(config)]

    def is_ready(self) -> bool:
        """Whether it answers over TCP."""
        return _listens(self.port)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
