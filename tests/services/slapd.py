"""A real OpenLDAP server on high ports, with TLS, a few people, and replication where asked."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.probes_network.authority import Chain
from tests.world.process import Peer, answers, find_program, free_port

SUFFIX = "dc=shop,dc=test"
ADMIN, PASSWORD = f"cn=admin,{SUFFIX}", "wasserturm"
_PEOPLE = f"""
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
o: shop
dc: shop

dn: ou=people,{SUFFIX}
objectClass: organizationalUnit
ou: people

dn: cn=kim,ou=people,{SUFFIX}
objectClass: person
cn: kim
sn: Kim
"""


class Slapd(Peer):
    """`ldap://127.0.0.1:port` with STARTTLS and `ldaps://127.0.0.1:secure`.

    `changed` is when its data last changed (`20260101000000`); empty: now.
    """

    name = "slapd"

    def __init__(self, certificates: Chain, changed: str = "") -> None:
        super().__init__()
        self.port, self.secure = free_port(), free_port()
        data = self.folder / "data"
        data.mkdir()
        config = self.folder / "slapd.conf"
        config.write_text(
            "include /etc/ldap/schema/core.schema\n"
            "modulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload syncprov\n"
            f"pidfile {self.folder}/pid\n"
            f"TLSCertificateFile {certificates.chain}\nTLSCertificateKeyFile {certificates.key}\n"
            "TLSVerifyClient never\n"
            f"database mdb\nsuffix {SUFFIX}\ndirectory {data}\n"
            f"rootdn {ADMIN}\nrootpw {PASSWORD}\noverlay syncprov\n"
            "access to attrs=userPassword by anonymous auth\n"
            "access to * by * read\n",
            encoding="utf-8",
        )
        people, options = _PEOPLE, ["-w"]  # -w: writes the contextCSN of now
        if changed:
            told = f"contextCSN: {changed}.000000Z#000000#000#000000"
            people, options = people.replace("dc: shop\n", f"dc: shop\n{told}\n", 1), []
        self._run("slapadd", *options, "-f", str(config), given=people)
        self.argv = [
            find_program("slapd") or "slapd", "-d", "0", "-f", str(config),
            "-h", f"ldap://127.0.0.1:{self.port}/ ldaps://127.0.0.1:{self.secure}/",
        ]  # fmt: skip

    def is_ready(self) -> bool:
        return answers(self.port) and answers(self.secure)

    def _run(self, program: str, *arguments: str, given: str) -> None:
        argv = [find_program(program) or program, *arguments]
        subprocess.run(
            argv, input=given, text=True, check=True, capture_output=True, cwd=Path(self.folder)
        )
