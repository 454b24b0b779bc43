"""What a check gets when nobody says otherwise: intervals, attempts, time limits (DESIGN §10).

The lowest layer of every check, under the shipped definitions. A kind that is not listed says its
own by `Spec.rhythm`; one that says nothing gets `_COMMON` and the time limit of its way of probing.
"""

from collections.abc import Mapping
from typing import Any

from monitord.model.kinds import (
    DeviceProbe,
    FactProbe,
    NetworkProbe,
    PluginProbe,
    ProbeKind,
    ScriptProbe,
)

REACH = "reach"
"""The check that `behind` looks at; a parent without one gets it."""

TRANSPORT = "ssh"
"""The check of a host's SSH transport, and the kind that performs it."""

REACH_KIND = "icmp"

PLACE = "default"

_COMMON: Mapping[str, Any] = {"every": "60s", "attempts": 3, "recoveries": 2}
_REACHABILITY = {"every": "60s", "retry_every": "15s", "attempts": 3}
_PRESSURE = {"every": "60s", "retry_every": "60s", "attempts": 5}
_SERVICE = {"every": "60s", "retry_every": "15s", "attempts": 2}
_BY_KIND: Mapping[str, Mapping[str, Any]] = {
    **dict.fromkeys(("icmp", "tcp", "http", "ssh"), _REACHABILITY),
    **dict.fromkeys(("memory", "load"), _PRESSURE),
    **dict.fromkeys(("systemd", "supervisor", "process"), _SERVICE),
    "disk": {"every": "5m", "retry_every": "60s", "attempts": 2},
    "clock": {"every": "5m", "retry_every": "60s", "attempts": 3},
    "file": {"every": "5m", "retry_every": "60s", "attempts": 2},
    "nagios": {"every": "60s", "retry_every": "15s", "attempts": 3},
    "job": {"every": "60s", "attempts": 1, "recoveries": 1, "first_rung_after": "0s"},
    "device": {"every": "60s", "retry_every": "15s", "attempts": 3},
    "health": {"every": "30s", "attempts": 3},
    "passive": {"every": "60s", "attempts": 1, "recoveries": 1},
    "backup": {"every": "1h", "retry_every": "10m", "attempts": 2, "recoveries": 1},
    "drill": {"every": "6h", "timeout": "2h", "attempts": 1, "recoveries": 1},
}
_TIMEOUTS: tuple[tuple[type, str], ...] = (
    (NetworkProbe, "5s"),
    (FactProbe, "20s"),
    (PluginProbe, "30s"),
    (ScriptProbe, "5m"),
    (DeviceProbe, "20s"),
)
_RECORD_TIMEOUT = "5s"


def for_kind(kind: ProbeKind) -> dict[str, Any]:
    """Give the settings that a check of this kind starts from, as a user would write them.

    `retry_every` is missing where the kind has none of its own: it then is the interval itself.
    """
    timeout = next((text for way, text in _TIMEOUTS if isinstance(kind, way)), _RECORD_TIMEOUT)
    return {**_COMMON, "timeout": timeout, **_BY_KIND.get(kind.name, {}), **kind.spec.rhythm}
