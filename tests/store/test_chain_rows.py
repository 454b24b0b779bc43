"""Runs of chains and their links, as rows."""

from datetime import timedelta

import pytest

from monitord.clock import after
from monitord.errors import IllegalMoveError
from monitord.model.chain import ChainRun, Link, LinkStatus, RunStatus
from monitord.model.ids import EPOCH, CheckKey, Instant
from monitord.store.contract import Store, Tx

KEY = CheckKey("batch1/nightly")
NOW = Instant(1_800_000_000_000_000)


def _run(date: str = "2026-11-23", status: RunStatus = RunStatus.WAITING) -> ChainRun:
    return ChainRun(0, KEY, date, status, NOW, after(NOW, timedelta(hours=8)), NOW)


def test_a_run_and_its_links_move_by_their_moves(store: Store) -> None:
    """What is listed is moved from where it was read; what is not listed raises."""

    def begin(tx: Tx) -> tuple[int, int]:
        run = tx.add_run(_run())
        link = tx.add_link(Link(0, run, KEY, "crm", LinkStatus.WAITING))
        assert tx.move_run(run, RunStatus.WAITING, RunStatus.RUNNING, started=NOW)
        assert tx.move_link(link, LinkStatus.WAITING, LinkStatus.RUNNING, started=NOW, attempt=7)
        assert not tx.move_link(link, LinkStatus.WAITING, LinkStatus.RUNNING)
        return run, link

    run, link = store.write_now(begin)
    with pytest.raises(IllegalMoveError):
        store.write_now(lambda tx: tx.move_link(link, LinkStatus.RUNNING, LinkStatus.SKIPPED))
    found = store.read_now(lambda view: view.link_of(7))
    assert found is not None
    assert (found.id, found.run, found.status) == (link, run, LinkStatus.RUNNING)
    assert store.read_now(lambda view: view.link_of(0)) is None
    assert [r.id for r in store.read_now(lambda view: view.unfinished_runs(due_by=NOW))] == [run]
    assert not store.read_now(lambda view: view.unfinished_runs(due_by=EPOCH))


def test_only_runs_that_are_done_tell_how_long_a_link_takes(store: Store) -> None:
    """A link that failed, or a run that is still on, measures nothing."""

    def nights(tx: Tx) -> None:
        for number, (link, status) in enumerate(
            ((LinkStatus.DONE, RunStatus.DONE), (LinkStatus.FAILED, RunStatus.MISSED))
        ):
            run = tx.add_run(_run(f"2026-11-2{number}", status))
            over = after(NOW, timedelta(seconds=90))
            tx.add_link(Link(0, run, KEY, "crm", link, started=NOW, ended=over))

    store.write_now(nights)
    assert store.read_now(lambda view: view.link_times(KEY)) == {"crm": [90.0]}


def test_what_is_long_over_is_deleted_with_its_links(store: Store) -> None:
    """A run that is on stays, however old."""

    def nights(tx: Tx) -> None:
        run = tx.add_run(_run("2026-11-20", RunStatus.RUNNING))
        tx.move_run(run, RunStatus.RUNNING, RunStatus.DONE, ended=NOW)
        tx.add_link(Link(0, run, KEY, "crm", LinkStatus.DONE))
        tx.add_run(_run("2026-11-21"))

    store.write_now(nights)
    later = after(NOW, timedelta(days=1))
    store.write_now(lambda tx: tx.prune(later, incidents_before=later, evidence_before=later))
    runs = store.read_now(lambda view: view.chain_runs(KEY))
    assert [run.business_date for run in runs] == ["2026-11-21"]
    assert not store.read_now(lambda view: view.links(1))
