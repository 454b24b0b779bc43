"""The questions about runs of chains; part of the one view (view.py)."""

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import select

from monitord.model.chain import UNFINISHED, ChainRun, Link, LinkStatus, RunStatus
from monitord.model.ids import Instant
from monitord.store import tables as t
from monitord.store.columns import storable
from monitord.store.view_accounts import AccountView
from monitord.store.view_people import values


class ChainView(AccountView):
    """Questions to one transaction's connection."""

    def chain_run(self, number: int) -> ChainRun | None:
        """Give one."""
        return self._by_id(t.CHAIN_RUNS, number)

    def chain_runs(self, key: str = "", *, limit: int = 30) -> list[ChainRun]:
        """Give the newest first."""
        c = t.CHAIN_RUNS.table.c
        query = t.CHAIN_RUNS.select().order_by(c.id.desc()).limit(limit)
        return self._all(t.CHAIN_RUNS, query.where(c.key == storable(key)) if key else query)

    def unfinished_runs(self, *, due_by: Instant | None = None) -> list[ChainRun]:
        """Give those that wait or run."""
        c = t.CHAIN_RUNS.table.c
        query = t.CHAIN_RUNS.select().where(c.status.in_(values(UNFINISHED))).order_by(c.id)
        return self._all(t.CHAIN_RUNS, query if due_by is None else query.where(c.due_at <= due_by))

    def links(self, run: int) -> list[Link]:
        """Give a run's links."""
        c = t.CHAIN_LINKS.table.c
        return self._all(t.CHAIN_LINKS, t.CHAIN_LINKS.select().where(c.run == run).order_by(c.id))

    def link_of(self, attempt: int) -> Link | None:
        """Give the newest that an attempt ran."""
        c = t.CHAIN_LINKS.table.c
        query = t.CHAIN_LINKS.select().where(c.attempt == attempt, c.attempt != 0)
        return self._one(t.CHAIN_LINKS, query.order_by(c.id.desc()).limit(1))

    def link_times(self, key: str, *, runs: int = 14) -> Mapping[str, list[float]]:
        """Give the measured times, the newest first."""
        run, c = t.CHAIN_RUNS.table.c, t.CHAIN_LINKS.table.c
        ended = select(run.id).where(run.key == storable(key), run.status == str(RunStatus.DONE))
        newest = ended.order_by(run.id.desc()).limit(runs).subquery()
        query = select(c.name, c.started, c.ended).where(
            c.run.in_(select(newest.c.id)),
            c.status == str(LinkStatus.DONE),
            c.started.is_not(None),
            c.ended >= c.started,
        )
        found: defaultdict[str, list[float]] = defaultdict(list)
        for name, started, over in self.connection.execute(query.order_by(c.id.desc())):
            found[name].append((over - started) / 1e6)
        return found
