"""The core's end of the executor's socket: asks, waits, reconnects. It decides nothing.

Requests of many checks share one connection; answers come in any order. When the connection is
lost every waiting request ends with ExecutorLostError, and after the reconnect `hello` comes first.
A run is never sent again from here: the stages adopt.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from monitord import __version__, wire
from monitord.engine.ports import StepOutcome
from monitord.errors import (
    CommandRefusedError,
    ExecutorLostError,
    NotBegunError,
    RefusedByExecutorError,
    TransportError,
)
from monitord.log import get_logger
from monitord.metrics import Counters
from monitord.model.facts import Facts, PluginOutput, Section
from monitord.model.ids import StepId
from monitord.model.incident import StepStatus
from monitord.transports.facts_json import (
    facts_from_json,
    plugin_from_json,
)

log = get_logger(__name__)

_AGAIN = 0.5  # seconds between tries to connect
_ASK = 30.0  # seconds for answers that involve no host


class ExecutorClient:
    """One connection, kept for as long as the client runs."""

    def __init__(
        self,
        socket: Path,
        counters: Counters,
        *,
        hello: Callable[[], dict[str, Any]],
        on_connect: Callable[[], None],
    ) -> None:
        self._socket = socket
        self._counters = counters
        self._hello = hello
        self._on_connect = on_connect
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._task: asyncio.Task[None] | None = None
        self._up = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Tell whether it answered hello and can be asked."""
        return self._up.is_set()

    def start(self) -> None:
        """Begin to connect, and to connect again for ever."""
        self._task = asyncio.get_running_loop().create_task(self._keep_connected())

    async def stop(self) -> None:
        """Close the connection; what the executor runs goes on there."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def ready(self, seconds: float) -> bool:
        """Wait until it can be asked, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._up.wait()
        return self.connected

    async def facts(self, host: str, sections: Sequence[Section], deadline: float) -> Facts:
        """Ask for facts of a host."""
        wanted = [[section.name, list(section.args)] for section in sections]
        answer = await self._ask("facts", host=host, sections=wanted, timeout=deadline)
        return facts_from_json(answer)

    async def plugin(self, check: str, deadline: float, since: str = "") -> PluginOutput:
        """Ask for a plugin's run."""
        answer = await self._ask("plugin", check=check, timeout=deadline, since=since)
        return plugin_from_json(answer)

    async def run(self, step: StepId) -> StepOutcome:
        """Have a committed step done."""
        return _outcome(await self._ask("run", step=step))

    async def adopt(self, step: StepId) -> StepOutcome:
        """Learn what became of a step."""
        return _outcome(await self._ask("adopt", step=step))

    async def kill(self, step: StepId) -> None:
        """Have a step's process group killed."""
        await self._ask("kill", step=step)

    async def parse(self) -> dict[str, Any]:
        """Have the configuration parsed in a child of the executor."""
        answer: dict[str, Any] = await self._within("parse")
        return answer

    async def load(self, catalog: str) -> None:
        """Have the executor load the configuration of this hash."""
        await self._within("load", hash=catalog)

    async def _within(self, do: str, **fields: Any) -> Any:
        try:
            async with asyncio.timeout(_ASK):
                return await self._ask(do, **fields)
        except TimeoutError:
            raise ExecutorLostError(
                f"the executor gave no answer to {do} in {_ASK:.0f} s"
            ) from None

    async def _ask(self, do: str, **fields: Any) -> Any:
        if self._writer is None or not self.connected:
            raise ExecutorLostError("the executor is not connected")
        return await self._send(do, fields)

    async def _send(self, do: str, fields: dict[str, Any]) -> Any:
        if self._writer is None:
            raise ExecutorLostError("the executor is not connected")
        self._number += 1
        number = self._number
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._writer.write(wire.pack({"id": number, "do": do, **fields}))
            return await future
        finally:
            self._waiting.pop(number, None)

    async def _keep_connected(self) -> None:
        while True:
            try:
                await self._one_connection()
            except (OSError, ValueError, CommandRefusedError) as error:
                log.debug("executor connection ended", error=str(error))
            finally:
                self._lost()
            await asyncio.sleep(_AGAIN)

    async def _one_connection(self) -> None:
        reader, self._writer = await asyncio.open_unix_connection(str(self._socket))
        reading = asyncio.get_running_loop().create_task(self._read(reader))
        try:
            async with asyncio.timeout(_ASK):
                answer = await self._send("hello", {"version": __version__, **self._hello()})
            if answer.get("version") != __version__:
                log.warning("executor has another version", executor=answer.get("version"))
            if answer.get("catalog") != (wanted := self._hello()["catalog"]):
                await self._same_content(wanted)
            self._up.set()
            self._counters.executor_up = True
            self._counters.executor_reconnects += 1
            self._on_connect()
            await reading
        except (TimeoutError, ExecutorLostError, RefusedByExecutorError) as error:
            raise OSError(str(error)) from error
        finally:
            reading.cancel()
            self._writer.close()

    async def _same_content(self, catalog: str) -> None:
        """Have the executor use our catalog; it refuses when the files have changed since."""
        try:
            async with asyncio.timeout(_ASK):
                await self._send("load", {"hash": catalog})
        except RefusedByExecutorError as error:
            log.warning("executor has other content; repairs wait for a reload", error=str(error))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while (message := await wire.read_frame(reader)) is not None:
            future = self._waiting.get(message.get("id", -1))
            if future is None or future.done():
                continue
            if "ok" in message:
                future.set_result(message["ok"])
            elif "error" in message:
                future.set_exception(_error(message["error"]))

    def _lost(self) -> None:
        self._up.clear()
        self._counters.executor_up = False
        self._writer = None
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(ExecutorLostError("the executor's connection was lost"))


def _outcome(answer: dict[str, Any]) -> StepOutcome:
    word = answer["outcome"]
    if word == "never-started":
        return StepOutcome(StepStatus.UNKNOWN, never_started=True)
    status = {"done": StepStatus.DONE, "failed": StepStatus.FAILED}.get(word, StepStatus.UNKNOWN)
    return StepOutcome(
        status, answer.get("exit_code"), answer.get("output", ""), answer.get("error", "")
    )


def _error(error: dict[str, Any]) -> Exception:
    text = str(error.get("text", "no reason given"))
    match error.get("type"):
        case "transport":
            return TransportError(text, cause=str(error.get("cause", "transport")))
        case "store":
            return ExecutorLostError(text)  # it could not read the intent now: adopt later
        case "not-begun" | "secret":
            return NotBegunError(text)
        case _:
            return RefusedByExecutorError(text)
