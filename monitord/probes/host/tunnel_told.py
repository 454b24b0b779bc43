"""Reads what wg and swanctl say of their peers: hostile text to bounded values. It judges nothing.

Sources: wg(8), `show all …`; strongSwan's swanctl(8), --list-conns and --list-sas.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from monitord.probes.host.frames import Answer, number

_CONN = re.compile(r"([^\s:#][^:#]{0,99}): (?:IKEv1|IKEv2|IKEv1/2)\b")
_SA = re.compile(r"([^\s:#][^:#]{0,99}): #\d{1,12}, ([A-Z_]{1,40}),")
_CHILD = re.compile(r"  ([^\s:#][^:#]{0,99}): #\d{1,12}, (?:reqid \d{1,12}, )?([A-Z_]{1,40}),")
_BYTES = re.compile(r"    (in|out) .{0,80}?\b(\d{1,18}) bytes")


@dataclass(slots=True)
class WireguardPeer:
    """One peer: its last handshake (s since 1970; 0: never), bytes, keepalive (s)."""

    interface: str
    key: str
    handshake: int = 0
    received: int = 0
    sent: int = 0
    keepalive: int = 0
    endpoint: str = ""


@dataclass(slots=True)
class IpsecPeer:
    """One connection: the states of its IKE SAs and of their children, bytes of both directions."""

    states: list[str] = field(default_factory=list)
    children: dict[str, str] = field(default_factory=dict)
    received: int = 0
    sent: int = 0


def wireguard(answer: Answer) -> list[WireguardPeer]:
    """Give all peers of all interfaces."""
    peers = {
        (name, key): WireguardPeer(name, key, handshake=number(rest[0]))
        for name, key, rest in _rows(answer, "latest-handshakes", 3)
    }
    for name, key, rest in _rows(answer, "transfer", 4):
        if (peer := peers.get((name, key))) is not None:
            peer.received, peer.sent = number(rest[0]), number(rest[1])
    for name, key, rest in _rows(answer, "persistent-keepalive", 3):
        if (peer := peers.get((name, key))) is not None:
            peer.keepalive = number(rest[0])
    for name, key, rest in _rows(answer, "endpoints", 3):
        if (peer := peers.get((name, key))) is not None and rest[0] != "(none)":
            peer.endpoint = rest[0]
    return list(peers.values())


def _rows(answer: Answer, what: str, columns: int) -> Iterator[tuple[str, str, list[str]]]:
    for line in answer.said(what).splitlines():
        row = line.split("\t")
        if len(row) == columns:
            yield row[0], row[1], row[2:]


def ipsec(answer: Answer) -> Mapping[str, IpsecPeer]:
    """Give every connection that is configured or up."""
    lines = answer.said("conns").splitlines()
    peers = {match[1]: IpsecPeer() for line in lines if (match := _CONN.match(line))}
    here = IpsecPeer()
    for line in answer.said("sas").splitlines():
        if (match := _SA.match(line)) is not None:
            here = peers.setdefault(match[1], IpsecPeer())
            here.states.append(match[2])
        elif (match := _CHILD.match(line)) is not None:
            # While keys are renewed there are two of a name: the better one counts.
            if here.children.get(match[1]) != "INSTALLED":
                here.children[match[1]] = match[2]
        elif (match := _BYTES.match(line)) is not None:
            if match[1] == "in":
                here.received += int(match[2])
            else:
                here.sent += int(match[2])
    return peers
