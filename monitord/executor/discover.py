"""Looks at named addresses and proposes checks: open ports, TLS, titles, and facts where we log in.

It connects to the ports of services that it knows and asks a web server for its first page; nothing
else is sent, and nobody is logged in whom the configuration does not log in. What hosts say is
hostile text.
"""

import asyncio
import contextlib
import ipaddress
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from monitord.errors import CommandRefusedError, MonitordError
from monitord.executor.hosts import Hosts
from monitord.model.catalog import Host
from monitord.model.facts import Section
from monitord.model.text import one_line

_MOST = 1024  # addresses of one command
_PATIENCE = 2.0  # seconds for a connection, and for an answer
_PAGE = 65_536  # bytes of a first page that are looked at
_FACTS = 20.0  # seconds
_TITLE = re.compile(rb"<title[^>]{0,200}>([^<]{0,200})<", re.IGNORECASE)
WEB = frozenset({80, 8080, 443, 8443})
TLS = frozenset({443, 465, 636, 993, 995, 8443})
PORTS = MappingProxyType(
    {
        21: "ftp", 22: "ssh", 25: "smtp", 53: "dns", 80: "web", 110: "pop3", 143: "imap",
        389: "ldap", 443: "web-tls", 445: "smb", 465: "smtps", 587: "submission", 631: "printing",
        636: "ldaps", 993: "imaps", 995: "pop3s", 2049: "nfs", 3306: "mysql", 3389: "rdp",
        5432: "postgresql", 5672: "amqp", 6379: "redis", 8080: "web-8080", 8443: "web-8443",
        9090: "prometheus", 9200: "elasticsearch", 11211: "memcached", 27017: "mongodb",
    }
)  # fmt: skip
"""The ports that are looked at, and what usually answers there."""
UNITS = (
    "apache2.service", "chrony.service", "cron.service", "docker.service", "haproxy.service",
    "mariadb.service", "mysql.service", "named.service", "nfs-server.service", "nginx.service",
    "postfix.service", "postgresql.service", "rabbitmq-server.service", "redis-server.service",
    "slapd.service", "smbd.service", "ssh.service", "supervisor.service",
)  # fmt: skip
"""The units that are worth a check of their own where they are active."""


@dataclass(slots=True)
class Discovered:
    """What was found at one address. `titles` are first pages by port, cleaned."""

    name: str
    address: str
    ports: list[int] = field(default_factory=list)
    titles: dict[int, str] = field(default_factory=dict)
    units: list[str] = field(default_factory=list)
    mounts: list[str] = field(default_factory=list)
    login: str | dict[str, dict[str, str | int]] = "none"
    notes: list[str] = field(default_factory=list)

    @property
    def looked_inside(self) -> bool:
        """Whether the host itself told something, over `login`."""
        return self.login != "none"


def addresses(text: str) -> list[str]:
    """Give the addresses that a host or network means.

    Raises:
        CommandRefusedError: it is neither, or more than 1024 of them.
    """
    if "/" not in text:
        return [text]
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise CommandRefusedError(f"{text}: {error} (write 10.0.0.0/24)") from error
    if network.num_addresses > _MOST:
        raise CommandRefusedError(
            f"{text} is {network.num_addresses} addresses; at most {_MOST} at once (a /22 of IPv4)"
        )
    return [str(one) for one in network.hosts()] or [str(network.network_address)]


class Scanner:
    """Connects, at most `rate` times a second over all addresses."""

    def __init__(self, rate: int, ports: Sequence[int] = tuple(PORTS)) -> None:
        self._gap, self._ports, self._next = 1 / rate, ports, 0.0
        self._web = asyncio.Semaphore(16)

    async def look(self, name: str, address: str) -> Discovered:
        """Find what answers at an address."""
        found = Discovered(name, address)
        answers = await asyncio.gather(*(self._answers(address, port) for port in self._ports))
        found.ports = [port for port, yes in zip(self._ports, answers, strict=True) if yes]
        for port in found.ports:
            if port in WEB:
                async with self._web:
                    title = await self._title(address, port)
                if title is not None:
                    found.titles[port] = title
        return found

    async def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        self._next = max(self._next + self._gap, loop.time())
        await asyncio.sleep(self._next - loop.time())

    async def _answers(self, address: str, port: int) -> bool:
        await self._turn()
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), _PATIENCE)
        except (OSError, TimeoutError):
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    async def _title(self, address: str, port: int) -> str | None:
        """Give the title of the first page; None: it is no web server that answers."""
        await self._turn()
        try:
            return await asyncio.wait_for(_first_page(address, port), 2 * _PATIENCE)
        except (OSError, TimeoutError, ssl.SSLError):
            return None


async def _first_page(address: str, port: int) -> str | None:
    context = None
    if port in TLS:
        context = ssl.create_default_context()
        context.check_hostname = False  # it is only looked at; the check that is proposed verifies
        context.verify_mode = ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(address, port, ssl=context, limit=_PAGE)
    try:
        host = f"[{address}]" if ":" in address else address
        writer.write(f"GET / HTTP/1.0\r\nHost: {host}\r\nAccept: text/html\r\n\r\n".encode())
        page = b""
        while len(page) < _PAGE and (more := await reader.read(_PAGE - len(page))):
            page += more
    finally:
        writer.close()
    if not page.startswith(b"HTTP/"):
        return None
    match = _TITLE.search(page)
    return one_line(match[1].decode("utf-8", "replace").strip(), 60) if match else ""


async def look_inside(found: Discovered, host: Host, doors: Hosts) -> None:
    """Add what the host's own facts tell, over the login that the configuration gives it."""
    try:
        facts = await doors.facts(host, (Section("disk"), Section("unit", UNITS)), _FACTS)
    except MonitordError as error:
        found.notes.append(one_line(str(error), 300))
        return
    read = host.login.read
    ssh: dict[str, str | int] = {"user": read.user, "port": read.port} if read else {}
    found.login = {"ssh": ssh} if host.login.kind == "ssh" else host.login.kind
    found.mounts = [disk.mount for disk in facts.disks or () if not disk.read_only]
    found.units = [name for name, unit in facts.units.items() if unit.active == "active"]
