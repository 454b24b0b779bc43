"""Kill it, fill its disk, lock it, take it away: nothing committed is lost, and it recovers."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from monitord.errors import StoreError
from monitord.model.incident import IncidentStatus
from monitord.store import OpenStore, open_reader, open_store
from monitord.store.contract import Tx, View
from tests.store import rows
from tests.world.needs import requires
from tests.world.peers import Postgres
from tests.world.until import until

REPOSITORY = Path(__file__).parents[2]

# Commits incidents with an event each, and says each number after its commit.
WRITES = """
import asyncio, sys
from monitord.model.ticket import Event
from monitord.store import open_store
from tests.store import rows

async def main(store):
    def add(tx, n):
        tx.put_states([rows.state(f"h{n % 50}/site", summary="x" * 500)])
        number = tx.add_incident(rows.incident(f"h{n}/site"))
        tx.add_events([Event(number, rows.at(n), "opened", "y" * 500)])
        return number
    for n in range(10**9):
        number = await store.write(lambda tx: add(tx, n))
        print(number, flush=True)

asyncio.run(main(open_store(sys.argv[1])))
"""

# Writes until the limit on the size of its files refuses, lifts it, and writes again.
FILLS = """
import resource, sys
from monitord.errors import StoreError
from monitord.store import open_store
from tests.store import rows

store = open_store(sys.argv[1])
written = 0
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
try:
    for n in range(10_000):
        store.write_now(lambda tx: tx.put_states([rows.state(f"h{n}/site", summary="x" * 1000)]))
        written += 1
except StoreError as error:
    print(error)
print(bool(store.trouble), len(store.read_now(lambda view: view.states())) == written > 0)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.write_now(lambda tx: tx.put_states([rows.state("last/site")]))
print(bool(store.trouble), len(store.read_now(lambda view: view.states())) == written + 1)
store.close_now()
"""


def python(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        text=True,
    )


def whole(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        said = connection.execute("PRAGMA integrity_check").fetchall()
    return said == [("ok",)]


def incidents(view: View) -> dict[int, int]:
    """Give the number of events of each incident."""
    found = view.incidents(IncidentStatus, limit=10**9)
    return {int(one.id): len(view.events(one.id)) for one in found}


@pytest.mark.parametrize("after", [1, 7, 40])
def test_killed_at_any_instant_nothing_committed_is_lost(place: str, after: int) -> None:
    with python(WRITES, place) as child:
        assert child.stdout is not None
        said = [int(child.stdout.readline()) for _ in range(after)]
        child.send_signal(signal.SIGKILL)
        said += [int(line) for line in child.stdout if line.endswith("\n")]
    with closing(open_reader(place)) as reader:
        unread = reader.read_now(incidents)  # a reader alone sees it all before any daemon starts
    store = reopened(place)
    found = store.read_now(incidents)
    assert found == unread
    assert found.keys() >= set(said)
    assert set(found.values()) == {1}  # a transaction is there whole, or not at all
    assert len(found) <= len(said) + 1
    store.write_now(lambda tx: tx.next_epoch())
    store.close_now()
    if "://" not in place:
        assert whole(Path(place))


def reopened(place: str) -> OpenStore:
    """Open what a killed process held; PostgreSQL may take a moment to notice that it is gone."""

    def try_it() -> OpenStore | None:
        try:
            return open_store(place)
        except StoreError:
            return None

    found = until(try_it, what="the killed writer's lock to be free")
    assert found is not None
    return found


def test_a_full_disk_fails_the_callers_and_then_it_recovers(tmp_path: Path) -> None:
    with python(FILLS, str(tmp_path / "state.db")) as child:
        said, _ = child.communicate(timeout=60)
    failed, full, recovered = said.splitlines()
    assert "cannot be written now" in failed
    assert "nothing was changed" in failed
    assert (full, recovered) == ("True True", "False True")
    assert whole(tmp_path / "state.db")


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@requires("root")
def test_a_filesystem_without_space_fails_the_callers_and_then_it_recovers(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        store = open_store(disk / "state.db")
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
        big = [rows.state(f"h{n}/site", summary="x" * 1000) for n in range(200)]
        for _ in range(3):
            with pytest.raises(StoreError, match=r"disk.*full|disk I/O error"):
                store.write_now(lambda tx: tx.put_states(big))
        assert store.read_now(lambda view: view.states()) == []
        ballast.unlink()
        store.write_now(lambda tx: tx.put_states(big))
        assert store.trouble == ""
        assert len(store.read_now(lambda view: view.states())) == 200
        store.close_now()
        assert whole(disk / "state.db")


def test_a_locked_database_fails_the_callers_and_then_it_recovers(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state.db")
    store.write_now(lambda tx: tx.put_states([rows.state("a/a")]))

    async def main() -> None:
        with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            works = [
                store.write(lambda tx: tx.put_states([rows.state("b/b")])),
                store.write(lambda tx: tx.put_states([rows.state("c/c")]), urgent=False),
            ]
            for outcome in await asyncio.gather(*works, return_exceptions=True):
                assert isinstance(outcome, StoreError)
                assert "database is locked" in str(outcome)
            assert "database is locked" in store.trouble
            assert len(await store.read(lambda view: view.states())) == 1
            other.execute("ROLLBACK")
        await store.write(lambda tx: tx.put_states([rows.state("b/b")]))
        assert store.trouble == ""
        assert len(await store.read(lambda view: view.states())) == 2
        await store.close()

    asyncio.run(main())


def test_a_removed_file_is_noticed_and_taken_again_when_it_is_back(tmp_path: Path) -> None:
    path, aside = tmp_path / "state.db", tmp_path / "aside"
    store = open_store(path)
    store.write_now(lambda tx: tx.put_states([rows.state("a/a")]))
    aside.mkdir()
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        (tmp_path / name).rename(aside / name)
    with pytest.raises(StoreError, match="removed or replaced"):
        store.write_now(lambda tx: tx.put_states([rows.state("b/b")]))
    with pytest.raises(StoreError, match="unable to open database file"):
        store.write_now(lambda tx: tx.put_states([rows.state("b/b")]))
    with pytest.raises(StoreError, match="unable to open database file"):
        store.read_now(lambda view: view.states())
    assert not path.exists()
    for name in ("state.db", "state.db-wal"):
        if (aside / name).exists():
            (aside / name).rename(tmp_path / name)
    store.write_now(lambda tx: tx.put_states([rows.state("b/b")]))
    found = store.read_now(lambda view: view.states())
    assert [one.key for one in found] == ["a/a", "b/b"]
    store.close_now()


def cut_off(postgres: Postgres, url: str) -> None:
    """End every session of one database, as a failing network or a restart would."""
    name = url.rpartition("/")[2]
    where = f"where datname = '{name}'"
    postgres.psql(f"select pg_terminate_backend(pid) from pg_stat_activity {where}")  # noqa: S608 - our own name


def test_a_lost_connection_fails_one_write_and_is_made_again(
    postgres: Postgres, postgres_url: str
) -> None:
    store = open_store(postgres_url)
    store.write_now(lambda tx: tx.put_states([rows.state("a/a")]))
    assert len(store.read_now(lambda view: view.states())) == 1
    cut_off(postgres, postgres_url)
    with pytest.raises(StoreError, match="nothing was changed"):
        store.write_now(lambda tx: tx.put_states([rows.state("b/b")]))
    with pytest.raises(StoreError, match="cannot be read"):
        store.read_now(lambda view: view.states())
    store.write_now(lambda tx: tx.put_states([rows.state("b/b")]))
    assert len(store.read_now(lambda view: view.states())) == 2
    store.close_now()


def test_a_failing_database_fails_what_shared_the_transaction(
    postgres: Postgres, postgres_url: str
) -> None:
    store = open_store(postgres_url)

    def cut(tx: Tx) -> None:
        tx.put_states([rows.state("b/b")])
        cut_off(postgres, postgres_url)
        tx.put_states([rows.state("c/c")])

    async def main() -> list[object]:
        works: list[asyncio.Future[None]] = [
            store.write(lambda tx: tx.put_states([rows.state("a/a")]), urgent=False),
            store.write(cut, urgent=False),
        ]
        outcomes: list[object] = list(await asyncio.gather(*works, return_exceptions=True))
        await store.write(lambda tx: tx.put_states([rows.state("d/d")]))
        return outcomes

    assert [type(one) for one in asyncio.run(main())] == [StoreError, StoreError]
    assert [one.key for one in store.read_now(lambda view: view.states())] == ["d/d"]
    store.close_now()


def test_a_reader_that_is_too_slow_is_cut_off(place: str) -> None:
    open_store(place).close_now()
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT sum(x) FROM n"
    with closing(open_reader(place, limit=0.2)) as reader:
        with pytest.raises(StoreError, match=r"interrupted|statement timeout"):
            reader.read_now(lambda view: view.connection.exec_driver_sql(endless).scalar())  # type: ignore[attr-defined] # below the contract
        assert reader.read_now(lambda view: view.states()) == []


def test_a_reader_cannot_write(place: str) -> None:
    open_store(place).close_now()
    with (
        closing(open_reader(place)) as reader,
        pytest.raises(StoreError, match=r"read-?only"),
    ):
        reader.read_now(
            lambda view: view.connection.exec_driver_sql("DELETE FROM states")  # type: ignore[attr-defined] # below the contract
        )


def test_one_read_sees_one_snapshot(store: OpenStore) -> None:
    store.write_now(lambda tx: tx.put_states([rows.state("a/a")]))

    def look(view: View) -> list[int]:
        counts = [len(view.states())]
        store.write_now(lambda tx: tx.put_states([rows.state("b/b")]))
        return [*counts, len(view.states())]

    assert store.read_now(look) == [1, 1]
    assert len(store.read_now(lambda view: view.states())) == 2
