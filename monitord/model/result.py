"""What a probe says: a status, a one-line summary, measurements. Expected sickness is data here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Status(IntEnum):
    """A check's outcome, numbered as Nagios plugins exit; PENDING is only a state's."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3
    PENDING = 4


class Cause(StrEnum):
    """Why a result is UNKNOWN: those of one cause are one incident, `unknown/<cause>`."""

    LOGIN = "login"  # the transport refused us: key, host key, account
    TRANSPORT = "transport"  # the transport was reached and then broke
    RESOLVER = "resolver"  # no resolver answered (NXDOMAIN is CRITICAL, not this)
    TIMEOUT = "timeout"  # our own deadline passed before the probe could judge
    PLUGIN = "plugin"  # a plugin exited 3, crashed or printed nothing usable
    MISSING = "missing"  # a tool, file or section that the probe needs is not there
    GONE = "gone"  # an item is no longer present
    EXECUTOR = "executor"  # our own executor did not answer
    PROBE = "probe"  # a bug of ours: the traceback is in the log


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number. `unit` is s, B, %, c (a counter) or empty; limits are Nagios range texts."""

    name: str
    value: float
    unit: str = ""
    warning: str = ""
    critical: str = ""
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """Outcome of one probe run for one item.

    `summary` is one line for a person: the thing, the value, the limit. `details` is what a ticket
    shows below. `memory`, when given, replaces the probe's declared memory (a log offset, the
    previous sample): JSON values only. `cause` is set on UNKNOWN only. Text here is hostile data.
    """

    status: Status
    summary: str
    measurements: tuple[Measurement, ...] = ()
    item: str = ""
    cause: Cause | None = None
    details: str = ""
    memory: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    @classmethod
    def ok(cls, summary: str, *measurements: Measurement, item: str = "") -> "Result":
        """Say that all is well."""
        return cls(Status.OK, summary, measurements, item)

    @classmethod
    def warning(cls, summary: str, *measurements: Measurement, item: str = "") -> "Result":
        """Say that it is not yet bad."""
        return cls(Status.WARNING, summary, measurements, item)

    @classmethod
    def critical(cls, summary: str, *measurements: Measurement, item: str = "") -> "Result":
        """Say that it is bad."""
        return cls(Status.CRITICAL, summary, measurements, item)

    @classmethod
    def unknown(cls, summary: str, cause: Cause, *, item: str = "") -> "Result":
        """Say that it could not be judged, and why."""
        return cls(Status.UNKNOWN, summary, (), item, cause)
