"""A real SNMP agent: Debian's snmpd on a high port, which may tell tables that a test writes."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Mapping

from monitord.probes.snmp.talk import DISCOVERY
from tests.probes_network.chronyd import free_udp_port
from tests.world.process import Peer, find_program

COMMUNITY = "kuckuck-77"
USER, AUTH, PRIV = "monitor", "hundert-tage", "kurze-naechte"

# snmpd's pass_persist protocol: PING; then get or getnext and an OID, one a line.
_TELLER = """
import json, sys
told = {tuple(map(int, k.split("."))): v for k, v in json.load(open(sys.argv[1])).items()}
order = sorted(told)
def say(*lines):
    sys.stdout.write("".join(line + "\\n" for line in lines)); sys.stdout.flush()
while True:
    asked = sys.stdin.readline().strip()
    if not asked:
        break
    if asked == "PING":
        say("PONG"); continue
    oid = tuple(map(int, sys.stdin.readline().strip().strip(".").split(".")))
    found = oid if asked == "get" and oid in told else None
    if asked == "getnext":
        found = next((one for one in order if one > oid), None)
    if found is None:
        say("NONE")
    else:
        kind, value = told[found]
        say("." + ".".join(map(str, found)), kind, str(value))
"""

Tables = Mapping[str, tuple[str, object]]


class Snmpd(Peer):
    """It answers COMMUNITY and USER; `tables` are objects by OID, below the subtrees `passed`."""

    name = "snmpd"

    def __init__(
        self, tables: Tables | None = None, passed: tuple[str, ...] = (), engine: str = "one"
    ) -> None:
        super().__init__()
        self.port = free_udp_port()
        self.config = self.folder / "agent.conf"
        lines = [
            f"agentAddress udp:127.0.0.1:{self.port}",
            f"rocommunity {COMMUNITY}",
            f"createUser {USER} SHA-256 {AUTH} AES {PRIV}",
            f"rouser {USER} priv",
            f"engineID {engine}",
            "sysName branch-switch",
            "dontLogTCPWrappersConnects yes",
        ]
        if tables is not None:
            (self.folder / "told.json").write_text(json.dumps(tables), encoding="utf-8")
            teller = self.folder / "teller.py"
            teller.write_text(_TELLER, encoding="utf-8")
            lines += [
                f"pass_persist -p 1 .{tree} {sys.executable} -S {teller} {self.folder}/told.json"
                for tree in passed
            ]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.argv = [
            find_program("snmpd") or "snmpd", "-f", "-C", "-c", str(self.config), "-Lo",
            "-I", "-smux", "-x", str(self.folder / "agentx"), "-p", str(self.folder / "pid"),
        ]  # fmt: skip
        self.environment = {
            "SNMP_PERSISTENT_DIR": f"{self.folder}/kept", "MIBS": "", "PATH": "/usr/bin:/bin",
        }  # fmt: skip

    def is_ready(self) -> bool:
        """Whether it answers version 3's discovery."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.2)
            try:
                asking.connect(("127.0.0.1", self.port))
                asking.send(DISCOVERY)
                return bool(asking.recv(2000))
            except OSError:
                return False
