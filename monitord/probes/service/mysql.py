"""The `mysql` probe: lets us in, connections, replication and its lag, long queries.

It judges MySQL and MariaDB. PyMySQL can only wait, so it runs in the bounded threads with limits of
its own; the session reads only. Sources: MySQL manual, "SHOW REPLICA STATUS"; MariaDB's the same.
"""

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal

from pydantic import Field

from monitord.errors import BusyError
from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Result, Status
from monitord.model.spec import Library
from monitord.model.text import one_line
from monitord.probes import blocking
from monitord.probes.limits import show_age, show_percent
from monitord.probes.network.connect import Endpoint, patience
from monitord.probes.network.latency import judge_latency, show
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.network.tls import context_for
from monitord.probes.service.limits import Limits, limits, number
from monitord.probes.service.postgresql import Query, custom
from monitord.probes.service.server import RefusedError, ServerSpec, connect_time, look
from monitord.probes.verdict import Finding, verdict

Row = tuple[Any, ...]
_REFUSED = frozenset({1044, 1045, 1049, 1130, 1698})
_FORBIDDEN = frozenset({1142, 1227, 1370})
_FULL = frozenset({1040, 1203})
_LONGEST = """
select id, user, time from information_schema.processlist
where command = 'Query' and id <> connection_id() and user <> 'system user'
order by time desc limit 1"""


class MysqlSpec(ServerSpec):
    """MySQL or MariaDB: connections, replication, long queries, a query of your own.

    Its user needs PROCESS and REPLICATION CLIENT on *.*; for MariaDB PROCESS and SLAVE MONITOR.
    """

    library = Library("pymysql", "mysql")
    example = """
        mysql:
          user: monitor
          password: !secret file:/etc/monitord/mysql.password
          role: replica
          lag: {warning: 30, critical: 300}
    """

    port: int = Field(3306, ge=1, le=65535, description="The port to connect to.")
    user: str = Field("monitor", description="Who we log in as; a reader.")
    database: str = Field("", description="The database that your query is about.")
    role: Literal["primary", "replica"] | None = Field(
        None, description="What it must be; anything else is critical."
    )
    connections: Limits = Field(
        limits("80", "95"), description="Limits on connections in percent of max_connections."
    )
    lag: Limits = Field(
        limits("60", "600"), description="Limits on the seconds that a replica is behind."
    )
    queries: Limits = Field(
        limits("300", "3600"), description="Limits on the seconds that the longest query runs."
    )
    query: Query | None = Field(None, description="A query of your own.")


@dataclass(frozen=True, slots=True)
class _Told:
    elapsed: float
    used: float
    allowed: float
    longest: Row | None
    replica: Mapping[str, Any] | None
    custom: Row | None


async def probe(spec: MysqlSpec, target: Target) -> Sequence[Result]:
    """Log in, ask and judge; see NetworkProbe for the contract."""
    endpoint = Endpoint.of(target.address, spec.port)
    seconds = max(1.0, patience(target.timeout) or 10.0)

    async def work(password: str) -> Result:
        context = await context_for(spec.tls) if spec.tls is not None else None
        try:
            told = await blocking.run(lambda: _ask(spec, endpoint.host, password, context, seconds))
        except BusyError as error:
            return Result.unknown(f"{endpoint.place}: {error}", Cause.PROBE)
        return _judge(spec, endpoint.place, told)

    return await look(spec, endpoint, target, work)


def _ask(
    spec: MysqlSpec, host: str, password: str, context: ssl.SSLContext | None, seconds: float
) -> _Told:
    import pymysql

    started = perf_counter()
    try:
        connection = pymysql.connect(
            host=host,
            port=spec.port,
            user=spec.user,
            password=password,
            database=spec.database or None,
            connect_timeout=seconds,
            read_timeout=seconds,
            write_timeout=seconds,
            ssl=context,
            ssl_disabled=context is None,
            local_infile=False,
        )
        with connection, connection.cursor() as cursor:
            return _told(spec, cursor, perf_counter() - started)
    except pymysql.MySQLError as error:
        raise _failed(error) from error


def _failed(error: Exception) -> UnreachedError:
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    text = one_line(str(error.args[-1] if error.args else error), 160)
    if code in _REFUSED:
        return RefusedError(text)
    if code in _FORBIDDEN:
        return UnreachedError(f"our user may not ask: {text}", Cause.LOGIN)
    if code in _FULL:
        return UnreachedError(f"all of its connections are taken ({text}): a pool leaks")
    if 1000 < code < 2000:  # noqa: PLR2004 - the server's own numbers: it answered
        return UnreachedError(f"a query failed: {text}", Cause.PLUGIN)
    return UnreachedError(text)


def _told(spec: MysqlSpec, cursor: Any, elapsed: float) -> _Told:
    def rows(statement: str) -> list[Row]:
        cursor.execute(statement)
        return list(cursor.fetchmany(50))

    rows("set session transaction read only")
    used = rows("show global status like 'Threads_connected'")[0][1]
    allowed = rows("select @@global.max_connections")[0][0]
    longest = rows(_LONGEST)
    replica = _replica(cursor, rows)
    own = rows(spec.query.sql) if spec.query else []
    return _Told(
        elapsed,
        number(used),
        number(allowed),
        longest[0] if longest else None,
        replica,
        own[0] if own else None,
    )


def _replica(cursor: Any, rows: Callable[[str], list[Row]]) -> Mapping[str, Any] | None:
    """Give the replication state by names that MySQL and MariaDB, old and new, share."""
    import pymysql

    try:
        found = rows("show replica status")
    except pymysql.err.ProgrammingError:  # MySQL below 8.0.22
        found = rows("show slave status")
    if not found:
        return None
    told = dict(zip((column[0] for column in cursor.description), found[0], strict=True))
    return {
        name.replace("Slave_", "").replace("Replica_", "").replace("_Master", "_Source"): value
        for name, value in told.items()
    }


def _judge(spec: MysqlSpec, place: str, told: _Told) -> Result:
    role = "primary" if told.replica is None else "replica"
    percent = 100 * told.used / max(told.allowed, 1)
    busy = f"{told.used:.0f} of {told.allowed:.0f} connections"
    text = f"{busy} used ({show_percent(percent)} %): a pool leaks, or max_connections is too low"
    findings: list[Finding | None] = [
        judge_latency(spec, told.elapsed),
        spec.connections.judge(text, percent, "%"),
    ]
    if spec.role is not None and role != spec.role:
        findings.append((Status.CRITICAL, f"is a {role}, expected a {spec.role}"))
    measurements = [
        connect_time(spec, told.elapsed),
        spec.connections.measured("connections", percent, "%"),
    ]
    if told.longest is not None:
        number_of, user, seconds = told.longest
        text = f"query {number_of} of {one_line(str(user), 40)} runs since {show_age(seconds)}"
        findings.append(spec.queries.judge(text, seconds, "s"))
    findings += _replication(spec, told.replica)
    if told.replica is not None and told.replica.get("Seconds_Behind_Source") is not None:
        behind = number(told.replica["Seconds_Behind_Source"])
        measurements.append(spec.lag.measured("lag", behind, "s"))
    if spec.query is not None:
        finding, measured = custom(spec.query, told.custom)
        findings.append(finding)
        measurements += measured
    good = f"{role}, let us in after {show(told.elapsed)}, {busy}"
    return verdict(place, findings, good, tuple(measurements))


def _replication(spec: MysqlSpec, told: Mapping[str, Any] | None) -> Iterator[Finding | None]:
    if told is None:
        return
    for thread, what in (("IO", "receives nothing from its primary"), ("SQL", "applies nothing")):
        if told.get(f"{thread}_Running") != "Yes":
            why = one_line(str(told.get(f"Last_{thread}_Error") or ""), 120)
            yield Status.CRITICAL, f"{what}: {why or f'its {thread} thread is stopped'}"
    behind = told.get("Seconds_Behind_Source")
    if behind is not None:
        seconds = number(behind)
        yield spec.lag.judge(f"is {show_age(seconds)} behind its primary", seconds, "s")


KIND = NetworkProbe("mysql", MysqlSpec, probe)
