"""The stage that carries a chain's run on: it begins, starts what may begin, and ends it.

Rows decide; memory only mirrors them for the probe and the plans. What may begin is decided in
decisions/chains, how a link is started stands in links.py, what people order in chain_orders.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from monitord.clock import after, between
from monitord.decisions import chains
from monitord.engine.instance import Instance
from monitord.engine.links import adopt_links, start
from monitord.engine.turn import AfterCommit
from monitord.log import get_logger
from monitord.model.catalog import Check
from monitord.model.chain import (
    BROKEN,
    UNFINISHED,
    Chain,
    ChainRecord,
    ChainRun,
    Link,
    LinkStatus,
    RunStatus,
)
from monitord.model.ids import CheckKey, Instant
from monitord.model.incident import AttemptStatus
from monitord.store.chain_record import read
from monitord.store.contract import Tx, View

log = get_logger(__name__)

_LOOK = timedelta(seconds=60)  # how often it is seen whether what runs a link is still there
_OUTPUT = 4000  # characters of a job's output that its link keeps
_RUNS = frozenset({AttemptStatus.LINK, AttemptStatus.RUNNING, AttemptStatus.VERIFYING})
_S = LinkStatus
Work = Callable[[Tx, AfterCommit, Instant], None]


class Chains:
    """The chains of one instance."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        instance.chain_moved = self.moved
        self._known: tuple[object, Mapping[CheckKey, Chain]] = (None, {})

    def all(self) -> Mapping[CheckKey, Chain]:
        """Give the chains of the catalog in force."""
        catalog = self._instance.catalog
        if self._known[0] is not catalog:
            self._known = catalog, chains.of_catalog(catalog)
        return self._known[1]

    def record(self, check: Check) -> ChainRecord:
        """Give what is known of a check's chain."""
        chain = self.all()[check.key]
        known = self._instance.chains.get(check.key)
        return replace(known, chain=chain) if known is not None else ChainRecord(chain)

    def restore(self, view: View) -> None:
        """Read what the rows say of every chain."""
        for key, chain in self.all().items():
            self._instance.chains[key] = read(view, chain)

    async def adopt(self) -> None:
        """Learn what became of links that were under way when a core ended."""
        await adopt_links(self._instance)

    def idle(self) -> list[CheckKey]:
        """Give the chains that have no run before them."""
        known = self._instance.chains
        return [
            key
            for key in self.all()
            if (record := known.get(key)) is None
            or record.run is None
            or record.run.status not in UNFINISHED
        ]

    def opener(self, keys: Sequence[CheckKey]) -> Work:
        """Give the work that writes the next run of chains which have none."""

        def work(tx: Tx, out: AfterCommit, now: Instant) -> None:
            for key in keys:
                chain = self.all().get(key)
                newest = tx.chain_runs(key, limit=1)
                if chain is not None and not (newest and newest[0].status in UNFINISHED):
                    self._open(tx, chain, newest[0].starts if newest else now, now)
                if chain is not None:
                    self.remember(tx, out, chain)

        return work

    def _open(self, tx: Tx, chain: Chain, since: Instant, now: Instant) -> None:
        """Write the run that follows `since`; those that nobody can run any more are MISSED."""
        calendar = self._instance.catalog.calendars[chain.days]
        missed, night = chains.following(chain, calendar, since, now)
        for each in missed:
            row = _run(chain, each, RunStatus.MISSED)
            tx.add_run(replace(row, due_at=None, ended=now, reason="its time passed"))
        if night is not None:
            tx.add_run(_run(chain, night, RunStatus.WAITING))

    def carrier(self, number: int) -> Work:
        """Give the work that takes one run a step further."""

        def work(tx: Tx, out: AfterCommit, now: Instant) -> None:
            run = tx.chain_run(number)
            if run is None or run.due_at is None or run.due_at > now:
                return
            chain = self.all().get(run.key)
            if chain is None:
                self._end(tx, run, RunStatus.MISSED, now, "the chain is no longer configured")
                return
            if run.status is RunStatus.WAITING:
                self._wait(tx, chain, run, now)
            elif run.status is RunStatus.RUNNING:
                self._carry(tx, out, chain, run, now)
            self.remember(tx, out, chain)

        return work

    def _wait(self, tx: Tx, chain: Chain, run: ChainRun, now: Instant) -> None:
        """Begin a run whose time has come; one whose times were changed waits for the new ones."""
        before = [one for one in tx.chain_runs(run.key, limit=2) if one.id != run.id]
        since = before[0].starts if before else Instant(min(now, run.starts) - 1)
        calendar = self._instance.catalog.calendars[chain.days]
        night = next(chains.nights(chain, calendar, since), None)
        if night is not None and night.starts > now:
            times = {"starts": night.starts, "done_by": night.done_by, "due_at": night.starts}
            tx.change_run(run.id, RunStatus.WAITING, business_date=night.date, **times)
        elif run.starts > now:
            tx.change_run(run.id, RunStatus.WAITING, due_at=run.starts)
        else:
            self._begin(tx, chain, run, now)

    def _begin(self, tx: Tx, chain: Chain, run: ChainRun, now: Instant) -> None:
        tx.move_run(run.id, RunStatus.WAITING, RunStatus.RUNNING, started=now, due_at=now)
        for name in chain.jobs:
            tx.add_link(Link(0, run.id, run.key, name, _S.WAITING))
        log.info("chain begins", chain=run.key, business_date=run.business_date)

    def _carry(self, tx: Tx, out: AfterCommit, chain: Chain, run: ChainRun, now: Instant) -> None:
        """Take a running run as far as it goes now."""
        self._follow_catalog(tx, chain, run, now)
        self._notice_lost(tx, run, now)
        links = tx.links(run.id)
        if chains.is_over(links):
            self._end(tx, run, RunStatus.DONE, now)
            self._open(tx, chain, run.starts, now)
            self._recheck(out, run.key)
            return
        if self._overtaken(chain, run, links, now):
            self._end(tx, run, RunStatus.MISSED, now, "the next run's time came first")
            self._open(tx, chain, run.starts, now)
            self._recheck(out, run.key)
            return
        waits = [_LOOK]
        for job in chains.ready(chain, links):
            link = next(one for one in links if one.name == job.name)
            if job.run and not run.held:
                again = start(tx, out, self._instance, run, link, now)
                waits += [again] if again else []
        tx.change_run(run.id, RunStatus.RUNNING, due_at=after(now, min(waits)))

    def _follow_catalog(self, tx: Tx, chain: Chain, run: ChainRun, now: Instant) -> None:
        """Take over what a reload changed of the jobs."""
        rows = {link.name: link for link in tx.links(run.id)}
        for name in chain.jobs:
            if name not in rows:
                tx.add_link(Link(0, run.id, run.key, name, _S.WAITING))
        for name, link in rows.items():
            if name not in chain.jobs and link.status in {_S.WAITING, *BROKEN}:
                tx.move_link(link.id, link.status, _S.SKIPPED, ended=now, by="reload")

    def _notice_lost(self, tx: Tx, run: ChainRun, now: Instant) -> None:
        """A link whose attempt has ended without its end is one of which nobody knows."""
        for link in tx.links(run.id):
            attempt = tx.attempt(link.attempt) if link.attempt else None  # type: ignore[arg-type]  # the row keeps a plain number
            if link.status is _S.RUNNING and attempt is not None and attempt.status not in _RUNS:
                tx.move_link(link.id, _S.RUNNING, _S.INTERRUPTED, ended=now)

    def _overtaken(self, chain: Chain, run: ChainRun, links: Sequence[Link], now: Instant) -> bool:
        """Tell whether a chain that others start has come to its next run."""
        if any(job.run for job in chain.jobs.values()):
            return False  # ours waits until this one is over
        calendar = self._instance.catalog.calendars[chain.days]
        night = next(chains.nights(chain, calendar, run.starts), None)
        at_work = any(link.status is _S.RUNNING for link in links)
        return night is not None and night.starts <= now and not at_work

    def _end(
        self, tx: Tx, run: ChainRun, status: RunStatus, now: Instant, reason: str = ""
    ) -> None:
        tx.move_run(run.id, run.status, status, ended=now, due_at=None, reason=reason)
        log.info("chain ends", chain=run.key, business_date=run.business_date, status=status)

    def remember(self, tx: Tx, out: AfterCommit, chain: Chain) -> None:
        """Have memory say what the rows say, when they are durable."""
        record, known = read(tx, chain), self._instance.chains
        before = known.get(chain.key)

        def take() -> None:
            known[chain.key] = record

        out.calls.append(take)
        if before is None or before.links != record.links or before.run is None:
            self._recheck(out, chain.key)

    def _recheck(self, out: AfterCommit, key: CheckKey) -> None:
        out.calls.append(partial(self._instance.beliefs.recheck, [key]))

    def moved(self, tx: Tx, out: AfterCommit, run: int) -> None:
        """Have a run looked at again: something of it has happened."""
        row = tx.chain_run(run)
        if row is None:
            return
        tx.change_run(run, row.status, due_at=self._instance.now())
        chain = self.all().get(row.key)
        if chain is not None:
            self.remember(tx, out, chain)

    async def report(
        self, key: str, link: str, event: str, *, exit_code: int | None, output: str, at: Instant
    ) -> None:
        """Take what a job says of itself: of a link that others start, or of none of this run."""
        out = AfterCommit()

        def work(tx: Tx) -> None:
            chain = self.all().get(CheckKey(key))
            runs = [run for run in tx.chain_runs(key, limit=1) if run.status in UNFINISHED]
            if chain is None or not runs:
                return
            run = runs[0]
            if run.status is RunStatus.WAITING:
                if between(at, run.starts) > chains.EARLY:
                    return  # by day and by hand: of no run
                self._begin(tx, chain, run, at)
            row = next((one for one in tx.links(run.id) if one.name == link), None)
            if row is not None:
                told(tx, row, event, exit_code, output, at)
                self.moved(tx, out, run.id)

        await self._instance.insist(work)
        out.run(self._instance)
        self._instance.wake()


def told(tx: Tx, row: Link, event: str, exit_code: int | None, output: str, at: Instant) -> None:
    """Write a report of a job that others start; of one that we run the journal tells."""
    ours = row.status is _S.RUNNING and row.attempt
    if ours or at < max(row.started or 0, row.ended or 0) or row.status is _S.SKIPPED:
        return
    if event == "start":
        fresh: dict[str, Any] = {"ended": None, "exit_code": None, "output": "", "attempt": 0}
        changes = {**fresh, "started": at, "tries": row.tries + 1, "waiting_for": ""}
        if row.status is not _S.RUNNING:
            tx.move_link(row.id, row.status, _S.RUNNING, **changes)
        return
    code = exit_code if exit_code is not None else (0 if event == "success" else 1)
    status = _S.DONE if code == 0 else _S.FAILED
    if row.status is not status:
        end = {"ended": at, "exit_code": code, "output": output[-_OUTPUT:]}
        tx.move_link(row.id, row.status, status, **end)


def _run(chain: Chain, night: chains.Night, status: RunStatus) -> ChainRun:
    return ChainRun(0, chain.key, night.date, status, night.starts, night.done_by, night.starts)
