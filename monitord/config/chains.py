"""Chains: each becomes a check of kind `chain` on its host, and part of its service.

What a chain may say is decided by its Spec, and judged as that of any check.
"""

import shlex
from array import array
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitord.config.checks import Policies, mode_under, try_render
from monitord.config.context import Context
from monitord.config.definitions import single
from monitord.config.layers import Layer
from monitord.config.names import nearest
from monitord.config.sections import Entry, Sections
from monitord.config.tree import Map, Place, Seq
from monitord.model.calendar import Calendar
from monitord.model.catalog import Check, Host, Rung, Service
from monitord.model.ids import CheckKey, check_key

KIND = "chain"
START, RERUN = "start-link", "rerun-link"
"""The runbooks by which links are started, and run again."""
_OURS = ("host", "service")

Layers = Mapping[str, Mapping[str, list[Layer]]]


def layers(context: Context, sections: Sections, hosts: Mapping[str, Host]) -> Layers:
    """Give what the chains say of checks, by host and name; each chain's host must exist."""
    found: defaultdict[str, dict[str, list[Layer]]] = defaultdict(dict)
    for entry in sections.named["chains"].values():
        tree = context.as_map(entry.value, entry.place, entry.name)
        host = None if tree is None else _host(context, entry, tree, hosts)
        if tree is not None and host is not None:
            found[host][entry.name] = [
                Layer(single(KIND, None, entry.place), entry.place, "chains"),
                Layer(_ladder(entry.place), entry.place, "chains"),
                Layer(_without(tree), entry.place, f"chain {entry.name}"),
            ]
    return found


def _host(context: Context, entry: Entry, tree: Map, hosts: Mapping[str, Host]) -> str | None:
    name = tree.get("host")
    if not isinstance(name, str):
        context.add(entry.place, f"{entry.name}: host: is missing (on which host do the jobs run?)")
        return None
    if name not in hosts:
        place = tree.value_place("host")
        context.add_missing(place, f"{entry.name}: there is no host {name}{nearest(name, hosts)}")
        return None
    return name


def _ladder(place: Place) -> Map:
    rungs = Seq(place.file, array("I", (place.line, place.column)))
    rungs.append(RERUN)
    return single("remediate", rungs, place)


def _without(tree: Map) -> Map:
    """Give a copy without what is ours; every entry keeps its place."""
    kept = Map(tree.file)
    for index, (key, value) in enumerate(tree.items()):
        if key not in _OURS:
            kept[key] = value
            kept.marks.extend(tree.marks[4 * index : 4 * index + 4])
    return kept


def join(
    context: Context, sections: Sections, services: Mapping[str, Service]
) -> dict[str, Service]:
    """Give the services with the chains that belong to them."""
    found = dict(services)
    for entry in sections.named["chains"].values():
        tree: Any = entry.value
        name = tree.get("service") if isinstance(tree, Map) else None
        if not name or not isinstance(tree.get("host"), str):
            continue
        service = found.get(str(name))
        if service is None:
            near = nearest(str(name), found)
            text = f"{entry.name}: there is no service {name}{near}"
            context.add_missing(tree.value_place("service"), text)
            continue
        key = check_key(tree["host"], entry.name)
        checks = tuple(dict.fromkeys((*service.checks, key)))
        found[service.name] = replace(service, checks=checks)
    return found


def bind(context: Context, policies: Policies, check: Check, host: Host, place: Place) -> Check:
    """Give the check with its links' commands in its rungs, and what starts them."""
    commands = {name: shlex.join(argv) for name, argv in _commands(check).items()}
    starter = policies.runbooks.get(START)
    starts: tuple[Rung, ...] = ()
    if starter is not None and commands:
        mode = mode_under(policies, starter, None)
        starts = (Rung(START, mode, starter.limits, starter.verify, dict(starter.parameters)),)
    rungs = [
        replace(rung, parameters={**rung.parameters, **commands})
        for rung in (*check.remediate, *starts)
    ]
    for rung in rungs:
        sample = replace(rung, parameters={**rung.parameters, "business_date": "2000-01-01"})
        for name in commands:
            what, _, item = name.partition(":")
            if what == "run":
                book = policies.runbooks[rung.runbook]
                text = f"{check.name}: {item}: {rung.runbook}"
                try_render(context, book, sample, host, text, place, item=item)
    ladder = len(check.remediate)
    kept = tuple(rungs[:ladder]) if commands else ()
    return replace(check, remediate=kept, starts=tuple(rungs[ladder:]))


def _commands(check: Check) -> Mapping[str, tuple[str, ...]]:
    spec: Any = check.spec
    found: Mapping[str, tuple[str, ...]] = spec.commands()
    return found


def judge(
    context: Context,
    built: Mapping[CheckKey, Check],
    calendars: Mapping[str, Calendar],
    places: Mapping[CheckKey, Place],
) -> None:
    """Note each chain whose calendar is not there."""
    for key, check in built.items():
        if check.kind == KIND:
            spec: Any = check.spec
            if spec.days not in calendars:
                near = nearest(spec.days, calendars)
                text = f"{check.name}.days: there is no calendar {spec.days}{near}"
                context.add_missing(places[key], text)
