"""The executor's socket: who may ask, what may be asked, and every answer.

Each request is a task of its own, so a hanging host delays nobody. Steps go on when the core goes
away. What may be done is decided in intents.py, how in steps.py and hosts.py.
"""

import asyncio
import contextlib
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from monitord import __version__, wire
from monitord.clock import Clock
from monitord.errors import (
    ConfigError,
    MonitordError,
    NotBegunError,
    RefusedByExecutorError,
    SecretError,
    StoreError,
    TransportError,
)
from monitord.executor import scripts
from monitord.executor.answers import Answer
from monitord.executor.catalogs import Catalogs
from monitord.executor.hosts import Hosts
from monitord.executor.intents import Grant, Intent, grant, must_not_be_halted, read_intent
from monitord.executor.steps import Steps
from monitord.executor.store import Rows
from monitord.log import get_logger
from monitord.model.catalog import Catalog, Host
from monitord.model.facts import Section
from monitord.model.ids import CheckKey, StepId
from monitord.model.kinds import DeviceProbe, Kinds, PluginProbe, ScriptProbe, Target
from monitord.transports.facts_json import facts_to_json, plugin_to_json

log = get_logger(__name__)

Message = dict[str, Any]
Send = Callable[[Message], None]
_CREDENTIALS = struct.Struct("3i")  # struct ucred of unix(7): pid, uid, gid
_NEVER = "monitord-web"  # strangers talk to it
_TYPES: Mapping[type[Exception], str] = {
    NotBegunError: "not-begun",
    RefusedByExecutorError: "refused",
    TransportError: "transport",
    ConfigError: "config",
    SecretError: "secret",
    StoreError: "store",
}


class Server:
    """Everything that the core may ask, on one socket."""

    def __init__(
        self,
        catalogs: Catalogs,
        hosts: Hosts,
        rows: Rows,
        state: Path,
        kinds: Kinds,
        clock: Clock,
        *,
        identity: str,
    ) -> None:
        self._catalogs, self._hosts, self._rows = catalogs, hosts, rows
        self._state, self._kinds, self._clock = state, kinds, clock
        self._identity = identity
        self._steps = Steps(hosts, state, clock)
        self._running: dict[StepId, asyncio.Task[Answer]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked: Mapping[str, Callable[[Message, Send], Awaitable[Any]]] = {
            "hello": self._hello,
            "load": self._load,
            "parse": self._parse,
            "facts": self._facts,
            "plugin": self._plugin,
            "run": self._run,
            "adopt": self._adopt,
            "kill": self._kill,
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it ends; its unfinished steps go on without it."""
        peer = writer.get_extra_info("socket")
        if not may_ask(peer):
            log.warning("a peer was turned away: not root, not our user, not in our group")
            writer.close()
            return
        send = partial(_send, writer)
        with contextlib.suppress(ValueError, OSError):  # a broken peer ends its own connection
            while (message := await wire.read_frame(reader)) is not None:
                task = asyncio.create_task(self._answer(message, send))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                await writer.drain()
        writer.close()

    async def _answer(self, message: Message, send: Send) -> None:
        number, what = message.get("id"), message.get("do")
        try:
            ask = self._asked.get(str(what), self._nothing)
            send({"id": number, "ok": await ask(message, send)})
        except MonitordError as error:
            send({"id": number, "error": as_error(error)})
        except Exception as error:
            log.exception("a request failed", do=what)
            text = f"a bug of the executor: {error!r} (its log has the traceback)"
            send({"id": number, "error": {"type": "bug", "text": text, "cause": "executor"}})

    async def _nothing(self, message: Message, _send: Send) -> Message:
        raise RefusedByExecutorError(f"{message.get('do')!r} cannot be asked")

    # -- content -----------------------------------------------------------------------------------

    async def _hello(self, _message: Message, _send: Send) -> Message:
        newest = self._catalogs.newest
        return {"version": __version__, "catalog": newest.hash if newest else ""}

    async def _load(self, message: Message, _send: Send) -> Message:
        return {"hash": await self._catalogs.load(str(message.get("hash", "")))}

    async def _parse(self, _message: Message, _send: Send) -> Message:
        return await self._catalogs.parse()

    def _catalog(self) -> Catalog:
        if self._catalogs.newest is None:
            raise RefusedByExecutorError("no catalog is loaded here yet (send load first)")
        return self._catalogs.newest

    def _host(self, name: object) -> Host:
        host = self._catalog().hosts.get(str(name))
        if host is None:
            raise RefusedByExecutorError(f"host {name!r} is not in the catalog")
        return host

    # -- looking -----------------------------------------------------------------------------------

    async def _facts(self, message: Message, _send: Send) -> Message:
        sections = tuple(Section(str(name), tuple(args)) for name, args in message["sections"])
        host = self._host(message.get("host"))
        try:
            facts = await self._hosts.facts(host, sections, float(message["timeout"]))
        except ValueError as error:
            raise RefusedByExecutorError(str(error)) from None
        return facts_to_json(facts)

    async def _plugin(self, message: Message, _send: Send) -> Message:
        check = self._catalog().checks.get(CheckKey(str(message.get("check"))))
        kind = self._kinds.probes.get(check.kind) if check else None
        if check is None or not isinstance(kind, PluginProbe | ScriptProbe | DeviceProbe):
            raise RefusedByExecutorError(f"{message.get('check')!r} is not a plugin's check")
        host, seconds = self._catalog().hosts[check.host], float(message["timeout"])
        if isinstance(kind, DeviceProbe):
            command = kind.command(check.spec)
            return plugin_to_json(await self._hosts.devices.look(host, command, seconds))
        target = Target(host.name, host.address, {}, seconds)
        if isinstance(kind, ScriptProbe):
            asked = kind.script(check.spec, target)
            since = None if kind.since is None else scripts.word(message.get("since"))
            return plugin_to_json(await scripts.run(self._hosts, host, asked, seconds, since))
        argv = kind.command(check.spec, target)
        return plugin_to_json(await self._hosts.plugin(argv, seconds))

    # -- acting ------------------------------------------------------------------------------------

    async def _intent(self, message: Message) -> Intent:
        number = StepId(int(message["step"]))
        name = f"{self._catalog().settings.instance}-{self._identity}"
        return await self._rows.read(partial(read_intent, step_id=number, name=name))

    async def _run(self, message: Message, send: Send) -> Answer:
        if int(message["step"]) in self._running:
            raise RefusedByExecutorError(f"step {message['step']} is running (ask to adopt it)")
        again = partial(self._leave, message)
        leave = await again()
        # The store was read meanwhile: the same step may have been asked for twice.
        if leave.intent.step.id in self._running:
            raise RefusedByExecutorError(f"step {message['step']} is running (ask to adopt it)")
        work = self._steps.run(leave, _teller(leave.intent, send), again)
        return await self._go_on(leave.intent, work)

    async def _leave(self, message: Message) -> Grant:
        must_not_be_halted(self._state)
        try:
            intent = await self._intent(message)
            catalog = self._catalogs.of(intent.attempt.catalog)
            return grant(intent, catalog, self._kinds.actions, self._clock.now())
        except RefusedByExecutorError as error:
            raise NotBegunError(str(error)) from error

    async def _adopt(self, message: Message, send: Send) -> Answer:
        number = StepId(int(message["step"]))
        known = self._running.get(number)
        if known is not None:
            return await asyncio.shield(known)
        intent = await self._intent(message)
        work = self._steps.adopt(intent, self._acting_host(intent), _teller(intent, send))
        return await self._go_on(intent, work)

    def _acting_host(self, intent: Intent) -> Host:
        """Give the host as the attempt knew it, or as it is known now after a restart."""
        try:
            hosts = self._catalogs.of(intent.attempt.catalog).hosts
        except RefusedByExecutorError:
            hosts = self._catalog().hosts
        host = hosts.get(intent.step.target)
        if host is None:
            raise RefusedByExecutorError(f"{intent.step.target} is no longer in the catalog")
        return host

    async def _go_on(self, intent: Intent, work: Any) -> Answer:
        """Have a step's work go on even when whoever asked goes away."""
        task = asyncio.ensure_future(work)
        self._running[intent.step.id] = task
        task.add_done_callback(lambda _: self._running.pop(intent.step.id, None))
        answer: Answer = await asyncio.shield(task)
        return answer

    async def _kill(self, message: Message, _send: Send) -> Message:
        intent = await self._intent(message)
        await self._steps.kill(intent, self._acting_host(intent))
        return {}


def as_error(error: MonitordError) -> Message:
    """Give an error as the wire carries it; `type` is one of `_TYPES`."""
    kind = next((name for cls, name in _TYPES.items() if isinstance(error, cls)), "refused")
    return {"type": kind, "text": str(error), "cause": str(getattr(error, "cause", "executor"))}


def _teller(intent: Intent, send: Send) -> Callable[[], None]:
    return partial(send, {"event": "started", "step": intent.step.id})


def _send(writer: asyncio.StreamWriter, message: Message) -> None:
    if not writer.is_closing():
        writer.write(wire.pack(message))


def may_ask(peer: socket.socket) -> bool:
    """Tell whether the peer is root, our own user, or of the group that owns the socket.

    The user of monitord-web is of the group for the core's sake, and has nothing to ask here.
    """
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, gid = _CREDENTIALS.unpack(raw)
    if uid in {0, os.geteuid()}:
        return True
    name = ""
    with contextlib.suppress(KeyError):
        name = pwd.getpwuid(uid).pw_name
    if name == _NEVER:
        return False
    group = Path(str(peer.getsockname())).stat().st_gid
    return gid == group or (name != "" and group in os.getgrouplist(name, gid))
