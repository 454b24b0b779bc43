"""What is asked of a PostgreSQL: statements that only read, and their answers as one value.

It decides what can be asked of a primary, of a standby, and of a server that shows us little (a
user outside pg_monitor). It judges nothing. Source: PostgreSQL manual, "Monitoring Statistics".
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from monitord.model.text import one_line

Row = tuple[Any, ...]
Ask = Callable[[str], Awaitable[list[Row]]]
"""Runs one statement and gives its first rows."""

_BASE = """
select pg_is_in_recovery(),
       (select sum(numbackends) from pg_stat_database),
       current_setting('max_connections')::int,
       pg_has_role(current_user, 'pg_read_all_stats', 'member'),
       pg_database_size(current_database())"""
_OLDEST = """
select pid, usename, extract(epoch from now() - xact_start)::float8 from pg_stat_activity
where xact_start is not null and state <> 'idle' and backend_type = 'client backend'
  and pid <> pg_backend_pid() order by xact_start limit 1"""
_WAITING = """
select pid, usename, extract(epoch from now() - query_start)::float8,
       (pg_blocking_pids(pid))[1], count(*) over ()
from pg_stat_activity where wait_event_type = 'Lock' order by query_start limit 1"""
_WRAPAROUND = """
select datname, age(datfrozenxid) from pg_database order by age(datfrozenxid) desc limit 1"""
_SLOTS = """
select slot_name, active, coalesce(pg_wal_lsn_diff(
    case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
    restart_lsn), 0)::float8
from pg_replication_slots order by 3 desc limit 50"""
_STANDBYS = """
select application_name, state, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8,
       extract(epoch from replay_lag)::float8
from pg_stat_replication order by 3 desc nulls first limit 50"""
_STANDBY = """
select pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::float8,
       case when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
            else extract(epoch from now() - pg_last_xact_replay_timestamp()) end::float8,
       (select count(*) from pg_stat_wal_receiver where status = 'streaming')"""


@dataclass(frozen=True, slots=True)
class Session:
    """One session: process id, user, seconds; whom it waits for, and how many wait with it."""

    pid: int
    user: str
    seconds: float
    blocker: int | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Replica:
    """How far behind a standby is: bytes, and seconds where that is known."""

    name: str
    state: str
    behind: float | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """What a server told. Bytes and seconds; `privileged`: it shows us others' sessions."""

    standby: bool
    used: int
    allowed: int
    privileged: bool
    size: int
    oldest: Session | None
    waiting: Session | None
    wraparound: tuple[str, int]
    slots: tuple[tuple[str, bool, float], ...]
    replicas: tuple[Replica, ...]
    receiving: bool
    custom: Row | None


async def ask_all(ask: Ask, query: str) -> Told:
    """Ask all that is looked at, and the user's own query, if there is one."""
    ((standby, used, allowed, privileged, size),) = await ask(_BASE)
    oldest = [Session(row[0], _name(row[1]), row[2]) for row in await ask(_OLDEST)]
    waiting = [
        Session(row[0], _name(row[1]), row[2] or 0.0, row[3], row[4]) for row in await ask(_WAITING)
    ]
    ((database, age),) = await ask(_WRAPAROUND)
    slots = tuple((_name(row[0]), row[1], row[2]) for row in await ask(_SLOTS))
    replicas, receiving = await _replicas(ask, standby=standby)
    rows = await ask(query) if query else []
    return Told(
        standby,
        int(used),
        allowed,
        privileged,
        size,
        oldest[0] if oldest else None,
        waiting[0] if waiting else None,
        (_name(database), age),
        slots,
        replicas,
        receiving,
        rows[0] if rows else None,
    )


async def _replicas(ask: Ask, *, standby: bool) -> tuple[tuple[Replica, ...], bool]:
    if standby:
        ((behind, seconds, receivers),) = await ask(_STANDBY)
        return (Replica("", "", behind, seconds),), receivers > 0
    rows = await ask(_STANDBYS)
    return tuple(Replica(_name(row[0]), _name(row[1]), row[2], row[3]) for row in rows), True


def _name(text: object) -> str:
    return one_line(str(text), 60)
