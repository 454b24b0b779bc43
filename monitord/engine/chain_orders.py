"""What people order of a chain's run: run a link again, skip it, hold the chain.

An order changes rows; what follows is done by the stage, under the same guards as always.
"""

from collections.abc import Callable, Mapping
from typing import Any

from monitord.actions import plan as plans
from monitord.config.names import nearest
from monitord.engine.chains import Chains
from monitord.engine.instance import Instance
from monitord.engine.ladder import describe
from monitord.engine.situation import date_of, plan_for
from monitord.engine.turn import AfterCommit
from monitord.errors import CommandRefusedError, NotFoundError
from monitord.model.catalog import Check
from monitord.model.chain import BROKEN, Chain, ChainRecord, ChainRun, Link, LinkStatus, RunStatus
from monitord.model.ids import CheckKey, Instant
from monitord.model.ticket import Event
from monitord.store.contract import Tx, View

_S = LinkStatus


class ChainOrders:
    """Orders to one instance's chains."""

    def __init__(self, instance: Instance, stage: Chains) -> None:
        self._instance, self._stage = instance, stage

    def record(self, check: Check) -> ChainRecord:
        """Give what is known of a check's chain."""
        return self._stage.record(check)

    def find(self, name: str) -> Chain:
        """Give a chain by its key, or by its name where only one host has it.

        Raises:
            NotFoundError: there is none, or several.
        """
        known = self._stage.all()
        if name in known:
            return known[CheckKey(name)]
        named = [chain for key, chain in known.items() if key.partition("/")[2] == name]
        if len(named) == 1:
            return named[0]
        if named:
            keys = ", ".join(chain.key for chain in named)
            raise NotFoundError(f"{name} is a chain on several hosts; name one: {keys}")
        near = nearest(name, [key.partition("/")[2] for key in known])
        raise NotFoundError(f"there is no chain {name}{near}")

    async def preview(self, name: str, link: str, deed: str) -> Mapping[str, Any]:
        """Say what an order would do: the commands of a rerun, and what follows.

        Raises:
            NotFoundError: no such chain or link.
            CommandRefusedError: the order would be refused.
        """
        chain, instance = self.find(name), self._instance
        row = await instance.store.read(lambda view: _row(view, chain, link))
        _must_allow(chain, row[1], deed)
        check = instance.catalog.checks[chain.key]
        steps: list[dict[str, str]] = []
        if deed == "rerun":
            rungs = [rung for rung in check.remediate if rung.runbook == "rerun-link"]
            rung = (*rungs, *check.starts)[0]
            dated = plans.dated(rung, date_of(instance, check))
            plan = plan_for(instance, check, dated, [link])
            if plan.problem:
                raise CommandRefusedError(plan.problem)
            steps = describe(plan)
        after = [job.name for job in chain.jobs.values() if link in job.after]
        return {"chain": chain.key, "link": link, "deed": deed, "plan": steps, "then": after}

    async def rerun(self, name: str, link: str, *, by: str, reason: str) -> None:
        """Have a failed link started again, in a person's name.

        Raises:
            NotFoundError: no such chain or link.
            CommandRefusedError: it has not failed, or others start it.
        """
        await self.preview(name, link, "rerun")

        def work(tx: Tx, run: ChainRun, row: Link, now: Instant) -> str:
            del run, now
            tx.move_link(row.id, row.status, _S.WAITING, by=by, waiting_for="")
            return f"{by} has {link} run again: {reason}"

        await self._order(name, link, "rerun", work, by=by, reason=reason)

    async def skip(self, name: str, link: str, *, by: str, reason: str) -> None:
        """Count a link as done for this run; what stands behind it goes on.

        Raises:
            NotFoundError: no such chain or link.
            CommandRefusedError: it runs, or is over.
        """

        def work(tx: Tx, run: ChainRun, row: Link, now: Instant) -> str:
            del run
            tx.move_link(row.id, row.status, _S.SKIPPED, by=by, ended=now, waiting_for="")
            return f"{by} skipped {link}: {reason}"

        await self._order(name, link, "skip", work, by=by, reason=reason)

    async def hold(self, name: str, *, on: bool, by: str, reason: str) -> None:
        """Start nothing more of a chain's run until it is let go; what runs goes on.

        Raises:
            NotFoundError: no such chain.
            CommandRefusedError: it is held already, or not held.
        """

        def work(tx: Tx, run: ChainRun, row: Link | None, now: Instant) -> str:
            del row, now
            if run.held is on:
                said = f"is held already, by {run.held_by}" if on else "is not held"
                raise CommandRefusedError(f"{run.key} {said}")
            tx.change_run(run.id, run.status, held=on, held_by=by if on else "", reason=reason)
            return f"{by} {'holds' if on else 'lets go'} the chain: {reason}"

        await self._order(name, "", "hold" if on else "go", work, by=by, reason=reason)

    async def _order(
        self,
        name: str,
        link: str,
        deed: str,
        work: Callable[[Tx, ChainRun, Any, Instant], str],
        *,
        by: str,
        reason: str,
    ) -> None:
        if not reason.strip():
            raise CommandRefusedError(f"{deed} needs a reason; add --reason '…'")
        chain, instance, out = self.find(name), self._instance, AfterCommit()

        def write(tx: Tx) -> None:
            now = instance.now()
            run, row = _row(tx, chain, link)
            if row is not None:
                _must_allow(chain, row, deed)
            text = work(tx, run, row, now)
            tx.add_audit(now, by, deed, f"chain {chain.key} {link}".strip(), reason)
            incident = tx.live_incident(chain.key)
            if incident is not None:
                event = Event(incident.id, now, f"chain-{deed}", text, actor=by)
                tx.add_events([event])
                out.events.append(event)
            self._stage.moved(tx, out, run.id)

        await instance.store.write(write)
        out.run(instance)
        instance.wake()


def _row(view: View, chain: Chain, link: str) -> tuple[ChainRun, Link | None]:
    runs = view.chain_runs(chain.key, limit=1)
    if not runs or (link and runs[0].status is not RunStatus.RUNNING):
        raise CommandRefusedError(f"no run of {chain.key} is under way")
    if not link:
        return runs[0], None
    rows = {row.name: row for row in view.links(runs[0].id)}
    if link not in rows:
        raise NotFoundError(f"{chain.key} has no link {link}{nearest(link, rows)}")
    return runs[0], rows[link]


def _must_allow(chain: Chain, row: Link | None, deed: str) -> None:
    if row is None:
        return
    job = chain.jobs.get(row.name)
    if deed == "rerun" and (job is None or not job.run):
        raise CommandRefusedError(
            f"{row.name} has no run: others start it; run it again there, and its report counts"
        )
    allowed = BROKEN if deed == "rerun" else BROKEN | {_S.WAITING}
    if row.status not in allowed:
        raise CommandRefusedError(f"{row.name} is {row.status}: there is nothing to {deed}")
