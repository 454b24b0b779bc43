"""What others told is on the disk when they hear that it was taken, or they hear that it is not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from monitord import inbound_spool
from monitord.engine.core import Core
from monitord.engine.spooled import take_told
from monitord.errors import StoreError
from monitord.model.inbound import Taken, Told
from monitord.model.result import Status
from tests.engine.conftest import at
from tests.engine.test_reloads import House

SITE = """
hosts: {web1: {address: 127.0.0.1, checks: {alerts: {passive: }, site: {tcp: {port: 80}}}}}
inbound: {prom: {kind: alertmanager, token: !secret env:T, hosts: web*}}
"""
BURNS = Told("web1", ("alerts",), Status.CRITICAL, "it burns", at(1), "/srv", alert="a")


class Refusing:
    """A store on a full disk."""

    def write(self, *_: object, **__: object) -> Awaitable[Any]:
        async def refuse() -> None:
            raise StoreError("the disk is full")

        return refuse()


def test_what_the_store_refuses_is_not_called_taken(tmp_path: Path) -> None:
    heard: list[object] = []

    async def full(core: Core) -> None:
        recorder, store = core._recorder, core._recorder._store
        recorder._store = Refusing()  # type: ignore[assignment]  # it only writes
        for _ in range(2):
            with pytest.raises(StoreError, match="tell it again"):
                await core.told("prom", [BURNS])
        recorder._store = store
        heard.append(await core.told("prom", [BURNS]))
        states = await core.store.read(lambda view: view.states())
        heard.extend(state.status for state in states if state.key == "web1/alerts//srv")

    house = House(tmp_path)
    house.write(SITE)
    house.live("{}", {60: full})
    assert heard == [Taken(1, 0), Status.CRITICAL]


@pytest.mark.parametrize(("full", "left"), [(True, 2), (False, 0)])
def test_a_spooled_report_stays_until_it_is_stored(tmp_path: Path, full: bool, left: int) -> None:
    async def take(_source: str, reports: Sequence[Told]) -> Taken:
        if full:
            raise StoreError("the disk is full")
        return Taken(len(reports), 0)

    for second in (1, 2):
        body = {"source": "prom", "reports": [json.loads(json.dumps(asdict(BURNS)))]}
        inbound_spool.spool(tmp_path, body, at(second))
    asyncio.run(take_told(tmp_path, at(9), take))
    assert len(list(tmp_path.glob("*.told"))) == left
