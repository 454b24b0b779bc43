"""The store knows when nobody watched."""

import asyncio
import json
from datetime import timedelta

from monitord.clock import after
from monitord.decisions.watched import OUTAGES
from monitord.engine import alive
from monitord.model.ids import Instant
from monitord.store import TEMPORARY, open_store

START = Instant(1_800_000_000_000_000)
MINUTE = timedelta(minutes=1)


def test_a_start_long_after_the_last_sign_of_life_ends_an_outage() -> None:
    store = open_store(TEMPORARY, durable=False)
    try:
        store.write_now(lambda tx: alive.began(tx, START))  # the very first start is none
        store.write_now(lambda tx: alive.beat(tx, after(START, 10 * MINUTE)))
        store.write_now(lambda tx: alive.began(tx, after(START, 12 * MINUTE)))  # a restart is none
        store.write_now(lambda tx: alive.began(tx, after(START, 60 * MINUTE)))
        store.write_now(lambda tx: alive.began(tx, after(START, 90 * MINUTE)))
        known = json.loads(store.read_now(lambda view: view.meta(OUTAGES)) or "[]")
    finally:
        asyncio.run(store.close())
    assert known == [
        [after(START, 12 * MINUTE), after(START, 60 * MINUTE)],
        [after(START, 60 * MINUTE), after(START, 90 * MINUTE)],
    ]
