"""The `elasticsearch` probe: cluster health, shards without a node, disks near their watermark.

It judges what the cluster tells, of Elasticsearch or OpenSearch, and changes nothing. Sources:
Elasticsearch guide, "Cluster health API", "cat allocation API"; OpenSearch documents the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Measurement, Result, Status
from monitord.model.text import one_line
from monitord.probes.limits import show_percent
from monitord.probes.service.limits import Limits, limits, number
from monitord.probes.service.page import (
    PageSpec,
    answered,
    document,
    pages_of,
    senseless,
    slow,
    took,
)
from monitord.probes.verdict import Finding, verdict

_COLOURS = {"green": None, "yellow": Status.WARNING, "red": Status.CRITICAL}
_HEALTH = frozenset({200, 408})  # 408: it answers, and says that it timed out
_MEANING = {"yellow": "copies of shards are missing", "red": "data is not there"}


class ElasticsearchSpec(PageSpec):
    """Elasticsearch or OpenSearch: cluster health, unassigned shards, nodes, disks.

    url is the cluster's; its user needs the privilege `monitor`.
    """

    example = """
        elasticsearch:
          url: https://10.1.1.11:9200
          auth: {user: monitor, password: !secret file:/etc/monitord/search.password}
          nodes: {critical: "3:"}
    """

    nodes: Limits = Field(
        Limits(), description="Limits on the number of nodes.", examples=[{"critical": "3:"}]
    )
    unassigned: Limits = Field(
        Limits(), description="Limits on shards without a node, beside the colour."
    )
    disk: Limits = Field(
        limits("80", "90"),
        description="Limits on a node's disk in percent; at 85 it gets no new shards, at 90 they "
        "move away, at 95 writing ends, unless the cluster sets other watermarks.",
    )


def _urls(spec: ElasticsearchSpec) -> Sequence[str]:
    base = spec.url.rstrip("/")
    return (f"{base}/_cluster/health", f"{base}/_cat/allocation?format=json&bytes=b")


_requests = pages_of(_urls)


async def probe(spec: ElasticsearchSpec, target: Target) -> Sequence[Result]:
    """Ask health and disks and judge; see NetworkProbe for the contract."""
    health, allocation = _requests(spec)
    got = await document(health, target, _HEALTH)
    if isinstance(got, Result):
        return [got]
    at, told = got
    disks = await document(allocation, target)
    if isinstance(disks, Result):
        return [disks]
    try:
        colour, cluster = str(told["status"]), one_line(str(told["cluster_name"]), 60)
        nodes, lost = number(told["number_of_nodes"]), number(told["unassigned_shards"])
        grave = _COLOURS[colour]
        full = dict(_disks(disks[1]))
    except (KeyError, TypeError, ValueError):
        return [senseless(at, "the health of an Elasticsearch or OpenSearch cluster")]
    findings: list[Finding | None] = [slow(spec, at)]
    if grave is not None:
        shards = f"{colour}, {lost:.0f} shards without a node: {_MEANING[colour]}"
        findings.append((grave, shards))
    findings.append(spec.nodes.judge(f"{nodes:.0f} nodes", nodes))
    findings.append(spec.unassigned.judge(f"{lost:.0f} shards without a node", lost))
    for node, percent in full.items():
        text = f"the disk of node {node} is {show_percent(percent)} % full: shards will move away"
        findings.append(spec.disk.judge(text, percent, "%"))
    measurements = (
        took(spec, at),
        spec.nodes.measured("nodes", nodes),
        spec.unassigned.measured("unassigned", lost),
        spec.disk.measured("disk", max(full.values(), default=0.0), "%"),
        Measurement("relocating", number(told.get("relocating_shards") or 0)),
    )
    good = f"cluster {cluster} is {colour}, {nodes:.0f} nodes, {answered(at)}"
    return [verdict(at.thing.removesuffix("/_cluster/health"), findings, good, measurements)]


def _disks(rows: Any) -> Iterator[tuple[str, float]]:
    for row in rows:
        # The row of shards without a node has no disk.
        if isinstance(row, Mapping) and row.get("disk.percent") is not None:
            yield one_line(str(row.get("node")), 60), number(row["disk.percent"])


KIND = NetworkProbe("elasticsearch", ElasticsearchSpec, probe)
