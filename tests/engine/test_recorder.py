"""The recorder loses nothing for one row that cannot be written, and says which one it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import structlog

from monitord.decisions.reach import Reach
from monitord.decisions.state import judge
from monitord.engine.recorder import Recorder
from monitord.metrics import Counters
from monitord.model.ids import StateKey
from monitord.model.result import Result, Status
from monitord.model.state import CheckState, StatePolicy, Transition
from monitord.store import TEMPORARY, OpenStore, open_store
from tests.engine.conftest import at

POLICY = StatePolicy(attempts=1)
UNWRITABLE = replace(CheckState(StateKey("web1/plug")), memory={"seen": {1, 2}})


def failed(key: str) -> tuple[CheckState, tuple[Transition, ...]]:
    state = CheckState(StateKey(key))
    return judge(state, Result.critical("no"), POLICY, at=at(10), reach=Reach.UP)


def record(put: Callable[[Recorder], None]) -> tuple[OpenStore, list[Transition], list[str]]:
    """Let a recorder write what `put` gives it; give the store, the commits and the errors."""
    committed: list[Transition] = []
    store = open_store(TEMPORARY, durable=False)

    async def main() -> None:
        recorder = Recorder(store, Counters(), committed.extend)
        put(recorder)
        await recorder.flush()
        assert (recorder._states, recorder._transitions) == ({}, [])

    with structlog.testing.capture_logs() as logs:
        asyncio.run(main())
    return store, committed, [str(line.get("key")) for line in logs if line["log_level"] == "error"]


def test_one_state_that_cannot_be_written_takes_no_other_with_it() -> None:
    def put(recorder: Recorder) -> None:
        recorder.put(*failed("web1/site"))
        recorder.put(UNWRITABLE, ())
        recorder.put(*failed("web2/site"))

    store, committed, errors = record(put)
    found = store.read_now(lambda view: (view.states(), view.pending_transitions()))
    store.close_now()
    assert [(state.key, state.hard) for state in found[0]] == [
        ("web1/site", Status.CRITICAL),
        ("web2/site", Status.CRITICAL),
    ]
    assert [each.key for each in found[1]] == ["web1/site", "web2/site"]
    assert [each.key for each in committed] == ["web1/site", "web2/site"]
    assert errors == ["web1/plug"]


def test_transitions_are_kept_although_their_state_cannot_be_written() -> None:
    """An incident must open even so."""
    state, transitions = failed("web1/plug")

    def put(recorder: Recorder) -> None:
        recorder.put(replace(state, memory={"seen": {1}}), transitions)

    store, committed, errors = record(put)
    (found,) = store.read_now(lambda view: view.pending_transitions())
    store.close_now()
    assert found.key == "web1/plug"
    assert [each.key for each in committed] == ["web1/plug"]
    assert errors == ["web1/plug"]


def test_a_state_that_has_ended_leaves_no_row() -> None:
    state, transitions = failed("web1/disk")

    def put(recorder: Recorder) -> None:
        recorder.put(state, transitions)
        recorder.erase(state.key, ())

    store, committed, _ = record(put)
    assert store.read_now(lambda view: view.states()) == []
    store.close_now()
    assert [each.key for each in committed] == ["web1/disk"]
