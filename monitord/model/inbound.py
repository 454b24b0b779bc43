"""What comes from outside as a result: who may send it, and what was said of one check.

Nouns only. How a payload is read stands in monitord.inbound, what becomes of it in the engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from monitord.model.ids import CheckKey, Instant
from monitord.model.result import Status
from monitord.secrets import SecretRef

_NOTHING: Mapping[str, str] = MappingProxyType({})

PASSIVE = "passive"
"""The kind of check that takes results from outside, and of nothing else."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who may send results over HTTP, in which form, and about what.

    `kind` is alertmanager, grafana, json or results. Exactly one of `token` (bearer) and `hmac`
    (a shared secret that signs time and body) is set. `hosts` and `checks` are globs over names.
    `host` stands in where no label of `host_labels` names one; `check` are patterns over labels,
    the first that names a check of the host is it. `items` are the labels that make the item (none:
    all that are not known to be the same for each). `paths` say where things stand in JSON.
    """

    name: str
    kind: str
    token: str | SecretRef | None = None
    hmac: str | SecretRef | None = None
    hosts: tuple[str, ...] = ("*",)
    checks: tuple[str, ...] = ("*",)
    host: str = ""
    host_labels: tuple[str, ...] = ("host", "instance")
    check: tuple[str, ...] = ("alertmanager-{alertname}", "alertmanager")
    items: tuple[str, ...] = ()
    severity: str = "severity"
    warning: tuple[str, ...] = ("warning", "info", "none")
    paths: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody said of one check. All text in it is bounded and one line, and still hostile.

    `host` is a name or address, `checks` are names to try in their order. `alert` tells alerts of
    one item apart: the item is bad while any of them fires. Empty: it is the whole truth of the
    item. `at` is when it arrived here, `began` since when an alert fires by its sender's clock.
    """

    host: str
    checks: tuple[str, ...]
    status: Status
    summary: str
    at: Instant
    item: str = ""
    details: str = ""
    alert: str = ""
    began: Instant | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A report of a held check, kept until the hold ends: the newest of its item and alert.

    `report` holds the fields of a Told; rows are in the order in which they were told, by id.
    """

    id: int
    key: CheckKey
    item: str
    alert: str
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """How many reports were taken, and how many named nothing that their source may report."""

    taken: int
    unknown: int
