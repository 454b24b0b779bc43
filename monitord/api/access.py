"""Who is asking, and what they may: the peer's uid is the person, their groups are their rights.

Root, the daemon's own uid and members of group monitord may command. The two sibling processes are
members too (they must open the socket), so they are named and limited first. Nobody else may
anything. Looking names up may ask a directory server: it is done outside the event loop.
"""

import asyncio
import functools
import grp
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from monitord.errors import MonitordError
from monitord.model.account import Known, Role
from monitord.serving import GROUP, Peer


class Right(StrEnum):
    """What a route needs."""

    READ = "read"
    PING = "ping"
    RESPOND = "respond"  # answer what happens: ack, take, approve, close; and stop everything
    OPERATE = "operate"  # direct the work: mute, maintenance, resume, repair by hand
    ADMIN = "admin"  # change what monitord is: reload, trust in runbooks, users
    LINK = "link"  # answer for an attempt with the word of a signed link
    LOGIN = "login"  # try a password or a one-time link for somebody
    COMMAND = "operate"


_ALL = frozenset(Right)
_NONE: frozenset[Right] = frozenset()
LIMITED: Mapping[str, frozenset[Right]] = MappingProxyType(
    {
        "monitord-web": frozenset({Right.READ, Right.PING, Right.LINK, Right.LOGIN}),
        "monitord-executor": _NONE,
    }
)


_OF_ROLES: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Right.READ}),
        Role.RESPONDER: frozenset({Right.READ, Right.RESPOND}),
        Role.OPERATOR: frozenset({Right.READ, Right.RESPOND, Right.OPERATE}),
        Role.ADMIN: frozenset({Right.READ, Right.RESPOND, Right.OPERATE, Right.ADMIN}),
    }
)


class NotAllowedError(MonitordError):
    """The person may not do this; the text says who may."""


@dataclass(frozen=True, slots=True)
class Person:
    """A peer with a name (`uid:1234` where it has none) and rights; `known` by a login or token."""

    name: str
    rights: frozenset[Right]
    known: Known | None = None


def logged_in(known: Known) -> Person:
    """Give the person that a session or token is of: what the role may, whoever passes it on."""
    return Person(known.name, _OF_ROLES[known.role], known)


def bearer(header: str) -> str:
    """Give the secret of an `Authorization: Bearer …`; empty where there is none."""
    scheme, _, secret = header.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


async def identify(peer: Peer | None) -> Person:
    """Give the person at the other end."""
    if peer is None:
        return Person("nobody", _NONE)
    return await asyncio.to_thread(_look_up, peer)


def _look_up(peer: Peer) -> Person:
    name = _name(peer.uid)
    if name in LIMITED and peer.uid != os.getuid():
        return Person(name, LIMITED[name])
    commands = peer.uid in (0, os.getuid()) or _in_group(name, peer.gid)
    return Person(name, _ALL if commands else _NONE)


@functools.lru_cache(maxsize=256)
def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid:{uid}"


def _in_group(name: str, gid: int) -> bool:
    try:
        group = grp.getgrnam(GROUP).gr_gid
        return group == gid or group in os.getgrouplist(name, gid)
    except (KeyError, OSError):  # no such group here, or no such account: then not a member
        return False


def require(person: Person, right: Right) -> None:
    """Raise NotAllowedError unless the person has the right."""
    if right in person.rights:
        return
    if person.known is not None:
        raise NotAllowedError(
            f"{person.name} is {person.known.role} and may not {right.value};"
            " ask an admin for another role"
        )
    raise NotAllowedError(
        f"{person.name} may not do this here; "
        f"root, the daemon's user and group {GROUP} may: usermod -aG {GROUP} {person.name}"
    )
