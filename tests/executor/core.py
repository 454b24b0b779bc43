"""The core's part in the tests of the executor: it commits intents to a store and asks.

with Core(folder, hosts="here: …", runbooks={"fix": "steps: …"}) as core:
    step = core.intend("fix")                 # the rows of one attempt, its first step INTENT
    core.ask("run", step=step)["outcome"]     # raises RefusalError for an error
    core.kill(); core.start()                 # the executor, not the step
"""

import itertools
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from monitord import config
from monitord.actions import ACTIONS
from monitord.actions.plan import render_items, to_text
from monitord.model.catalog import Catalog
from monitord.model.effect import to_json
from monitord.model.ids import AttemptId, CheckKey, IncidentId, Instant, StepId
from monitord.model.incident import (
    Attempt,
    AttemptStatus,
    Incident,
    IncidentStatus,
    Phase,
    Step,
    StepStatus,
)
from monitord.model.kinds import Kinds
from monitord.model.result import Status
from monitord.probes import PROBES
from monitord.store import open_store
from monitord.store.contract import Tx
from monitord.wire import pack
from tests.world.until import until

KINDS = Kinds(PROBES, ACTIONS, {})
HERE = "here: {address: 127.0.0.1, login: {local: {act: true}}, checks: {site: &site {load: {}}}}"
START = """\
import sys
from pathlib import Path
from monitord.actions import ACTIONS
from monitord.executor import run
from monitord.model.kinds import Kinds
from monitord.probes import PROBES
config, state = map(Path, sys.argv[1:])
sys.exit(run(config, state=state, run=state, kinds=Kinds(PROBES, ACTIONS, {})))
"""
HOUR = 3_600_000_000


class RefusalError(Exception):
    """What the executor answered instead of doing it."""

    def __init__(self, error: Mapping[str, str]) -> None:
        super().__init__(error["text"])
        self.type, self.cause = error["type"], error["cause"]


class Core:
    """One state folder, its store, and an executor on it."""

    def __init__(
        self,
        folder: Path,
        *,
        hosts: str = "",
        runbooks: Mapping[str, str] | None = None,
        more: str = "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.state = folder / "state"
        self.state.mkdir(mode=0o700)
        self.config = folder / "etc" / "monitord.yaml"
        (folder / "etc" / "remediations").mkdir(parents=True)
        self.env = {**os.environ, **(env or {})}
        self.runbooks = dict(runbooks or {})
        self._text = f"profile: lab\n{more}\nhosts:\n  {hosts or self.here()}\n"
        self.write()
        self.catalog: Catalog = config.load(self.config, KINDS)
        self.store = open_store(self.state / "state.db")
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []
        self._answers: dict[int, Any] = {}
        self.write_store(lambda tx: tx.next_epoch())

    def here(self) -> str:
        """Give this machine as a host whose check has every runbook on its ladder."""
        ladder = json.dumps(list(self.runbooks))
        return (
            "here: {address: 127.0.0.1, login: {local: {act: true}},"
            f" checks: {{site: {{load: {{}}, remediate: {ladder}}}}}}}"
        )

    def write(self) -> None:
        """Write the configuration files."""
        self.config.write_text(self._text, encoding="utf-8")
        for name, text in self.runbooks.items():
            rest = "\nverify: {settle: 1s, oks: 1, within: 1m}\nlimits: {per_incident: 1}\n"
            path = self.config.parent / "remediations" / f"{name}.yaml"
            path.write_text(text + rest + "mode: auto\n", encoding="utf-8")

    # -- the process -------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()
        self.store.close_now()

    @staticmethod
    def argv() -> list[str]:
        """Give the command that is an executor; configuration and state folder follow it."""
        return [sys.executable, "-c", START]

    def start(self) -> None:
        """Start an executor and connect to it."""
        argv = [*self.argv(), str(self.config), str(self.state)]
        log = (self.state / "executor.log").open("ab")
        self.process = subprocess.Popen(argv, env=self.env, stderr=log, start_new_session=True)
        log.close()
        self.connect()

    def connect(self) -> None:
        """Open a new connection, as the core does after it was restarted."""

        def connected() -> bool:
            assert self.process.poll() is None, (self.state / "executor.log").read_text()
            self._socket = socket.socket(socket.AF_UNIX)
            try:
                self._socket.connect(str(self.state / "executor.sock"))
            except OSError:
                self._socket.close()
                return False
            return True

        until(connected, within=20)
        self._socket.settimeout(60)

    def disconnect(self) -> None:
        """Go away, as a core that was killed."""
        self._socket.close()

    def kill(self) -> None:
        """Kill the executor's whole process group at once, as an out-of-memory killer might."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._socket.close()

    def stop(self) -> int:
        """End the executor as systemd does; give its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(20)
        self._socket.close()
        return code

    # -- the wire ----------------------------------------------------------------------------------

    def send(self, do: str, **fields: Any) -> int:
        """Ask without waiting; give the request's number."""
        number = next(self._numbers)
        self._socket.sendall(pack({"id": number, "do": do, **fields}))
        return number

    def answer(self, number: int) -> Any:
        """Wait for an answer; events that come meanwhile are kept in `events`.

        Raises:
            RefusalError: the executor answered with an error.
        """
        while number not in self._answers:
            self._take()
        return self._answers.pop(number)

    def ask(self, do: str, **fields: Any) -> Any:
        """Ask and wait."""
        return self.answer(self.send(do, **fields))

    def await_started(self, step: int) -> None:
        """Wait for the event that a step is on its way; a refusal that comes instead is raised."""
        while {"event": "started", "step": step} not in self.events:
            self._take()

    def _take(self) -> None:
        message = self._frame()
        if "event" in message:
            self.events.append(message)
            return
        if "error" in message:
            raise RefusalError(message["error"])
        self._answers[message["id"]] = message["ok"]

    def _frame(self) -> dict[str, Any]:
        (length,) = struct.unpack(">I", self._exactly(4))
        frame: dict[str, Any] = json.loads(self._exactly(length))
        return frame

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._socket.recv(size - len(data))
            assert more, "the executor closed the connection"
            data += more
        return data

    # -- the rows ----------------------------------------------------------------------------------

    def write_store(self, work: Any) -> Any:
        """Run `work` in a write transaction."""
        import asyncio

        async def write() -> Any:
            return await self.store.write(work)

        return asyncio.run(write())

    def intend(
        self,
        runbook: str,
        *,
        host: str = "here",
        items: tuple[str, ...] = (),
        position: int = 0,
        attempt: Mapping[str, Any] | None = None,
        step: Mapping[str, Any] | None = None,
    ) -> int:
        """Commit an incident, a running attempt and the intent of one step; give the step's id.

        `attempt` and `step` replace columns, to make rows that nobody should execute.
        """
        now = Instant(time.time_ns() // 1000)
        key = CheckKey(f"{host}/site")
        rung = next(r for r in self.catalog.checks[key].remediate if r.runbook == runbook)
        book, target = self.catalog.runbooks[runbook], self.catalog.hosts[host]
        plan = render_items(book, rung, target, items)
        planned = plan[position]
        keys = tuple(f"{key}/{item}" for item in items) or (key,)

        def work(tx: Tx) -> StepId:
            incident = tx.live_incident(key)
            number = incident.id if incident else tx.add_incident(_incident(key, host, keys, now))
            row = Attempt(
                AttemptId(0), number, key, host, runbook, book.hash, self.catalog.hash, "auto",
                AttemptStatus.PLANNED, to_text(plan), (host,), (), now, None,
                Instant(now + HOUR), items=keys,
            )  # fmt: skip
            made = tx.add_attempt(row)
            tx.move_attempt(made, AttemptStatus.PLANNED, AttemptStatus.RUNNING, **(attempt or {}))
            intent = Step(
                StepId(0), made, position, Phase(planned.phase), planned.kind, planned.target,
                to_json(planned.effect), planned.idempotent, StepStatus.INTENT, now,
                Instant(now + int(planned.timeout.total_seconds() * 1e6)),
                epoch=int(tx.meta("epoch") or 0),
            )  # fmt: skip
            return tx.add_step(replace(intent, **(step or {})))

        return int(self.write_store(work))

    def done(self, runbook: str, **given: Any) -> Any:
        """Intend and run one step; give the answer."""
        return self.ask("run", step=self.intend(runbook, **given))


def _incident(key: str, host: str, items: tuple[str, ...], now: Instant) -> Incident:
    return Incident(
        IncidentId(0), key, IncidentStatus.OPEN, Status.CRITICAL, "down", now, now, None,
        items=items, host=host,
    )  # fmt: skip
