"""The report of a month as one long table: a part, what it is about, what is measured, the value.

Long and not wide: what is added later is more rows, and no program that reads it breaks.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from monitord.model.table import Cell

COLUMNS = ("part", "about", "measure", "value")
Row = tuple[str, str, str, Cell]

_OF_SERVICE = (
    "sla",
    "target",
    "window",
    "share",
    "met",
    "agreed_s",
    "corrections",
    "seal",
    "sealed",
    "recomputed",
)
_OF_RUNBOOK = (
    "attempts", "verified", "success", "low", "high", "wrong", "recurred", "recurrence",
    "repair_p50", "repair_p95", "shadowed", "alone",
)  # fmt: skip
_OF_PROBLEM = ("key", "status", "title", "incidents", "cause", "cure")


def rows(document: Mapping[str, Any]) -> Iterator[Row]:
    """Give the rows of a report."""
    for name in ("month", "from", "until", "timezone", "instance", "made"):
        yield "report", "", name, document[name]
    for service in document["services"]:
        yield from _of_service(service)
    yield from _of_incidents(document["incidents"])
    for runbook in document["runbooks"]:
        for name in _OF_RUNBOOK:
            yield "runbook", runbook["name"], name, runbook[name]
        for guard, count in runbook["refused"].items():
            yield "runbook", runbook["name"], f"refused by {guard}", count
    for drill in document["drills"]:
        for name in ("status", "failed", "summary"):
            yield "drill", drill["key"], name, drill[name]
    for problem in document["problems"]:
        for name in _OF_PROBLEM:
            yield "problem", str(problem["problem"]), name, problem[name]


def _of_service(service: Mapping[str, Any]) -> Iterator[Row]:
    about = service["service"]
    for name in _OF_SERVICE:
        value = service[name]
        yield "service", about, name, str(value).lower() if isinstance(value, bool) else value
    for said in service["differs"]:
        yield "service", about, "differs", said
    for name, seconds in service["times_s"].items():
        yield "service", about, f"{name}_s", seconds
    for promise, counts in service["promises"].items():
        for word, number in counts.items():
            yield "service", about, f"{promise} {word}", number


def _of_incidents(found: Mapping[str, Any]) -> Iterator[Row]:
    for name in ("opened", "parts", "automation", "unanswered"):
        yield "incidents", "", name, found[name]
    for part in ("acknowledged", "repaired"):
        for name, value in found[part].items():
            yield "incidents", part, name if name == "count" else f"{name}_s", value
    for part in ("priorities", "ended"):
        for name, number in found[part].items():
            yield "incidents", part, name, number
    for one in found["recurring"]:
        yield "recurring", one["key"], "outages", one["count"]
        yield "recurring", one["key"], "seconds", one["seconds"]
