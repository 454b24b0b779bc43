"""What the tests of the judging probes share: short ways to make facts, and to judge them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitord.model.facts import DiskFact, Facts, ProcessFact, UnitFact
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Result
from monitord.probes import PROBES

GIB = 1 << 30


def judged(
    kind: str,
    facts: Facts,
    given: Mapping[str, Any] | None = None,
    memory: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Result]:
    """Judge facts as a check of `kind` with the settings `given`; results by item."""
    probe = PROBES[kind]
    assert isinstance(probe, FactProbe)
    spec = probe.spec.model_validate(dict(given or {}))
    results = probe.judge(spec, facts, Target("web1", "10.1.1.11", memory or {}))
    by_item = {result.item: result for result in results}
    assert len(by_item) == len(results), "one result per item"
    return by_item


def disk(mount: str = "/", *, used: float = 50, **more: Any) -> DiskFact:
    """A filesystem of 100 GiB, `used` percent of it."""
    fields: dict[str, Any] = {
        "device": "/dev/sda1",
        "fstype": "ext4",
        "size": 100 * GIB,
        "used": int(used * GIB),
        "available": int((100 - used) * GIB),
        "inodes": 1000,
        "inodes_used": 10,
        "read_only": False,
    }
    return DiskFact(mount=mount, **{**fields, **more})


def process(pid: int = 1, name: str = "nginx", **more: Any) -> ProcessFact:
    """A process of root's that sleeps since an hour and holds 10 MiB."""
    fields: dict[str, Any] = {
        "command": f"/usr/sbin/{name}",
        "user": "root",
        "state": "S",
        "rss": 10 << 20,
        "age": 3600.0,
    }
    return ProcessFact(pid=pid, name=name, **{**fields, **more})


def unit(name: str = "nginx", **more: Any) -> UnitFact:
    """A unit that runs and starts at boot."""
    fields: dict[str, Any] = {
        "load": "loaded",
        "active": "active",
        "sub": "running",
        "enabled": "enabled",
        "result": "success",
        "main_pid": 77,
        "restarts": 0,
    }
    return UnitFact(name=f"{name}.service", **{**fields, **more})
