"""What open consoles are sent: a page when something is news, nothing when only numbers moved."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from typing import Any, cast

from monitord.control import Core
from monitord.web.console.board import Board
from monitord.web.console.render import environment
from tests.web.conftest import Web


class _Given:
    """A core that gives one picture after the other."""

    def __init__(self, *pictures: dict[str, Any]) -> None:
        self._pictures = iter(pictures)

    def get(self, _route: str) -> dict[str, Any]:
        return next(self._pictures)


def saying(picture: dict[str, Any], summary: str, status: str = "CRITICAL") -> dict[str, Any]:
    """Give the picture with one bad check on its first host."""
    made = deepcopy(picture)
    bad = {"key": f"{made['hosts'][0]['host']}/site", "status": status, "summary": summary}
    marks = dict.fromkeys(("soft", "flapping", "unreachable", "stale"), False)
    made["hosts"][0] |= {"status": status, "bad": [{**bad, **marks}], "bad_total": 1}
    return made


def test_what_checks_measure_anew_each_time_is_not_sent_to_all_each_time(web: Web) -> None:
    first = web.core.client.get("/v1/now")
    given = _Given(
        saying(first, "answered 503 in 0.9 ms"),
        saying(first, "answered 503 in 12 ms"),
        saying(first, "no answer within 5 s"),
        saying(first, "no answer within 5 s", "WARNING"),
    )

    async def versions() -> list[int]:
        board = Board(cast("Core", given), environment())
        found = []
        for _ in range(4):
            await board._ask()
            found.append(board.version)
        assert "no answer within 5 s" in board.fragment
        return found

    assert asyncio.run(versions()) == [1, 1, 2, 3]


def test_who_follows_is_sent_a_letter_a_host_and_who_opens_the_page_its_cells(web: Web) -> None:
    first = web.core.client.get("/v1/now")
    shown = saying(first, "no answer within 5 s")
    shown["hosts"] = [
        {**shown["hosts"][0], "host": f"h{n:03}", "status": status}
        for n, status in enumerate(("OK", "CRITICAL", "PENDING", "WARNING", "UNKNOWN", "OK"))
    ][::-1]

    async def made() -> tuple[str, str]:
        board = Board(cast("Core", _Given(shown)), environment())
        await board._ask()
        return board.fragment, await board.cells()

    followed, cells = asyncio.run(made())
    assert 'data-states="ocpwuo"' in followed
    assert 'class="cell' not in followed
    assert 'title="h001: CRITICAL">✕</a>' in cells
    assert 'data-states="ocpwuo"' in cells
    assert cells.index("h000:") < cells.index("h001:") < cells.index("h005:")
