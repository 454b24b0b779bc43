"""Checks that a service has of its own: each runs once, from where monitord runs.

A service with a map under `checks:` bears them as a host would, so that their keys, orders,
exceptions and pages are those of any check; it is no machine, and nothing logs in there.
"""

from collections.abc import Mapping
from dataclasses import replace

from monitord.config.context import Context
from monitord.config.hosts import Fleet
from monitord.config.names import expand
from monitord.config.sections import Entry, Sections
from monitord.config.tree import Map


def bearing(context: Context, sections: Sections) -> Sections:
    """Give the sections with a host for each service that has checks of its own."""
    taken = _names(sections.named["hosts"])
    found = dict(sections.named["hosts"])
    for entry in sections.named["services"].values():
        tree = entry.value
        if not isinstance(tree, Map) or not isinstance(tree.get("checks"), Map):
            continue
        if entry.name in taken:
            text = f"service {entry.name} has checks of its own, and there is a host of this name"
            context.add(entry.place, f"{text}: both would be {entry.name}/… (rename one of them)")
            continue
        found[entry.name] = replace(entry, value=_only_checks(tree))
    return replace(sections, named={**sections.named, "hosts": found})


def marked(sections: Sections, fleet: Fleet) -> Fleet:
    """Give the fleet with what stands for a service told from machines."""
    hosts = {
        name: replace(host, of_service=True) if _bears(sections, name) else host
        for name, host in fleet.hosts.items()
    }
    return replace(fleet, hosts=hosts)


def _bears(sections: Sections, name: str) -> bool:
    entry = sections.named["services"].get(name)
    tree = entry.value if entry is not None else None
    return isinstance(tree, Map) and isinstance(tree.get("checks"), Map)


def _only_checks(tree: Map) -> Map:
    """Give a copy with nothing but its checks, at their places."""
    kept = Map(tree.file)
    for index, (key, value) in enumerate(tree.items()):
        if key == "checks":
            kept[key] = value
            kept.marks.extend(tree.marks[4 * index : 4 * index + 4])
    return kept


def _names(hosts: Mapping[str, Entry]) -> set[str]:
    """Give the names of all hosts; what cannot be read is told where hosts are made."""
    found: set[str] = set()
    for name in hosts:
        try:
            found.update(one for one, _ in expand(name))
        except ValueError:
            continue
    return found
