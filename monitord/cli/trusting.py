"""What `monitord trust` finds out: how a host's key stands, and for which key a source vouches."""

import ipaddress
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitord.errors import CommandRefusedError, MonitordError
from monitord.model.catalog import Host
from monitord.transports import host_keys
from monitord.transports.host_keys import HostKey
from monitord.transports.ssh import Ssh

_SECONDS = 30.0  # to log in to all jump hosts, and again for the keys behind them


@dataclass(frozen=True, slots=True)
class Standing:
    """A host's name in known_hosts, the file that is written, what it knows and the host offers."""

    host: Host
    name: str
    port: int
    file: Path
    known: Sequence[HostKey]
    offered: Sequence[HostKey]

    def row(self) -> dict[str, Any]:
        """Give how it stands, and the command that would change that."""
        if any(key in self.known for key in self.offered):
            return self._told("its key is known", "", trusted=True)
        if self.known:
            return self.changed()
        then = f"monitord trust {self.host.name} --expect SHA256:… (as read on the host's console)"
        return self._told("its key is not known; nothing is trusted by itself", then)

    def changed(self) -> dict[str, Any]:
        """Give the row of a host that shows another key than the one that is known."""
        then = f"monitord trust {self.host.name} --rekey --expect SHA256:… (after a reinstall)"
        return self._told(f"CRITICAL: its key has CHANGED ({self.file} knows another)", then)

    def _told(self, said: str, then: str, *, trusted: bool = False) -> dict[str, Any]:
        shown = [f"{key.kind} {key.fingerprint}" for key in self.offered]
        return {
            "host": self.host.name,
            "trusted": trusted,
            "said": said,
            "keys": shown,
            "next": then,
        }


def look(host: Host) -> Standing:
    """See what is known of a host and what it offers.

    Raises:
        MonitordError: it offers nothing, or a file cannot be read.
    """
    port = host.login.read.port if host.login.read else 22
    name = host_keys.known_name(host.address, port)
    file = Path(host.login.known_hosts or "~/.ssh/known_hosts").expanduser()
    known = host_keys.from_known_hosts(file, name) if file.exists() else []
    if host.login.via:
        with closing(Ssh()) as ssh, ssh.way(host.login.via, _SECONDS) as carrier:
            offered: list[HostKey] = host_keys.keys_through(carrier, host.address, port, _SECONDS)
    else:
        offered = host_keys.keys_offered(host.address, port)
    return Standing(host, name, port, file, known, offered)


@dataclass(frozen=True, slots=True)
class Source:
    """The one thing that vouches for keys, as the person named it."""

    known: Path | None
    ca: Path | None
    listed: Path | None
    expect: str
    sshfp: bool
    unvalidated: bool

    @property
    def word(self) -> str:
        """What the source is called."""
        if self.expect:
            return "the expected fingerprint"
        return str(self.known or self.ca or self.listed or "SSHFP records")

    @property
    def given(self) -> bool:
        """Whether there is any."""
        return bool(self.known or self.ca or self.listed or self.expect or self.sshfp)

    def must_be_one(self) -> None:
        """Refuse two sources at once.

        Raises:
            CommandRefusedError: more than one is named, or a flag without its source.
        """
        named = [self.known, self.ca, self.listed, self.expect, self.sshfp]
        if sum(map(bool, named)) > 1:
            raise CommandRefusedError("name one source: --known-hosts, --ca, --sshfp, …")
        if self.unvalidated and not self.sshfp:
            raise CommandRefusedError("--unvalidated belongs to --sshfp")
        if self.expect and not self.expect.startswith("SHA256:"):
            raise CommandRefusedError(f"--expect {self.expect}: write SHA256:… (ssh-keygen -lf)")

    def vouched(self, host: Host, standing: Standing) -> list[HostKey]:
        """Give the keys that the host offers and the source vouches for.

        Raises:
            MonitordError: the source cannot be read.
        """
        names = [host.name, host.address, standing.name]
        offered = standing.offered
        if self.known:
            there = host_keys.from_known_hosts(self.known, standing.name)
            return [key for key in offered if key in there]
        if self.ca and host.login.via:
            raise CommandRefusedError(
                f"{host.name} is behind a jump host, where certificates are not asked for; use "
                "--known-hosts or --fingerprints"
            )
        if self.ca:
            shown = host_keys.offered(host.address, standing.port, certificates=True)
            certified = host_keys.vouched_by_ca(self.ca, shown, names)
            return [key for key in offered if key in certified]
        if self.sshfp:
            records = published(_dns_name(host), unvalidated=self.unvalidated)
            return [
                key
                for key in offered
                if any(host_keys.record_matches(key, *record) for record in records)
            ]
        prints = {self.expect} if self.expect else host_keys.fingerprints(self.listed, names)  # type: ignore[arg-type] # the last of the sources
        return [key for key in offered if key.fingerprint in prints]

    def refusal(self, host: Host) -> str:
        """Say that the source does not vouch for what the host offers."""
        return f"{host.name} offers no key that {self.word} vouches for; nothing was written"


def _dns_name(host: Host) -> str:
    try:
        ipaddress.ip_address(host.address)
    except ValueError:
        return host.address
    return host.name


def published(name: str, *, unvalidated: bool, resolver: Any = None) -> list[tuple[int, bytes]]:
    """Give the SSHFP records of a name: kind of fingerprint and digest.

    A resolver's word that DNSSEC holds counts only from this machine: on the way from another one
    anybody could have written it.

    Raises:
        MonitordError: there are none, or DNSSEC does not prove them.
    """
    try:
        import dns.exception
        import dns.flags
        import dns.resolver
    except ImportError:
        raise MonitordError("SSHFP needs dnspython: pip install 'monitord[dns]'") from None
    resolver = resolver or dns.resolver.Resolver()
    resolver.use_edns(0, dns.flags.DO, 1232)
    resolver.flags = dns.flags.RD | dns.flags.AD
    try:
        answer = resolver.resolve(name, "SSHFP", lifetime=10)
    except dns.exception.DNSException as error:
        raise MonitordError(f"{name}: no SSHFP records can be had: {error}") from error
    proven = bool(answer.response.flags & dns.flags.AD)
    near = ipaddress.ip_address(answer.nameserver).is_loopback
    if not (unvalidated or (proven and near)):
        why = "does not say that DNSSEC proves them" if near else "is not on this machine"
        raise MonitordError(
            f"{name}: the resolver {answer.nameserver} {why} (use a validating resolver on this "
            "machine, or say --unvalidated)"
        )
    return [(record.fp_type, bytes(record.fingerprint)) for record in answer]
