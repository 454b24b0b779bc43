"""The `postgresql` probe: lets us in, its role, replication, connections, locks, wraparound, slots.

It decides when what the server tells is bad; what is asked stands in postgresql_ask. The session
reads only and each of its statements has a limit, so that the look itself harms nothing.
"""

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any, Literal

from pydantic import Field

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Library, Spec
from monitord.model.text import one_line
from monitord.probes.limits import show_age, show_bytes, show_percent
from monitord.probes.network.connect import Endpoint
from monitord.probes.network.latency import judge_latency, show
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.service.limits import Limits, limits, number
from monitord.probes.service.postgresql_ask import Ask, Row, Told, ask_all
from monitord.probes.service.server import RefusedError, ServerSpec, connect_time, look
from monitord.probes.verdict import Finding, verdict

_ROWS = 50
_STATEMENT = 4000  # milliseconds
_WRAPS_AT = 2**31
_PRIVILEGES = ("42501", "28000", "28P01")
_REFUSALS = ("password authentication failed", "no pg_hba.conf entry", "no password supplied")
_LACKING = (
    "Sessions of others, their locks and long transactions are not shown to this user: "
    "GRANT pg_monitor TO it."
)


class Query(Spec):
    """A query of your own; the first column of its first row is judged."""

    sql: str = Field(
        description="One statement that reads.", examples=["select count(*) from jobs"]
    )
    name: str = Field("query", description="What its value is called.", examples=["open jobs"])
    unit: str = Field("", description="Its unit: s, B, %.")
    value: Limits = Field(Limits(), description="Limits on the value.")


class PostgresqlSpec(ServerSpec):
    """PostgreSQL: connections, role, replication, locks, long transactions, wraparound, slots.

    Its user needs LOGIN and pg_monitor: `CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor`.
    """

    library = Library("psycopg", "postgresql")
    example = """
        postgresql:
          user: monitor
          password: !secret file:/etc/monitord/pg.password
          tls: yes
          role: primary
          standbys: {critical: "1:"}
          lag: {warning: 30, critical: 300}
          query:
            sql: select count(*) from jobs where state = 'failed'
            name: failed jobs
            value: {warning: 0, critical: 20}
    """

    port: int = Field(5432, ge=1, le=65535, description="The port to connect to.")
    user: str = Field("monitor", description="Who we log in as; a reader with pg_monitor.")
    database: str = Field("postgres", description="The database to connect to.")
    role: Literal["primary", "standby"] | None = Field(
        None, description="What it must be; anything else is critical: a failover happened."
    )
    connections: Limits = Field(
        limits("80", "95"), description="Limits on connections in percent of max_connections."
    )
    lag: Limits = Field(
        limits("60", "600"), description="Limits on the seconds that a standby is behind."
    )
    lag_bytes: Limits = Field(
        Limits(), description="Limits on the bytes of WAL that a standby is behind."
    )
    standbys: Limits = Field(
        Limits(),
        description="Limits on standbys that stream from this primary.",
        examples=[{"critical": "1:"}],
    )
    locks: Limits = Field(
        limits("60", "600"), description="Limits on the seconds that anybody waits for a lock."
    )
    transactions: Limits = Field(
        limits("3600", "14400"),
        description="Limits on the seconds that the oldest transaction is open.",
    )
    wraparound: Limits = Field(
        limits("40", "75"),
        description="Limits on transaction ids used up, in percent of what stops the server.",
    )
    slots: Limits = Field(
        limits(str(1 << 30), str(10 << 30)),
        description="Limits on the bytes of WAL that a replication slot holds back.",
    )
    size: Limits = Field(Limits(), description="Limits on the database's size in bytes.")
    query: Query | None = Field(None, description="A query of your own.")


async def probe(spec: PostgresqlSpec, target: Target) -> Sequence[Result]:
    """Log in, ask and judge; see NetworkProbe for the contract."""
    endpoint = Endpoint.of(target.address, spec.port)

    async def work(password: str) -> Result:
        return await _look(spec, endpoint, password)

    return await look(spec, endpoint, target, work)


async def _look(spec: PostgresqlSpec, endpoint: Endpoint, password: str) -> Result:
    import psycopg

    started = perf_counter()
    try:
        connection = await psycopg.AsyncConnection.connect(
            autocommit=True, **_settings(spec, endpoint, password)
        )
    except psycopg.Error as error:
        raise _refused(str(error)) from error
    elapsed = perf_counter() - started

    async def ask(statement: str) -> list[Row]:
        cursor = await connection.execute(statement.encode())
        return list(await cursor.fetchmany(_ROWS)) if cursor.description else []

    try:
        told = await _told(ask, spec)
    except psycopg.Error as error:
        return _failed(endpoint.place, error.sqlstate or "", str(error))
    finally:
        await connection.close()
    return _judge(spec, endpoint.place, told, elapsed)


async def _told(ask: Ask, spec: PostgresqlSpec) -> Told:
    return await ask_all(ask, spec.query.sql if spec.query else "")


def _settings(spec: PostgresqlSpec, endpoint: Endpoint, password: str) -> dict[str, Any]:
    """Say all that the environment or a service file could say otherwise."""
    secure: dict[str, Any] = {"sslmode": "prefer"}
    if spec.tls is not None:
        secure = {"sslmode": "verify-full" if spec.tls.verify else "require"}
        secure["sslrootcert"] = (spec.tls.ca or "system") if spec.tls.verify else ""
    return {
        "host": endpoint.host,
        "port": endpoint.port,
        "dbname": spec.database,
        "user": spec.user,
        "password": password or None,
        "passfile": "/dev/null",
        "application_name": "monitord",
        "options": f"-c default_transaction_read_only=on -c statement_timeout={_STATEMENT}",
        **secure,
    }


def _refused(said: str) -> UnreachedError:
    text = one_line(said.rpartition("FATAL: ")[2] or said, 200)
    refused = any(word in said for word in _REFUSALS) or ("role" in text and "not exist" in text)
    if refused:
        return RefusedError(text)
    if "too many clients" in said or "remaining connection slots" in said:
        return UnreachedError(f"all of its connections are taken ({text}): a pool leaks")
    return UnreachedError(text)


def _failed(place: str, state: str, said: str) -> Result:
    text = one_line(said, 200)
    if state in _PRIVILEGES:
        return Result.unknown(f"{place}: our user may not ask: {text}", Cause.LOGIN)
    if state.startswith("57P"):
        return Result.critical(f"{place}: it broke off: {text}")
    return Result.unknown(f"{place}: a query failed: {text}", Cause.PLUGIN)


def _judge(spec: PostgresqlSpec, place: str, told: Told, elapsed: float) -> Result:
    role = "standby" if told.standby else "primary"
    percent = 100 * told.used / max(told.allowed, 1)
    age = 100 * told.wraparound[1] / _WRAPS_AT
    findings: list[Finding | None] = [judge_latency(spec, elapsed)]
    if spec.role is not None and role != spec.role:
        text = f"is a {role}, expected a {spec.role}: a failover happened"
        findings.append((Status.CRITICAL, text))
    busy = f"{told.used} of {told.allowed} connections used ({show_percent(percent)} %)"
    why = ": a pool leaks, or max_connections is too low"
    findings.append(spec.connections.judge(busy + why, percent, "%"))
    findings += [*_sessions(spec, told), *_replication(spec, told)]
    frozen = (
        f"database {told.wraparound[0]} has used {show_percent(age)} % of its transaction ids: "
        "autovacuum does not keep up; VACUUM FREEZE it before the server stops"
    )
    findings.append(spec.wraparound.judge(frozen, age, "%"))
    for name, active, held in told.slots:
        state = "" if active else ", which nobody uses,"
        text = f"slot {name}{state} holds back {show_bytes(held)} of WAL"
        findings.append(spec.slots.judge(text, held, "B"))
    text = f"database {spec.database} is {show_bytes(told.size)}"
    findings.append(spec.size.judge(text, told.size, "B"))
    measurements = [
        connect_time(spec, elapsed),
        spec.connections.measured("connections", percent, "%"),
        spec.wraparound.measured("wraparound", age, "%"),
        spec.size.measured("size", told.size, "B"),
        *_measured(spec, told),
    ]
    if spec.query is not None:
        finding, measured = custom(spec.query, told.custom)
        findings.append(finding)
        measurements += measured
    good = f"{role}, let us in after {show(elapsed)}, {told.used} of {told.allowed} connections"
    result = verdict(place, findings, good, tuple(measurements))
    details = "" if told.privileged else _LACKING
    return Result(result.status, result.summary, result.measurements, details=details)


def _sessions(spec: PostgresqlSpec, told: Told) -> Iterator[Finding | None]:
    if told.waiting is not None:
        one = told.waiting
        whom = f", held by process {one.blocker}" if one.blocker else ""
        text = f"process {one.pid} ({one.user}) waits for a lock since {show_age(one.seconds)}"
        others = f", {one.count} wait in all" if one.count > 1 else ""
        yield spec.locks.judge(text + whom + others, one.seconds, "s")
    if told.oldest is not None:
        one = told.oldest
        text = f"transaction of process {one.pid} ({one.user}) is open since "
        yield spec.transactions.judge(text + show_age(one.seconds), one.seconds, "s")


def _replication(spec: PostgresqlSpec, told: Told) -> Iterator[Finding | None]:
    if told.standby and not told.receiving:
        yield Status.CRITICAL, "receives nothing from its primary: its data grows old"
    if not told.standby:
        streaming = sum(one.state == "streaming" for one in told.replicas)
        yield spec.standbys.judge(f"{streaming} standbys stream from it", streaming)
    for one in told.replicas:
        who = f"standby {one.name}" if one.name else "it"
        if one.seconds is not None:
            text = f"{who} is {show_age(one.seconds)} behind"
            yield spec.lag.judge(text, one.seconds, "s")
        if one.behind is not None:
            text = f"{who} is {show_bytes(one.behind)} behind"
            yield spec.lag_bytes.judge(text, one.behind, "B")


def _measured(spec: PostgresqlSpec, told: Told) -> Iterator[Measurement]:
    if told.privileged:
        waits = told.waiting.seconds if told.waiting else 0.0
        yield spec.locks.measured("lock_wait", waits, "s")
        oldest = told.oldest.seconds if told.oldest else 0.0
        yield spec.transactions.measured("oldest_transaction", oldest, "s")
    if told.replicas:
        behind = max(one.behind or 0.0 for one in told.replicas)
        yield spec.lag_bytes.measured("lag_bytes", behind, "B")
        yield spec.lag.measured("lag", max(one.seconds or 0.0 for one in told.replicas), "s")


def custom(query: Query, row: Row | None) -> tuple[Finding | None, list[Measurement]]:
    """Judge what a query of the user's own gave."""
    name = one_line(query.name, 80)
    if row is None:
        return (Status.WARNING, f"{name}: the query gave no row"), []
    try:
        value = number(row[0])
    except (ValueError, IndexError):
        return (Status.WARNING, f"{name}: the query gave {one_line(str(row), 60)}, no number"), []
    finding = query.value.judge(f"{name}: {value:g}", value, query.unit)
    return finding, [query.value.measured(name, value, query.unit)]


KIND = NetworkProbe("postgresql", PostgresqlSpec, probe)
