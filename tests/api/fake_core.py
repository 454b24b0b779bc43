"""An engine of given answers behind the real control API, on a real socket, over a real store.

    python -m tests.api.fake_core STATE_DIR      # serves STATE_DIR/core.sock until SIGTERM

What it is asked to do it appends to STATE_DIR/calls.jsonl. It is what stands at the process
boundary in tests of the API, the command line and monitord-web; nothing of monitord is replaced.
"""

# ruff: noqa: ARG002 - monitord.api.ports says what each method is asked

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from monitord.api.app import create_app
from monitord.api.ports import Engine
from monitord.clock import SystemClock
from monitord.decisions import selector as selectors
from monitord.decisions.calendars import zone_of
from monitord.decisions.report import month_at
from monitord.engine.accounts import Accounts
from monitord.engine.hearing import Hearing
from monitord.engine.oncall import OnCall
from monitord.engine.problems import Problems
from monitord.engine.trying import Trying
from monitord.errors import CommandRefusedError, ConfigError, NotFoundError, Problem
from monitord.inbound_sources import from_json
from monitord.metrics import Counters
from monitord.model.ids import IncidentId, Instant, StateKey
from monitord.model.inbound import Taken, Told
from monitord.model.kinds import Health
from monitord.model.marker import Marker
from monitord.model.notice import NoticeStatus
from monitord.model.result import Measurement, Result
from monitord.model.state import CheckState
from monitord.model.ticket import Order, Verb
from monitord.passwords import Passwords
from monitord.pings import read_secret
from monitord.serving import listen_unix, serve
from monitord.store import OpenStore, open_store
from monitord.store.contract import Tx
from tests.api.fake_parts import (
    FakeApprovals,
    FakeChains,
    FakeHanding,
    FakeLevels,
    FakeTrusting,
)
from tests.api.fake_rows import (
    HOSTILE,
    NOON,
    STATES,
    by_provider,
    fill,
    fill_seals,
    fill_services,
    make_catalog,
    with_services,
)

WRITTEN = {"setting": "every", "value": "30s", "place": "monitord.yaml:8"}


class FakeOrders:
    def __init__(self, engine: FakeEngine) -> None:
        self._engine, self._orders = engine, 0

    def preview(self, selector: str) -> list[str]:
        parsed = selectors.parse(selector)
        hosts, checks = self._engine.catalog.hosts, self._engine.catalog.checks
        return sorted(
            key
            for key, check in checks.items()
            if selectors.matches(parsed, host=hosts[check.host], check=check.name)
        )

    def _order(self, verb: Verb, selector: str, by: str, reason: str, expires: Instant) -> Order:
        self._orders += 1
        self._engine.note(verb.value, selector=selector, by=by, reason=reason, expires=expires)
        now = self._engine.now()
        return Order(self._orders, verb, selector, reason, by, now, now, expires)

    async def give(
        self,
        verb: Verb,
        selector: str,
        *,
        by: str,
        reason: str,
        expires: Instant,
        starts: Instant | None = None,
        until_ok: bool = False,
        excused: bool = False,
    ) -> Order:
        return self._order(verb, selector, by, reason, expires)

    async def end(
        self, what: int | str, *, by: str, verb: Verb = Verb.HALT, own: bool = False
    ) -> list[Order]:
        if what == 99:
            raise NotFoundError("there is no order 99 in force; `monitord orders` lists them")
        self._engine.note("resume", what=what, by=by, verb=verb, own=own)
        return [Order(1, Verb.HALT, "*", "test", by, NOON, NOON, NOON, ended=NOON, ended_by=by)]


class FakeCommands:
    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    async def close(self, number: IncidentId, *, by: str, reason: str, cure: str = "") -> None:
        if number != 1:
            raise NotFoundError(f"there is no incident {number}; `monitord incidents` lists them")
        self._engine.note("close", incident=number, by=by, reason=reason, cure=cure)

    async def run_check(self, key: str) -> list[Result]:
        if key == "web1/bug":
            raise RuntimeError("a bug of ours")
        if key not in self._engine.catalog.checks:
            raise NotFoundError(f"no check is called {key!r}; the nearest is web1/site")
        return [Result.critical("no answer within 5 s", Measurement("time", 5.0, "s"))]

    async def remediate(
        self, key: str, runbook: str | None, *, dry_run: bool, by: str
    ) -> Mapping[str, Any]:
        if key not in self._engine.catalog.checks:
            raise NotFoundError(f"no check is called {key!r}; the nearest is web1/site")
        self._engine.note("remediate", key=key, runbook=runbook, dry_run=dry_run, by=by)
        step = {"phase": "step", "kind": "systemd", "target": "web1", "text": "systemctl restart"}
        return {
            "key": key,
            "runbook": "restart-nginx",
            "mode": "shadow",
            "plan": [step],
            "problem": "",
            "guards": [
                {"guard": "halt", "ok": True, "reason": ""},
                {"guard": "cooldown", "ok": False, "reason": "ran 3 min ago; again after 10 min"},
            ],
            "started": None if dry_run else 5,
        }

    async def explain(self, key: str, *, written: bool = True) -> Mapping[str, Any]:
        key = "/".join(key.split("/")[:2])  # an item's will do
        if key in self._engine.catalog.services:
            place = {"setting": "sla", "value": "gold", "place": "monitord.yaml:40"}
            return {"key": key, **({"config": [place]} if written else {})}
        if key not in self._engine.catalog.checks:
            raise NotFoundError(f"no check is called {key!r}; the nearest is web1/site")
        return {
            "key": key,
            "kind": "http",
            "means": "customers see an error",
            "by_hand": "look at nginx",
            "incident": 1,
            "state": [{"key": key, "status": "CRITICAL", "hard": "CRITICAL", "summary": HOSTILE}],
            "policy": {"attempts": "3", "recoveries": "2"},
            "reach": [{"key": "web1/reach", "up": True, "text": "answers in 1 ms"}],
            "ladder": [{"runbook": "restart-nginx", "mode": "auto", "from": "restart-nginx.yaml"}],
            "guards": [
                {"guard": "halt", "ok": True, "reason": ""},
                {"guard": "cooldown", "ok": False, "reason": "ran 3 min ago; again after 10 min"},
            ],
            "orders": [
                {
                    "order": 1,
                    "verb": "mute",
                    "by": "kim",
                    "until": "2083-10-24T00:00:00Z",
                    "reason": "known",
                    "means": "no page, still repairs",
                }
            ],
            "inhibition": [],
            **({"config": [WRITTEN]} if written else {}),
        }

    async def forget(self, key: StateKey, *, by: str) -> None:
        if self._engine.state(key) is not None:
            raise CommandRefusedError(f"{key} still reports; remove it from the configuration")
        self._engine.note("forget", key=key, by=by)


class FakeEngine:
    """Answers from a catalog, fixed states and a store; notes what it was told to do."""

    def __init__(self, state: Path, store: OpenStore) -> None:
        self.catalog = by_provider(with_services(make_catalog(state)), state / "oidc.json")
        self.store = store
        self.counters = Counters(started=NOON / 1e6, epoch=7, executor_up=True, checks_run=3)
        self._calls = state / "calls.jsonl"
        self._heard: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self.orders, self.commands = FakeOrders(self), FakeCommands(self)
        self.handing = FakeHanding(self)
        self.approvals = FakeApprovals(self)
        self.trusting = FakeTrusting(self)
        self.oncall = OnCall(self)
        self.problems = Problems(self)
        self.chains = FakeChains(self)
        self.levels = FakeLevels(self)
        self.accounts = Accounts(self, Passwords())
        self.trying = Trying(self)
        self.hearing = Hearing(self)

    def wake(self) -> None:
        """Deliver at once what waits, by mail."""
        self._told = asyncio.ensure_future(self.store.write(_deliver))

    def note(self, call: str, /, **facts: object) -> None:
        """Remember a call and tell the subscribers of it."""
        with self._calls.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"call": call, **facts}) + "\n")
        self._heard.put_nowait(
            {
                "at": NOON,
                "kind": call,
                "incident": facts.get("incident"),
                "text": json.dumps(facts),
            }
        )

    def now(self) -> Instant:
        return SystemClock().now()

    def state(self, key: StateKey) -> CheckState | None:
        return next((state for state in STATES if state.key == key), None)

    def states(self) -> Sequence[CheckState]:
        return STATES

    def health(self) -> Health:
        return Health(0.001, 0, 50_000_000, 20, ())

    async def subscribe(self) -> AsyncIterator[Mapping[str, Any]]:
        while True:
            yield await self._heard.get()

    async def halt_now(self, *, by: str) -> list[str]:
        self.note("halt-now", by=by)
        return ["step 1 on web1 killed"]

    async def reload(self, *, by: str) -> Sequence[str]:
        await self.plan()
        self.note("reload", by=by)
        changed = Path(self.catalog.settings.state) / "sources.json"
        if changed.exists():
            sources = [from_json(each) for each in json.loads(changed.read_text(encoding="utf-8"))]
            self.catalog = replace(self.catalog, inbound={each.name: each for each in sources})
        if (Path(self.catalog.settings.state) / "private").exists():
            settings = self.catalog.settings
            hidden = replace(settings.status, public=False) if settings.status else None
            self.catalog = replace(self.catalog, settings=replace(settings, status=hidden))
        return ["added: web1/load"]

    async def plan(self) -> Sequence[str]:
        if (Path(self.catalog.settings.state) / "broken").exists():
            raise ConfigError([Problem("monitord.yaml", 3, 1, "every: '5' is not a duration")])
        return ["added: web1/load"]

    async def mark(self, text: str, selector: str, *, by: str) -> Marker:
        self.note("mark", text=text, selector=selector, by=by)
        return Marker(3, self.now(), by, selector, text)

    async def told(self, source: str, reports: Sequence[Told]) -> Taken:
        """Note it."""
        if source not in self.catalog.inbound:
            raise NotFoundError(f"there is no inbound source {source}")
        self.note("told", source=source, keys=[f"{r.host}/{r.checks[0]}" for r in reports])
        return Taken(len(reports), 0)

    async def job_event(
        self,
        key: str,
        event: str,
        *,
        exit_code: int | None,
        output: str,
        at: Instant,
        by: str,
    ) -> None:
        self.note("job", key=key, event=event, exit_code=exit_code, output=output, at=at, by=by)


def _deliver(tx: Tx) -> None:
    for one in tx.notices(status=NoticeStatus.PENDING):
        tx.move_notice(one.id, one.status, NoticeStatus.SENT, sent=one.created, told_by="email")


async def _main(state: Path) -> None:
    read_secret(state, create=True)
    store = open_store(state / "state.db")
    if not await store.read(lambda view: view.states()):
        await store.write(fill)
        await store.write(fill_services)
        last = month_at(zone_of("UTC"), SystemClock().now(), back=1)
        await store.write(lambda tx: fill_seals(tx, last))
    engine: Engine = FakeEngine(state, store)
    serving = asyncio.ensure_future(serve(create_app(engine), listen_unix(state / "core.sock")))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    await asyncio.gather(serving, return_exceptions=True)
    await store.close()


if __name__ == "__main__":
    if os.environ.get("FAKE_CORE_UVLOOP"):
        import uvloop

        uvloop.run(_main(Path(sys.argv[1])))
    else:
        asyncio.run(_main(Path(sys.argv[1])))
