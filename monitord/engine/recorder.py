"""Writes changed states, transitions and what waits to the store, in batches, and wakes the stages.

While the store cannot take rows it keeps them (the newest state of each key, every transition) and
tries again: checking never stops for a full disk. It decides nothing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from monitord.errors import StoreError
from monitord.log import get_logger
from monitord.metrics import Counters
from monitord.model.ids import CheckKey, StateKey
from monitord.model.inbound import Told, Waiting
from monitord.model.state import CheckState, Transition
from monitord.store.contract import Store, Tx

log = get_logger(__name__)

_BATCH = 0.1  # seconds between commits of what is not urgent
_RETRY = 1.0  # seconds before the store is asked again
_PATIENCE = 5.0  # seconds that somebody waits for a commit
_MOST_TRANSITIONS = 100_000  # kept while the store is down; older ones would derive again

States = dict[StateKey, CheckState | None]  # None: the row is to be deleted
Reports = dict[tuple[CheckKey, str, str], Told | None]  # by check, item and alert; None as above


class Recorder:
    """One writer of states. `committed` is called with the transitions of each commit."""

    def __init__(
        self, store: Store, counters: Counters, committed: Callable[[list[Transition]], None]
    ) -> None:
        self._store = store
        self._counters = counters
        self._committed = committed
        self._states: States = {}
        self._transitions: list[Transition] = []
        self._reports: Reports = {}
        self._awaited: list[asyncio.Future[bool]] = []
        self._task: asyncio.Task[None] | None = None
        self._urgent = asyncio.Event()

    def put(self, state: CheckState, transitions: Sequence[Transition]) -> None:
        """Queue a state; with a transition the commit comes at once."""
        self._queue(state.key, state, transitions)

    def erase(self, key: StateKey, transitions: Sequence[Transition]) -> None:
        """Queue the end of a state: its row goes in the commit of its last transitions."""
        self._queue(key, None, transitions)

    def told(self, check: CheckKey, reports: Mapping[tuple[str, str], Told | None]) -> None:
        """Queue what waits of a check by item and alert; None: it does not wait any more.

        It is in the commit of the states that are queued with it: what was believed waits no more.
        """
        for (item, alert), report in reports.items():
            self._reports.pop((check, item, alert), None)  # rows are in the order of their telling
            self._reports[check, item, alert] = report
        self._begin()

    async def flush(self) -> bool:
        """Wait until everything queued by now is committed; False: the store refuses or hangs."""
        if self._task is None or self._task.done():
            return True
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._awaited.append(stored)
        self._urgent.set()
        await asyncio.wait([stored], timeout=_PATIENCE)
        return stored.done() and stored.result()

    def _queue(
        self, key: StateKey, state: CheckState | None, transitions: Sequence[Transition]
    ) -> None:
        self._states[key] = state
        if transitions:
            self._transitions.extend(transitions)
            del self._transitions[:-_MOST_TRANSITIONS]
            self._urgent.set()
        self._begin()

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        while self._states or self._transitions or self._reports or self._awaited:
            if not self._transitions:
                await _first(self._urgent, _BATCH)
            self._urgent.clear()
            states, self._states = self._states, {}
            transitions, self._transitions = self._transitions, []
            reports, self._reports = self._reports, {}
            awaited, self._awaited = self._awaited, []
            try:
                written = await self._store.write(
                    _writer(states, transitions, reports), urgent=True
                )
            except StoreError as error:
                older = {each: reports[each] for each in reports if each not in self._reports}
                self._reports = {**older, **self._reports}
                self._keep(states, transitions, error)
                _answer(awaited, stored=False)
                await _first(self._urgent, _RETRY)
            except Exception as error:  # noqa: BLE001 - one row that cannot be written; it is found below
                log.warning("a batch cannot be written; row by row then", error=repr(error))
                await self._one_by_one(states, transitions)
                await self._what_waits(reports)
                _answer(awaited, stored=self._counters.store_up)
            else:
                self._done(written)
                _answer(awaited, stored=True)

    async def _one_by_one(self, states: States, transitions: list[Transition]) -> None:
        """Write each key's rows by themselves, and set aside what is to blame for the batch.

        A state that cannot be written is left out, its transitions are not: incidents follow them.
        """
        moves: dict[StateKey, list[Transition]] = {key: [] for key in states}
        for each in transitions:
            moves.setdefault(each.key, []).append(each)
        for key, own in moves.items():
            whole = {key: states[key]} if key in states else {}
            if not await self._apart(key, whole, own) and own and whole:
                await self._apart(key, {}, own)

    async def _what_waits(self, reports: Reports) -> None:
        """Write what waits behind the states; a report that cannot be written is in memory only."""
        for place, report in reports.items():
            try:
                await self._store.write(_writer({}, [], {place: report}), urgent=True)
            except StoreError as error:
                self._reports = {place: report, **self._reports}
                self._keep({}, [], error)
            except Exception:
                log.exception("a report cannot be written and is set aside", check=place[0])

    async def _apart(self, key: StateKey, states: States, transitions: list[Transition]) -> bool:
        """Write the rows of one key; tells whether they are written, or kept for later."""
        try:
            written = await self._store.write(_writer(states, transitions, {}), urgent=True)
        except StoreError as error:
            self._keep(states, transitions, error)
        except Exception:
            log.exception("a state cannot be written and is set aside", key=key)
            return False
        else:
            self._done(written)
        return True

    def _done(self, written: list[Transition]) -> None:
        if not self._counters.store_up:
            log.info("store takes rows again")
        self._counters.store_up = True
        if written:
            self._committed(written)

    def _keep(self, states: States, transitions: list[Transition], error: StoreError) -> None:
        self._counters.store_errors += 1
        if self._counters.store_up:
            log.error("store takes no rows; checking goes on, actions stop", error=str(error))
        self._counters.store_up = False
        self._states = {**states, **self._states}
        self._transitions = [*transitions, *self._transitions]
        self._urgent.clear()


def _writer(
    states: Mapping[StateKey, CheckState | None],
    transitions: list[Transition],
    reports: Reports,
) -> Callable[[Tx], list[Transition]]:
    def work(tx: Tx) -> list[Transition]:
        tx.put_states([state for state in states.values() if state is not None])
        ended = [key for key, state in states.items() if state is None]
        if ended:
            tx.forget_states(ended)
        for (check, item, alert), report in reports.items():
            if report is None:
                tx.end_waiting(check, item, alert)
            else:
                tx.put_waiting(Waiting(0, check, item, alert, asdict(report)))
        if not transitions:
            return []
        tx.add_transitions(transitions)
        return transitions

    return work


def _answer(awaited: list[asyncio.Future[bool]], *, stored: bool) -> None:
    for each in awaited:
        each.set_result(stored)


async def _first(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, at most so long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
