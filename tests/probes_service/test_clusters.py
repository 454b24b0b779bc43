"""Elasticsearch's and RabbitMQ's answers as they document them, served by a real HTTP server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitord.model.result import Cause, Status
from tests.probes_service.asking import Site, ask, ask_all, site

HEALTH = {
    "cluster_name": "logs", "status": "green", "timed_out": False, "number_of_nodes": 3,
    "number_of_data_nodes": 3, "active_primary_shards": 5, "active_shards": 10,
    "relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": 0,
}  # fmt: skip
DISKS = [
    {"shards": "5", "disk.percent": "40", "host": "10.0.0.1", "node": "es1"},
    {"shards": "1", "disk.percent": None, "node": "UNASSIGNED"},
]
NODE = {
    "name": "rabbit@mq1", "running": True, "mem_alarm": False, "mem_used": 1 << 28,
    "mem_limit": 1 << 30, "disk_free_alarm": False, "disk_free": 1 << 33,
    "disk_free_limit": 50_000_000, "fd_used": 40, "partitions": [],
}  # fmt: skip
QUEUE = {"vhost": "/", "name": "orders", "messages": 3, "consumers": 2, "state": "running"}


def search(served: Site, disk: str = "40", **health: Any) -> None:
    disks = [{**DISKS[0], "disk.percent": disk}, DISKS[1]]
    served.pages["/_cluster/health"] = (200, json.dumps({**HEALTH, **health}))
    served.pages["/_cat/allocation?format=json&bytes=b"] = (200, json.dumps(disks))


@pytest.mark.parametrize(
    ("health", "given", "status", "said"),
    [({}, {}, "OK", "cluster logs is green, 3 nodes"),
     ({"status": "yellow", "unassigned_shards": 5}, {}, "WARNING", "yellow, 5 shards without"),
     ({"status": "red", "unassigned_shards": 7}, {}, "CRITICAL", "data is not there"),
     ({"number_of_nodes": 2}, {"nodes": {"critical": "3:"}}, "CRITICAL", "2 nodes (at least 3)"),
     ({"disk": "93"}, {}, "CRITICAL", "the disk of node es1 is 93 % full"),
     ({"status": "blue"}, {}, "UNKNOWN", "not the health of an Elasticsearch")],
)  # fmt: skip
def test_a_search_cluster(
    health: dict[str, Any], given: dict[str, Any], status: str, said: str
) -> None:
    with site({}) as served:
        search(served, **health)
        result = ask("elasticsearch", url=served.url, **given)
    assert result.status.name == status
    assert said in result.summary


def rabbit(served: Site, node: dict[str, Any], *queues: dict[str, Any]) -> None:
    path = (
        "/api/queues?columns=name,vhost,messages,consumers,auto_delete,exclusive,state"
        "&disable_stats=false"
    )
    served.pages["/api/nodes"] = (200, json.dumps([{**NODE, **node}]))
    served.pages[path] = (200, json.dumps([{**QUEUE, **one} for one in queues]))


@pytest.mark.parametrize(
    ("node", "status", "said"),
    [({}, "OK", "runs, no alarm"),
     ({"running": False}, "CRITICAL", "is down"),
     ({"mem_alarm": True}, "CRITICAL", "memory alarm, 256 MiB used (limit 1.0 GiB)"),
     ({"disk_free_alarm": True}, "CRITICAL", "disk alarm"),
     ({"partitions": ["rabbit@mq2"]}, "CRITICAL", "cut off from rabbit@mq2")],
)  # fmt: skip
def test_a_node_of_a_broker(node: dict[str, Any], status: str, said: str) -> None:
    with site({}) as served:
        rabbit(served, node)
        found = ask_all("rabbitmq", url=served.url)["rabbit@mq1"]
    assert found.status.name == status
    assert said in found.summary


@pytest.mark.parametrize(
    ("queue", "status", "said"),
    [({}, "OK", "3 messages, 2 consumers"),
     ({"messages": 20_000}, "CRITICAL", "20000 messages wait, 2 consumers (limit 10000)"),
     ({"consumers": 0}, "CRITICAL", "0 consumers, 3 messages wait (at least 1)"),
     ({"state": "crashed"}, "CRITICAL", "is crashed: its node is gone")],
)  # fmt: skip
def test_a_queue(queue: dict[str, Any], status: str, said: str) -> None:
    with site({}) as served:
        rabbit(served, {}, queue, {"name": "amq.gen-x", "exclusive": True})
        found = ask_all("rabbitmq", url=served.url, consumers={"critical": "1:"})
    assert set(found) == {"rabbit@mq1", "//orders"}
    assert found["//orders"].status.name == status
    assert said in found["//orders"].summary


def test_a_broker_that_refuses_us_is_unknown() -> None:
    with site({"/api/nodes": (401, '{"error":"not_authorised"}')}) as served:
        result = ask("rabbitmq", url=served.url)
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN)
