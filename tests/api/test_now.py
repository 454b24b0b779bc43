"""What *Now* asks a person for, and what it does not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitord.api import now
from monitord.clock import after
from monitord.decisions.ticket_document import iso
from monitord.model.ids import EPOCH, AttemptId, Instant
from monitord.model.incident import AttemptStatus
from monitord.model.ticket import Order, Verb
from monitord.store import open_store
from tests.api.fake_rows import NOON, STATES, fill, make_catalog


@pytest.mark.parametrize(
    ("verb", "needs", "muted"),
    [(None, 1, 0), (Verb.MUTE, 0, 1), (Verb.MAINTENANCE, 0, 1), (Verb.ACK, 0, 0)],
)
def test_what_is_muted_needs_nobody_and_stays_on_the_page(
    tmp_path: Path, verb: Verb | None, needs: int, muted: int
) -> None:
    store = open_store(tmp_path / "state.db", durable=False)
    store.write_now(fill)
    if verb is not None:
        order = Order(0, verb, "web1/site", "known", "kim", EPOCH, EPOCH, Instant(NOON * 2))
        store.write_now(lambda tx: tx.add_order(order))
    catalog = make_catalog(tmp_path)
    page: dict[str, Any] = store.read_now(
        lambda view: now.document(view, catalog, STATES, (), NOON)
    )
    asyncio.run(store.close())
    kinds = [one["kind"] for one in page["needs"]]
    assert (kinds.count("approve") + kinds.count("answer"), len(page["muted"])) == (needs, muted)
    assert all(one["why"] == "known" for one in page["muted"])


def test_an_approval_is_told_with_the_time_at_which_it_lapses(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state.db", durable=False)
    store.write_now(fill)
    lapses = after(NOON, timedelta(minutes=15))
    store.write_now(
        lambda tx: tx.add_attempt(
            replace(
                tx.attempts()[0],
                id=AttemptId(0),
                status=AttemptStatus.APPROVAL,
                due_at=None,
                deadline=lapses,
            )
        )
    )
    catalog = make_catalog(tmp_path)
    page: dict[str, Any] = store.read_now(
        lambda view: now.document(view, catalog, STATES, (), NOON)
    )
    asyncio.run(store.close())
    (asked,) = [one for one in page["needs"] if one["kind"] == "approve"]
    assert (asked["by"], asked["by_what"]) == (iso(lapses), "lapses to the next tier")
