"""Questions to one SNMP agent: single objects and whole tables, bounded; and why it may be silent.

It decides whose fault a failure is: a wrong login is ours (UNKNOWN), a dead agent the target's
(CRITICAL). An agent that does not know a community is silent, as is a dead one; version 3's
discovery (RFC 3414 §4), which needs no login, tells them apart where the agent speaks it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from monitord.errors import SecretError
from monitord.model.kinds import Target
from monitord.model.result import Cause, Result
from monitord.model.text import one_line
from monitord.probes.network.connect import is_literal, patience
from monitord.probes.network.datagram import converse
from monitord.probes.network.latency import show
from monitord.probes.network.resolver import UnreachedError, resolve
from monitord.probes.service.server import RefusedError
from monitord.probes.snmp.engines import drop, engine_for
from monitord.probes.snmp.login import AgentSpec, Login
from monitord.probes.snmp.told import Oid, Told, show_oid, told

UPTIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)
"""sysUpTime.0: hundredths of a second since the agent started."""

Row = tuple[Told | None, ...]

_AT_ONCE = 30  # objects in one question: an answer takes the loop 3 ms, and fits a few packets
_MOST = 8192  # values of one walk: more is no table that we know
_TRY = 0.25  # share of the deadline for each of two tries; the rest is to find out why
_NO_ACCESS = 16  # RFC 3416: authorizationError
_WRONG_LOGIN = {
    "UnknownUserName": "the agent knows no such user",
    "UnknownSecurityName": "the agent knows no such user",
    "WrongDigest": "auth_password or auth is wrong",
    "AuthenticationFailure": "auth_password or auth is wrong",
    "AuthenticationError": "auth_password or auth is wrong",
    "DecryptionError": "priv_password or priv is wrong",
    "UnsupportedSecurityLevel": "the user may not be asked at this level: is priv_password "
    "missing, or is the user defined without encryption?",
    "UnknownCommunityName": "the agent knows no such community",
    "NoSuchContext": "the agent has no such context",
}
# A request of version 3 with no user and no object (RFC 3414 §4); any agent of it must report.
DISCOVERY = bytes.fromhex(
    "3039020103300f02030091c8020205dc040104020103"
    "0410300e0400020100020100040004000400"
    "301104000400a00b0201000201000201003000"
)


class SilentError(UnreachedError):
    """Nothing came back."""


class Talk:
    """The questions of one look at one agent."""

    def __init__(self, engine: Any, login: Login, to: Any, context: str) -> None:
        from pysnmp.hlapi.v3arch import asyncio as library

        self._library = library
        self._common = (engine, _who(login), to, library.ContextData(contextName=context.encode()))

    async def get(self, *oids: Oid) -> list[Told | None]:
        """Give the values of these objects, None where there is none.

        Raises:
            UnreachedError: no answer, or one that refuses.
        """
        found: list[Told | None] = []
        for start in range(0, len(oids), _AT_ONCE):
            asked = oids[start : start + _AT_ONCE]
            binds = await self._ask(self._library.get_cmd, asked)
            if [oid for oid, _ in binds] != list(asked):
                raise UnreachedError("answers with other objects than were asked", Cause.PLUGIN)
            found += [value for _, value in binds]
        return found

    async def walk(self, *columns: Oid) -> dict[Oid, Row]:
        """Give a table by index: the values of these columns, None where a row has none."""
        rows: dict[Oid, list[Told | None]] = {}
        ahead = dict(enumerate(columns))
        count = 0
        while ahead:
            places, asked = list(ahead), tuple(ahead.values())
            repeat = max(1, _AT_ONCE // len(asked))
            binds = await self._ask(self._library.bulk_cmd, asked, 0, repeat)
            for place, (oid, value) in zip(places * repeat, binds, strict=False):
                column = columns[place]
                if place not in ahead:
                    continue
                # One that does not go on would send us in circles.
                if value is None or oid[: len(column)] != column or oid <= ahead[place]:
                    del ahead[place]
                    continue
                ahead[place] = oid
                rows.setdefault(oid[len(column) :], [None] * len(columns))[place] = value
                count += 1
            if not binds:
                break
            if count > _MOST:
                text = f"tells more than {_MOST} values of a table: that is not read"
                raise UnreachedError(text, Cause.PLUGIN)
        return {index: tuple(row) for index, row in rows.items()}

    async def _ask(
        self, command: Any, oids: Sequence[Oid], *numbers: int
    ) -> list[tuple[Oid, Told | None]]:
        library = self._library
        objects = [library.ObjectType(library.ObjectIdentity(oid)) for oid in oids]
        failed, status, at, binds = await command(
            *self._common, *numbers, *objects, lookupMib=False
        )
        if failed:
            raise _failure(failed)
        if int(status) == _NO_ACCESS:
            raise RefusedError("the agent does not let us read this")
        if int(status):
            asked = show_oid(oids[max(0, min(int(at), len(oids)) - 1)])
            text = f"answers with error {one_line(str(status.prettyPrint()), 40)} about {asked}"
            raise UnreachedError(text, Cause.PLUGIN)
        return [(tuple(oid), told(value)) for oid, value in binds]


def _failure(failed: Any) -> UnreachedError:
    name = type(failed).__name__
    if name == "RequestTimedOut":
        return SilentError("no answer")
    if name in _WRONG_LOGIN:
        return RefusedError(_WRONG_LOGIN[name])
    return UnreachedError(f"makes no sense: {one_line(str(failed), 120)}", Cause.PLUGIN)


def _who(login: Login) -> Any:
    from pysnmp.hlapi.v3arch import asyncio as library

    if not login.user:
        return library.CommunityData(login.community, mpModel=1)  # noqa: S508 - version 2c, when told
    auth = {
        "sha": library.USM_AUTH_HMAC96_SHA,
        "sha224": library.USM_AUTH_HMAC128_SHA224,
        "sha256": library.USM_AUTH_HMAC192_SHA256,
        "sha384": library.USM_AUTH_HMAC256_SHA384,
        "sha512": library.USM_AUTH_HMAC384_SHA512,
    }
    priv = {
        "": library.USM_PRIV_NONE,
        "aes": library.USM_PRIV_CFB128_AES,
        "aes192": library.USM_PRIV_CFB192_AES_BLUMENTHAL,
        "aes256": library.USM_PRIV_CFB256_AES_BLUMENTHAL,
        "aes192c": library.USM_PRIV_CFB192_AES,
        "aes256c": library.USM_PRIV_CFB256_AES,
    }
    return library.UsmUserData(
        login.user,
        login.auth_password,
        login.priv_password or None,
        authProtocol=auth[login.auth],
        privProtocol=priv[login.priv],
    )


async def look(
    spec: AgentSpec, target: Target, work: Callable[[Talk], Awaitable[Sequence[Result]]]
) -> Sequence[Result]:
    """Ask an agent within the deadline; tell what fails as one result."""
    host = f"[{target.address}]" if ":" in target.address else target.address
    place = f"{host}:{spec.port}/udp"
    try:
        login = Login.of(spec)
        if login.weak:
            return [Result.unknown(f"{place}: {login.weak}", Cause.MISSING)]
        async with asyncio.timeout(patience(target.timeout)):
            address = target.address
            if not is_literal(address):
                address = (await resolve(address))[0]
            try:
                async with _talk(spec, login, (address, spec.port), target.timeout) as talk:
                    return await work(talk)
            except SilentError:
                raise await _why_silent(login, (address, spec.port), target.timeout) from None
    except SecretError as error:
        return [Result.unknown(f"{place}: {error}", Cause.MISSING)]
    except UnreachedError as error:
        return [error.result(place)]
    except TimeoutError:
        text = f"no end of the answers within {show(target.timeout)}"
        return [Result.critical(f"{place}: {text}")]


@asynccontextmanager
async def _talk(
    spec: AgentSpec, login: Login, to: tuple[str, int], within: float
) -> AsyncIterator[Talk]:
    async with engine_for(login, to) as engine:
        yield Talk(engine, login, _to(to, _TRY * (within or 10.0)), spec.context)


def _to(address: tuple[str, int], wait: float) -> Any:
    from pysnmp.hlapi.v3arch import asyncio as library

    kind = library.Udp6TransportTarget if ":" in address[0] else library.UdpTransportTarget
    # Not its own create(): that looks the address up in a thread, each time.
    target = kind.__new__(kind)
    target.transport_address = (*address, 0, 0) if ":" in address[0] else address
    target.__init__(timeout=wait, retries=1)
    return target


async def _why_silent(login: Login, to: tuple[str, int], within: float) -> UnreachedError:
    """Tell a dead agent from one that does not know us."""
    try:
        async with asyncio.timeout(_TRY * (within or 10.0)):
            await converse(*to, DISCOVERY, lambda said, _: said[:1] == b"\x30" or None, 0, 1.0, 2)
    except UnreachedError as error:
        return error
    except TimeoutError:
        known = "user" if login.user else "community"
        return UnreachedError(
            "no answer: the host is down, a firewall drops UDP, no agent runs, or it does not know "
            f"our {known} or our address"
        )
    if login.user:
        # Or another device stands at this address now: the library asks on for the old one.
        drop(login)
        return RefusedError("the agent lives and is silent to this user: is priv_password wrong?")
    return RefusedError("the agent lives and is silent to this community, or to our address")
