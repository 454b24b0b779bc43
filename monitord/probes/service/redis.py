"""The `redis` probe: answers, memory, replication link, persistence, rejected clients.

It judges what INFO tells and how long PING took; it changes nothing and reads no key.
Source: Redis documentation, "INFO". Valkey answers the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any, Literal

from pydantic import Field

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Library
from monitord.model.text import one_line
from monitord.probes.limits import show_age, show_bytes, show_percent
from monitord.probes.network.connect import Endpoint, explain
from monitord.probes.network.latency import judge_latency, show
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.service.limits import Limits, grown, limits, number, remembering
from monitord.probes.service.server import RefusedError, ServerSpec, connect_time, look
from monitord.probes.verdict import Finding, verdict

Told = Mapping[str, Any]


class RedisSpec(ServerSpec):
    """Redis or Valkey: answers in time, has memory left, saves, replicates, turns nobody away."""

    library = Library("redis", "redis")
    example = """
        redis:
          password: !secret file:/etc/monitord/redis.password
          memory: {warning: 80%, critical: 95%}
          role: primary
          replicas: {critical: "1:"}
    """

    port: int = Field(6379, ge=1, le=65535, description="The port to connect to.")
    role: Literal["primary", "replica"] | None = Field(
        None, description="What it must be; anything else is critical."
    )
    memory: Limits = Field(
        limits("80", "95"),
        description="Limits on memory used, in percent of maxmemory, or of the machine's.",
        examples=[{"warning": "80%", "critical": "95%"}],
    )
    clients: Limits = Field(
        limits("80", "95"), description="Limits on clients in percent of maxclients."
    )
    lag: Limits = Field(
        limits("30", "120"),
        description="Limits on the seconds since a replica last heard from its primary.",
    )
    replicas: Limits = Field(
        Limits(), description="Limits on connected replicas.", examples=[{"critical": "1:"}]
    )
    rejected: Limits = Field(
        limits("0"), description="Limits on clients turned away since the last look."
    )


async def probe(spec: RedisSpec, target: Target) -> Sequence[Result]:
    """Ping, ask INFO and judge; see NetworkProbe for the contract."""
    endpoint = Endpoint.of(target.address, spec.port)

    async def work(password: str) -> Result:
        told, elapsed = await _ask(spec, target, password)
        try:
            return _judge(spec, endpoint.place, told, elapsed, target.memory.get("", {}))
        except (KeyError, ValueError) as error:
            text = f"{endpoint.place}: INFO makes no sense: {one_line(str(error), 80)}"
            return Result.unknown(text, Cause.PLUGIN)

    return await look(spec, endpoint, target, work)


async def _ask(spec: RedisSpec, target: Target, password: str) -> tuple[Told, float]:
    from redis import asyncio as library
    from redis import exceptions
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    secure: dict[str, Any] = {}
    if spec.tls is not None:
        verify = "required" if spec.tls.verify else "none"
        secure = {"ssl": True, "ssl_cert_reqs": verify, "ssl_ca_certs": spec.tls.ca or None}
        secure["ssl_check_hostname"] = spec.tls.verify
    client = library.Redis(
        host=target.address,
        port=spec.port,
        username=spec.user or None,
        password=password or None,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),  # one look is one look: the check's own attempts come after it
        **secure,
    )
    try:
        async with client:
            started = perf_counter()
            await client.ping()
            elapsed = perf_counter() - started
            return await client.info(), elapsed
    except (exceptions.AuthenticationError, exceptions.NoPermissionError) as error:
        raise RefusedError(one_line(str(error), 120)) from error
    except exceptions.BusyLoadingError as error:
        raise UnreachedError("still loads its data into memory") from error
    except exceptions.RedisError as error:
        cause = error.__cause__ or error.__context__
        if isinstance(cause, OSError) and not isinstance(cause, TimeoutError):
            raise explain(cause) from error
        raise UnreachedError(one_line(str(error), 160)) from error


def _judge(spec: RedisSpec, place: str, told: Told, elapsed: float, memory: Told) -> Result:
    used, most = number(told["used_memory"]), number(told.get("maxmemory") or 0)
    of = "maxmemory" if most else "the machine's memory"
    most = most or number(told["total_system_memory"])
    percent = 100 * used / max(most, 1)
    rejected = number(told["rejected_connections"])
    turned = grown(memory, "rejected", rejected)
    clients, allowed = number(told["connected_clients"]), number(told.get("maxclients") or 0)
    full = 100 * clients / allowed if allowed else 0.0
    filled = (
        f"{show_bytes(used)} of {show_bytes(most)} used ({show_percent(percent)} % of {of}): "
        "keys without expiry pile up, or maxmemory is too low"
    )
    findings = [
        judge_latency(spec, elapsed),
        spec.memory.judge(filled, percent, "%"),
        spec.clients.judge(f"{clients:.0f} of {allowed:.0f} clients: a pool leaks", full, "%"),
        spec.rejected.judge(f"{turned:.0f} clients turned away: maxclients is too low", turned),
        *_replication(spec, told),
        *_saving(told),
    ]
    measurements = (
        connect_time(spec, elapsed),
        spec.memory.measured("memory", percent, "%"),
        Measurement("used_memory", used, "B"),
        spec.clients.measured("clients", full, "%"),
        Measurement("rejected", rejected, "c"),
        Measurement("evicted", number(told.get("evicted_keys", 0)), "c"),
        spec.replicas.measured("replicas", number(told.get("connected_slaves", 0))),
    )
    good = f"{_role(told)}, answered in {show(elapsed)}, {show_bytes(used)} used"
    return remembering(verdict(place, findings, good, measurements), rejected=rejected)


def _role(told: Told) -> str:
    return "primary" if told["role"] == "master" else "replica"


def _replication(spec: RedisSpec, told: Told) -> Iterator[Finding | None]:
    role = _role(told)
    if spec.role is not None and role != spec.role:
        yield Status.CRITICAL, f"is a {role}, expected a {spec.role}: a failover happened"
    if role == "primary":
        count = number(told.get("connected_slaves", 0))
        yield spec.replicas.judge(f"{count:.0f} replicas are connected", count)
        return
    primary = one_line(f"{told.get('master_host')}:{told.get('master_port')}", 80)
    if told.get("master_link_status") != "up":
        since = number(told.get("master_link_down_since_seconds", 0))
        span = f" for {show_age(since)}" if since > 0 else ""
        yield Status.CRITICAL, f"the link to its primary {primary} is down{span}: its data is old"
        return
    silent = number(told.get("master_last_io_seconds_ago", 0))
    yield spec.lag.judge(f"heard nothing of its primary {primary} for {silent:.0f} s", silent, "s")


def _saving(told: Told) -> Iterator[Finding]:
    if told.get("rdb_last_bgsave_status", "ok") != "ok":
        yield Status.CRITICAL, "the last save to disk (RDB) failed: disk full, or no rights on dir"
    if told.get("aof_last_write_status", "ok") != "ok":
        yield Status.CRITICAL, "cannot write its append-only file: the disk is full or broken"


KIND = NetworkProbe("redis", RedisSpec, probe)
