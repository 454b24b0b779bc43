"""`monitord top` on a screen of its own, over a real control API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from monitord.cli import board
from monitord.cli.screen import Reading, Screen
from tests.api.cores import FakeCore


@pytest.fixture(scope="module")
def core() -> Any:
    with FakeCore(uvloop=True) as running:
        yield running


def play(core: FakeCore, act: Callable[[Screen, Pilot[None]], Awaitable[None]]) -> None:
    async def run() -> None:
        app = Screen(core.client)
        async with app.run_test(size=(120, 30)) as pilot:
            for _ in range(200):
                await pilot.pause(0.05)
                if app.query_one(DataTable).row_count:
                    break
            await act(app, pilot)
            await app.workers.wait_for_complete()

    asyncio.run(run())


def test_the_first_row_is_what_needs_a_person_and_enter_opens_it(core: FakeCore) -> None:
    async def act(app: Screen, pilot: Pilot[None]) -> None:
        assert "1 needs you" in str(app.query_one("#line", Static).render())
        row = app.query_one(DataTable).get_row_at(0)
        assert [str(cell) for cell in row[:3]] == ["ANSWER", "P3", "web1/site"]
        assert str(row[-1]) == "no answer within 5 s", "what is long pushes nothing off the screen"
        await pilot.press("enter")
        for _ in range(100):
            await pilot.pause(0.05)
            if isinstance(app.screen, Reading):
                break
        assert isinstance(app.screen, Reading)

    play(core, act)


def test_an_ack_needs_a_reason_and_goes_to_the_core(core: FakeCore) -> None:
    async def act(app: Screen, pilot: Pilot[None]) -> None:
        await pilot.press("a", "enter")
        await pilot.pause()
        assert core.calls("ack") == []
        await pilot.press("a", *"looking", "enter")
        for _ in range(100):
            await pilot.pause(0.05)
            if core.calls("ack"):
                break
        assert core.calls("ack")[0]["reason"] == "looking"

    play(core, act)


def test_a_filter_leaves_only_rows_with_its_words(core: FakeCore) -> None:
    async def act(app: Screen, pilot: Pilot[None]) -> None:
        await pilot.press("slash", *"disk", "enter")
        for _ in range(100):
            await pilot.pause(0.05)
            if app.query_one(DataTable).row_count == 1:
                break
        row = app.query_one(DataTable).get_row_at(0)
        assert str(row[2]) == "web1/disk//srv"

    play(core, act)


def test_the_first_line_says_the_whole() -> None:
    at = datetime.fromisoformat("2026-11-23T03:20:00+00:00")
    now = {
        "needs": [{"kind": "approve", "by": "2026-11-23T03:30:00+00:00"}],
        "needs_total": 2,
        "repairing": [{}, {}, {}],
        "hidden": ["14 mutes hide 3 CRITICAL"],
        "observe": False,
        "halted": [],
        "freeze": [{"until": "2027-01-06T00:00:00Z"}],
        "fresh": "2026-11-23T03:19:56+00:00",
        "on_call": [{"on": ["kim"], "next": "lee"}],
    }
    assert board.first_line(now, at) == (
        "2 need you (1 approval, 10 min) · 3 repairing · 14 mutes hide 3 CRITICAL · automation on,"
        " freeze to 2027-01-06 · monitor fresh 4 s · on call kim, then lee"
    )


def test_no_text_of_a_target_moves_the_cursor_of_the_terminal(core: FakeCore) -> None:
    def poisoned(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: poisoned(one) for name, one in value.items()}
        if isinstance(value, list):
            return [poisoned(one) for one in value]
        is_time = isinstance(value, str) and value[:2] == "20"
        return f"{value}\x1b]0;x\x07\u202e\r" if isinstance(value, str) and not is_time else value

    now, at = poisoned(core.client.get("/v1/now")), datetime.now().astimezone()
    shown = list(board.lines(now, at))
    assert shown
    for one in shown:
        assert all(part.isprintable() for part in (one.key, one.text, one.since, one.by)), one
    assert board.first_line(now, at).isprintable()
