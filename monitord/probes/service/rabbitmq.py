"""The `rabbitmq` probe: nodes and their alarms, the depth and consumers of queues, an item each.

It judges what the management API tells and takes no message out. Source: RabbitMQ, "Management HTTP
API": /api/nodes, /api/queues.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from pydantic import Field

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Measurement, Result, Status
from monitord.model.text import one_line
from monitord.probes.limits import show_bytes
from monitord.probes.service.limits import Limits, limits, number
from monitord.probes.service.page import PageSpec, document, pages_of, senseless
from monitord.probes.verdict import Finding, verdict

_MOST = 1000  # queues
_COLUMNS = "name,vhost,messages,consumers,auto_delete,exclusive,state"


class RabbitmqSpec(PageSpec):
    """RabbitMQ: nodes that are down or have an alarm, queues that fill, consumers that are gone.

    Needs its management plugin; url is that API's, its user has the tag `monitoring`. Each node
    and each queue that stays (neither exclusive nor deleted by itself) is an item.
    """

    example = """
        rabbitmq:
          url: http://10.1.1.11:15672
          auth: {user: monitor, password: !secret file:/etc/monitord/rabbit.password}
          queues: ["shop/*"]
          depth: {warning: 1000, critical: 10000}
          consumers: {critical: "1:"}
    """

    queues: tuple[str, ...] = Field(
        ("*",),
        description="Only queues whose VHOST/NAME matches; `//x` is x in the default vhost.",
        examples=[["//orders", "shop/*"]],
    )
    depth: Limits = Field(
        limits("1000", "10000"), description="Limits on messages that wait in a queue."
    )
    consumers: Limits = Field(
        Limits(), description="Limits on a queue's consumers.", examples=[{"critical": "1:"}]
    )


def _urls(spec: RabbitmqSpec) -> Sequence[str]:
    base = spec.url.rstrip("/")
    return (f"{base}/api/nodes", f"{base}/api/queues?columns={_COLUMNS}&disable_stats=false")


_requests = pages_of(_urls)


async def probe(spec: RabbitmqSpec, target: Target) -> Sequence[Result]:
    """Ask nodes and queues and judge; see NetworkProbe for the contract."""
    results: list[Result] = []
    for request, read in zip(_requests(spec), (_nodes, _queues), strict=True):
        got = await document(request, target)
        if isinstance(got, Result):
            return [got]
        at, told = got
        try:
            results += read(spec, told)
        except (KeyError, TypeError, ValueError, AttributeError):
            return [senseless(at, "an answer of RabbitMQ's management API")]
    return results


def _nodes(_spec: RabbitmqSpec, told: Any) -> Iterator[Result]:
    for node in told:
        name = one_line(str(node["name"]), 80)
        findings = list(_alarms(node))
        result = verdict(f"node {name}", findings, "runs, no alarm", tuple(_measured(node)))
        yield Result(result.status, result.summary, result.measurements, item=name)


def _alarms(node: Mapping[str, Any]) -> Iterator[Finding]:
    if not node["running"]:
        yield Status.CRITICAL, "is down: its host or its broker has stopped, or it was cut off"
        return
    if node.get("mem_alarm"):
        used, limit = (show_bytes(number(node[key])) for key in ("mem_used", "mem_limit"))
        text = f"memory alarm, {used} used (limit {limit}): nobody can publish; consumers are slow"
        yield Status.CRITICAL, text
    if node.get("disk_free_alarm"):
        free, limit = (show_bytes(number(node[key])) for key in ("disk_free", "disk_free_limit"))
        yield Status.CRITICAL, f"disk alarm, {free} free (at least {limit}): nobody can publish"
    for peer in node.get("partitions") or ():
        yield Status.CRITICAL, f"is cut off from {one_line(str(peer), 60)}: the cluster is split"


def _measured(node: Mapping[str, Any]) -> Iterator[Measurement]:
    for name, key, unit in (
        ("memory", "mem_used", "B"),
        ("disk_free", "disk_free", "B"),
        ("descriptors", "fd_used", ""),
    ):
        if isinstance(node.get(key), int | float):
            yield Measurement(name, number(node[key]), unit)


def _queues(spec: RabbitmqSpec, told: Any) -> Iterator[Result]:
    for queue in told[:_MOST]:
        name = f"{queue['vhost']}/{queue['name']}"
        passing = queue.get("exclusive") or queue.get("auto_delete")
        if passing or not any(fnmatchcase(name, pattern) for pattern in spec.queues):
            continue
        # A queue that was made this moment has no numbers yet.
        depth, consumers = (number(queue.get(key) or 0) for key in ("messages", "consumers"))
        findings = [
            spec.depth.judge(f"{depth:.0f} messages wait, {consumers:.0f} consumers", depth),
            spec.consumers.judge(
                f"{consumers:.0f} consumers, {depth:.0f} messages wait", consumers
            ),
        ]
        if queue.get("state") in {"down", "crashed", "stopped"}:
            findings.append((Status.CRITICAL, f"is {queue['state']}: its node is gone"))
        measurements = (
            spec.depth.measured("messages", depth),
            spec.consumers.measured("consumers", consumers),
        )
        item = one_line(name, 100)
        good = f"{depth:.0f} messages, {consumers:.0f} consumers"
        result = verdict(f"queue {item}", findings, good, measurements)
        yield Result(result.status, result.summary, result.measurements, item=item)


KIND = NetworkProbe("rabbitmq", RabbitmqSpec, probe)
