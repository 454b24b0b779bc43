"""The real kubectl against a server that answers as a cluster's: what it gets is judged."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from monitord.model.result import Cause, Result, Status
from tests.probes_facts.looking import Watch, shell
from tests.world.needs import requires
from tests.world.process import free_port

pytestmark = requires("kubectl")

GROUPS = {
    "v1": {"nodes": "Node", "pods": "Pod", "persistentvolumeclaims": "PersistentVolumeClaim"},
    "apps/v1": {
        "deployments": "Deployment",
        "statefulsets": "StatefulSet",
        "daemonsets": "DaemonSet",
    },
}


class Cluster:
    """What the server holds, by resource; `status` other than 200 refuses all."""

    def __init__(self, folder: Path, port: int) -> None:
        self.held: dict[str, list[dict[str, Any]]] = {}
        self.status = 200
        self.config = folder / "kubeconfig"
        self.config.write_text(json.dumps(_kubeconfig(port)))

    def looks(self, **given: Any) -> dict[str, Result]:
        """Look at it with kubectl."""
        return self.watch(**given).looks()

    def watch(self, **given: Any) -> Watch:
        """Give one check of it."""
        return Watch("kubernetes", {"kubeconfig": str(self.config), **given}, shell("dash"))

    def answer(self, path: str) -> tuple[int, Mapping[str, Any]]:
        """Give what its API answers."""
        if self.status != 200:
            told = {"message": "Unauthorized", "reason": "Unauthorized", "code": self.status}
            return self.status, {"kind": "Status", "status": "Failure", **told}
        if path in _DISCOVERED:
            return 200, _DISCOVERED[path]
        before, _, kind = path.rpartition("/")
        space = before.partition("/namespaces/")[2]
        held = self.held.get(kind, ())
        items = [one for one in held if not space or one["metadata"]["namespace"] == space]
        return 200, {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items}


def _kubeconfig(port: int) -> Mapping[str, Any]:
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "test", "user": {"token": "x"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }  # fmt: skip


def _resources(group: str, kinds: Mapping[str, str]) -> Mapping[str, Any]:
    return {
        "kind": "APIResourceList", "groupVersion": group,
        "resources": [
            {"name": name, "singularName": "", "namespaced": name != "nodes", "kind": kind,
             "verbs": ["get", "list"]}
            for name, kind in kinds.items()
        ],
    }  # fmt: skip


_APPS = {"groupVersion": "apps/v1", "version": "v1"}
_DISCOVERED: Mapping[str, Mapping[str, Any]] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {
        "kind": "APIGroupList",
        "groups": [{"name": "apps", "versions": [_APPS], "preferredVersion": _APPS}],
    },
    "/api/v1": _resources("v1", GROUPS["v1"]),
    "/apis/apps/v1": _resources("apps/v1", GROUPS["apps/v1"]),
    "/version": {"major": "1", "minor": "32", "gitVersion": "v1.32.0"},
}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, told = made.answer(urlsplit(self.path).path)
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base's name
            """Say nothing: a test's output is its failures."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Cluster(tmp_path, server.server_address[1])
        made.held = {
            "nodes": [_node("n1"), _node("n2")],
            "deployments": [_workload("Deployment", "shop", "web", 3, 3)],
            "statefulsets": [_workload("StatefulSet", "shop", "db", 2, 2)],
            "daemonsets": [_daemon("kube-system", "proxy", 2, 2)],
            "pods": [_pod("shop", "web-1"), _pod("shop", "web-2")],
            "persistentvolumeclaims": [_claim("shop", "data", "Bound")],
        }
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield made
        server.shutdown()


def _node(name: str, *, ready: str = "True", off: bool = False, **more: str) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}]
    conditions += [{"type": name, "status": status} for name, status in more.items()]
    spec = {"unschedulable": True} if off else {}
    return {
        "kind": "Node", "apiVersion": "v1", "metadata": {"name": name}, "spec": spec,
        "status": {"conditions": conditions},
    }  # fmt: skip


def _workload(kind: str, space: str, name: str, want: int, ready: int) -> dict[str, Any]:
    return {
        "kind": kind, "apiVersion": "apps/v1", "metadata": {"namespace": space, "name": name},
        "spec": {"replicas": want}, "status": {"readyReplicas": ready} if ready else {},
    }  # fmt: skip


def _daemon(space: str, name: str, want: int, ready: int) -> dict[str, Any]:
    return {
        "kind": "DaemonSet", "apiVersion": "apps/v1",
        "metadata": {"namespace": space, "name": name},
        "status": {"desiredNumberScheduled": want, "numberReady": ready},
    }  # fmt: skip


def _pod(
    space: str, name: str, phase: str = "Running", waits: str = "", restarts: int = 0
) -> dict[str, Any]:
    state = {"waiting": {"reason": waits}} if waits else {"running": {}}
    last = {"terminated": {"reason": "OOMKilled"}} if restarts else {}
    one = {"name": "c", "state": state, "lastState": last, "restartCount": restarts}
    return {
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"namespace": space, "name": name, "creationTimestamp": "2020-01-01T00:00:00Z"},
        "status": {"phase": phase, "containerStatuses": [one] if phase == "Running" else []},
    }  # fmt: skip


def _claim(space: str, name: str, phase: str) -> dict[str, Any]:
    return {
        "kind": "PersistentVolumeClaim", "apiVersion": "v1",
        "metadata": {"namespace": space, "name": name}, "status": {"phase": phase},
    }  # fmt: skip


def test_a_cluster_that_is_well(cluster: Cluster) -> None:
    found = cluster.looks()
    assert {item: one.status for item, one in found.items()} == dict.fromkeys(
        ["node/n1", "node/n2", "Deployment/shop/web", "StatefulSet/shop/db",
         "DaemonSet/kube-system/proxy", "pods", "volumes"], Status.OK,
    ), found  # fmt: skip
    assert found["pods"].summary == "pods: 2 run"


def test_nodes_that_are_silent_not_ready_or_under_pressure(cluster: Cluster) -> None:
    cluster.held["nodes"] = [
        _node("gone", ready="Unknown"), _node("ill", ready="False"),
        _node("full", DiskPressure="True"), _node("off", off=True),
    ]  # fmt: skip
    found = cluster.looks(what=["nodes"])
    assert {item: (one.status.name, one.summary) for item, one in found.items()} == {
        "node/gone": ("CRITICAL", "node/gone: is silent: its kubelet tells nothing any more"),
        "node/ill": ("CRITICAL", "node/ill: is not ready: its kubelet says so (describe node)"),
        "node/full": ("WARNING", "node/full: has DiskPressure"),
        "node/off": ("OK", "node/off: is ready and takes no new pods (cordoned)"),
    }


def test_workloads_that_lack_pods(cluster: Cluster) -> None:
    cluster.held["deployments"] = [
        _workload("Deployment", "shop", "web", 3, 1), _workload("Deployment", "shop", "api", 2, 0),
        _workload("Deployment", "shop", "off", 0, 0), _workload("Deployment", "ci", "x", 9, 0),
    ]  # fmt: skip
    found = cluster.looks(what=["workloads"], ignore=["Deployment/ci/*"])
    assert found["Deployment/shop/web"].summary == "Deployment/shop/web: 1 of 3 pods are ready"
    assert found["Deployment/shop/web"].status is Status.WARNING
    assert found["Deployment/shop/api"].summary == "Deployment/shop/api: none of 2 pods is ready"
    assert found["Deployment/shop/api"].status is Status.CRITICAL
    assert found["Deployment/shop/off"].summary == "Deployment/shop/off: is scaled to nothing"
    assert "Deployment/ci/x" not in found
    assert cluster.looks(what=["workloads"], namespaces=["ci"]).keys() == {"Deployment/ci/x"}


def test_pods_that_crash_wait_or_restart(cluster: Cluster) -> None:
    watch = cluster.watch(what=["pods"], max_restarts=1)
    assert watch.looks()["pods"].status is Status.OK
    cluster.held["pods"] = [
        _pod("shop", "web-1", waits="CrashLoopBackOff", restarts=9),
        _pod("shop", "web-2", restarts=4),
        _pod("shop", "big", phase="Pending"),
    ]
    watch.memory = {"pods": {"restarts": {"shop/web-2": 1}}}
    result = watch.looks()["pods"]
    assert result.status is Status.CRITICAL
    assert result.summary == (
        "pods: 1 of them cannot start: shop/web-1 (CrashLoopBackOff); 1 of them waits to begin for "
        "over 10m: too little room?: shop/big; 1 of them was restarted since the last look: "
        "shop/web-2 (3 times, OOMKilled)"
    )


def test_claims_without_a_volume(cluster: Cluster) -> None:
    cluster.held["persistentvolumeclaims"] = [
        _claim("shop", "a", "Pending"),
        _claim("shop", "b", "Lost"),
    ]
    result = cluster.looks(what=["volumes"])["volumes"]
    assert result.status is Status.CRITICAL
    assert "has lost its volume: shop/b; 1 of them has no volume yet: shop/a" in result.summary


def test_a_refusal_is_ours_to_mend_and_silence_the_clusters(cluster: Cluster) -> None:
    cluster.status = 401
    (refused,) = cluster.looks().values()
    assert (refused.status, refused.cause) == (Status.UNKNOWN, Cause.LOGIN)
    cluster.config.write_text(json.dumps(_kubeconfig(free_port())))
    (silent,) = cluster.looks().values()
    assert silent.status is Status.CRITICAL
    assert "the API server does not answer" in silent.summary
    (absent,) = Watch("kubernetes", {"kubeconfig": "/no/such"}, shell("dash")).looks().values()
    assert "/no/such cannot be read by the reading login" in absent.summary
