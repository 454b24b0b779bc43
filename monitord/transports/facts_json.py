"""Facts and plugin output as JSON and back: what goes over the wire between executor and core.

Pure. Both sides run the same version (hello says so), so the reading is strict: what is not there
or of another shape raises ValueError, and the caller treats it as a fault of its peer.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from monitord.model.facts import (
    ChangeFact,
    ChangesFact,
    ClockFact,
    DiskFact,
    Facts,
    FileFact,
    LoadFact,
    MemoryFact,
    PluginOutput,
    ProcessFact,
    ProgramFact,
    UnitFact,
)

T = TypeVar("T")


def facts_to_json(facts: Facts) -> dict[str, Any]:
    """Give the JSON object of `facts`; programs, keyed by an argv, become a list of pairs."""
    told = {name: getattr(facts, name) for name in ("host", "boot_id", "uptime")}
    told["disks"] = _each(facts.disks)
    told["memory"] = None if facts.memory is None else asdict(facts.memory)
    told["load"] = None if facts.load is None else asdict(facts.load)
    told["processes"] = _each(facts.processes)
    told["units"] = {name: asdict(unit) for name, unit in facts.units.items()}
    told["failed_units"] = None if facts.failed_units is None else list(facts.failed_units)
    told["files"] = {path: asdict(file) for path, file in facts.files.items()}
    told["programs"] = [[list(argv), _each(told)] for argv, told in facts.programs.items()]
    told["clock"] = None if facts.clock is None else asdict(facts.clock)
    told["changes"] = None if facts.changes is None else asdict(facts.changes)
    told["kernel"] = dict(facts.kernel)
    told["errors"] = dict(facts.errors)
    return told


def facts_from_json(told: Mapping[str, Any]) -> Facts:
    """Read what `facts_to_json` gave.

    Raises:
        ValueError: it is not of that shape.
    """
    return _strictly(_facts, told, "facts")


def _facts(told: Mapping[str, Any]) -> Facts:
    failed = told["failed_units"]
    return Facts(
        host=told["host"],
        boot_id=told["boot_id"],
        uptime=float(told["uptime"]),
        disks=_tuple(DiskFact, told["disks"]),
        memory=_one(MemoryFact, told["memory"]),
        load=_one(LoadFact, told["load"]),
        processes=_tuple(ProcessFact, told["processes"]),
        units={name: UnitFact(**unit) for name, unit in told["units"].items()},
        failed_units=None if failed is None else tuple(failed),
        files={path: FileFact(**file) for path, file in told["files"].items()},
        programs={
            tuple(argv): tuple(ProgramFact(**program) for program in programs)
            for argv, programs in told["programs"]
        },
        clock=_one(ClockFact, told["clock"]),
        changes=_changes(told["changes"]),
        kernel=dict(told["kernel"]),
        errors=dict(told["errors"]),
    )


def _changes(told: Mapping[str, Any] | None) -> ChangesFact | None:
    if told is None:
        return None
    return ChangesFact(_tuple(ChangeFact, told["rows"]) or (), tuple(told["unread"]))


def plugin_to_json(output: PluginOutput) -> dict[str, Any]:
    """Give the JSON object of what a plugin left."""
    return asdict(output)


def plugin_from_json(told: Mapping[str, Any]) -> PluginOutput:
    """Read what `plugin_to_json` gave.

    Raises:
        ValueError: it is not of that shape.
    """
    return _strictly(lambda fields: PluginOutput(**fields), told, "a plugin's output")


def _strictly(read: Callable[[Mapping[str, Any]], T], told: Mapping[str, Any], what: str) -> T:
    try:
        return read(told)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"this is not the JSON of {what}: {error}") from error


def _each(facts: tuple[Any, ...] | None) -> list[dict[str, Any]] | None:
    return None if facts is None else [asdict(fact) for fact in facts]


def _tuple(kind: Callable[..., T], told: list[dict[str, Any]] | None) -> tuple[T, ...] | None:
    return None if told is None else tuple(kind(**fields) for fields in told)


def _one(kind: Callable[..., T], told: dict[str, Any] | None) -> T | None:
    return None if told is None else kind(**told)
