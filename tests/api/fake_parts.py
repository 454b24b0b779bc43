"""Parts of the fake core: approvals, runbooks, hand-ons, clocks and chains, with given answers."""

# ruff: noqa: ARG002 - monitord.api.ports says what each method is asked

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitord import links
from monitord.engine.levels import Levels
from monitord.errors import CommandRefusedError, NotFoundError
from monitord.model.ids import AttemptId, IncidentId, Instant
from monitord.model.incident import Attempt
from monitord.pings import read_secret
from tests.api.fake_rows import (
    HOSTILE,
)

if TYPE_CHECKING:
    from tests.api.fake_core import FakeEngine


class FakeApprovals:
    """Attempt 1 waits for a yes until it is answered, and so does its link."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine
        self._waits = True
        secret = read_secret(Path(engine.catalog.settings.state))
        self._word = links.word(secret, 1, '{"steps":[]}')

    async def approve(self, number: AttemptId, *, by: str) -> None:
        self._answer(number)
        self._engine.note("approve", attempt=number, by=by)

    async def deny(self, number: AttemptId, *, by: str, reason: str) -> None:
        self._answer(number)
        self._engine.note("deny", attempt=number, by=by, reason=reason)

    async def by_link(self, word: str) -> Attempt:
        found = await self._engine.store.read(lambda view: view.attempt(AttemptId(1)))
        if not self._waits or word != self._word or found is None:
            raise NotFoundError("this link is not valid (any more)")
        return found

    async def show(self, word: str) -> Mapping[str, Any]:
        attempt = await self.by_link(word)
        step = {"phase": "step", "kind": "systemd", "target": "web1", "text": f"<b>{HOSTILE}</b>"}
        return {
            "attempt": attempt.id,
            "runbook": attempt.runbook,
            "key": attempt.key,
            "summary": "no answer within 5 s",
            "until": "2026-11-27T12:15:00Z",
            "plan": [step],
        }

    def _answer(self, number: AttemptId) -> None:
        if number != 1:
            raise NotFoundError(f"there is no attempt {number}; `monitord tickets` tells them")
        if not self._waits:
            raise CommandRefusedError("attempt 1 is RUNNING: only one that waits can be answered")
        self._waits = False


class FakeTrusting:
    """Everything may rise, and nothing can be undone."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    async def promotion(self, name: str, *, by: str) -> Mapping[str, Any]:
        if name != "restart-nginx":
            raise NotFoundError(f"there is no runbook {name}; known are restart-nginx")
        return {
            "runbook": name,
            "mode": "approve",
            "next": "auto",
            "why_not": "",
            "tried": 24,
            "verified": 23,
            "low": 0.798,
            "high": 0.993,
            "shadowed": 0,
            "checks": [
                {"key": "web1/api", "mode": "approve", "next": "approve"},
                {"key": "web1/site", "mode": "approve", "next": "auto"},
            ],
        }

    async def promote(self, name: str, *, by: str, reason: str) -> str:
        self._engine.note("promote", runbook=name, by=by, reason=reason)
        return "auto"

    async def wrong(self, number: AttemptId, *, by: str, reason: str) -> str:
        self._engine.note("wrong", attempt=number, by=by, reason=reason)
        return "restart-nginx has no undo"

    async def standing(self) -> list[dict[str, Any]]:
        row = {"runbook": "restart-nginx", "mode": "approve", "next": "auto"}
        return [{**row, "why_not": "", "broken": ""}]


class FakeHanding:
    """Incident 1 has somebody next."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    async def on(self, number: IncidentId, *, by: str, reason: str) -> Mapping[str, Any]:
        if number != 1:
            raise CommandRefusedError(f"incident {number} has no policy, so nobody is next")
        self._engine.note("next", incident=number, by=by, reason=reason)
        return {"tier": "L2", "people": ["lee"], "vendors": ["acme"]}


class FakeLevels:
    """Notes what is said of incident 1; corrections are the real ones."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine
        real = Levels(engine)  # type: ignore[arg-type] # corrections ask for store, catalog and time
        self.correct, self.revoke = real.correct, real.revoke

    async def pause(
        self, number: IncidentId, *, by: str, reason: str, expires: Instant, vendor: str = ""
    ) -> None:
        self._note("pause", number, by=by, reason=reason, expires=expires, vendor=vendor)

    async def resume(self, number: IncidentId, *, by: str) -> None:
        self._note("unpause", number, by=by)

    async def answered(self, number: IncidentId, *, by: str, vendor: str = "") -> None:
        self._note("answered", number, by=by, vendor=vendor)

    async def deadline(
        self, number: IncidentId, at: Instant | None, *, by: str, whose: str = "", reason: str
    ) -> None:
        self._note("deadline", number, at=at, by=by, whose=whose, reason=reason)

    def _note(self, call: str, number: IncidentId, **facts: object) -> None:
        if number != 1:
            raise NotFoundError(f"no incident {number} is open; `monitord incidents` lists them")
        self._engine.note(call, incident=number, **facts)


CHAIN = "db1/nights"


class FakeChains:
    """Takes orders to the one chain that it knows."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    async def preview(self, name: str, link: str, deed: str) -> Mapping[str, Any]:
        self._must_know(name)
        step = {"phase": "step", "kind": "link", "target": "db1", "text": f"/b/x {link}"}
        return {"chain": name, "link": link, "deed": deed, "plan": [step], "then": ["mail"]}

    async def rerun(self, name: str, link: str, *, by: str, reason: str) -> None:
        self._note("rerun", name, link=link, by=by, reason=reason)

    async def skip(self, name: str, link: str, *, by: str, reason: str) -> None:
        self._note("skip", name, link=link, by=by, reason=reason)

    async def hold(self, name: str, *, on: bool, by: str, reason: str) -> None:
        self._note("hold" if on else "go", name, by=by, reason=reason)

    def _must_know(self, name: str) -> None:
        if name != CHAIN:
            raise NotFoundError(f"there is no chain {name}")

    def _note(self, call: str, name: str, **facts: object) -> None:
        self._must_know(name)
        self._engine.note(call, chain=name, **facts)
