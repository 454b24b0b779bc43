"""An Ansible inventory file, INI or YAML: hosts, their groups, and how SSH reaches them.

Of variables only ansible_host, ansible_port and ansible_user count. It reads; it judges no row.
"""

import re
import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitord.config.names import nearest
from monitord.config.tree import Map, Place
from monitord.config.yaml12 import Reading, parse
from monitord.errors import ConfigError, Problem
from monitord.executor.inventory.rows import Answer, Raw
from monitord.executor.inventory.tables import text_of
from monitord.model.inventory import FieldsModel

_USUAL = FieldsModel(name=("name",), address=("ansible_host",), groups=("groups",))
_SECTION = re.compile(r"\[([^\[\]:]+)(?::(\w+))?\]\s*(?:[#;].*)?")
_RANGE = re.compile(r"\[([0-9]+|[a-zA-Z]):([0-9]+|[a-zA-Z])(?::([0-9]+))?\]")
_WANTED = ("ansible_host", "ansible_port", "ansible_user")
_MOST = 100_000  # names of one range
_NO_GROUP = frozenset({"all", "ungrouped"})
_KINDS = ("children", "vars")


@dataclass(slots=True)
class _Found:
    """What stands in a file so far."""

    file: str
    lines: dict[str, int] = field(default_factory=dict)
    own: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    groups: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    children: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    shared: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    problems: list[Problem] = field(default_factory=list)

    def fault(self, line: int, text: str) -> None:
        self.problems.append(Problem(self.file, line, 1, text))

    def host(self, name: str, line: int, group: str, values: Mapping[str, Any]) -> None:
        try:
            names = list(_expanded(name))
        except ValueError as error:
            self.fault(line, str(error))
            return
        for one in names:
            self.lines.setdefault(one, line)
            self.own[one].update(_wanted(values))
            self.groups[group][one] = None


def read(path: Path) -> Answer:
    """Give the hosts.

    Raises:
        MonitordError: the file cannot be read.
        ConfigError: a line cannot be understood.
    """
    found = _Found(str(path))
    text = text_of(path)
    if path.suffix in (".yml", ".yaml"):
        _yaml(found, text)
    else:
        _ini(found, text)
    if found.problems:
        raise ConfigError(found.problems[:20])
    return Answer(str(path), list(_rows(found)), _USUAL)


def _wanted(values: Mapping[str, Any]) -> dict[str, str]:
    given = {key: values[key] for key in _WANTED if values.get(key) is not None}
    return {key: str(value) for key, value in given.items() if "{{" not in str(value)}


def _rows(found: _Found) -> Iterator[Raw]:
    above: dict[str, list[str]] = defaultdict(list)
    for group, children in found.children.items():
        for child in children:
            above[child].append(group)
    of: dict[str, list[str]] = defaultdict(list)
    for group, hosts in found.groups.items():
        for host in hosts:
            of[host].append(group)
    for host, line in found.lines.items():
        groups = _all_above(of[host], above)
        values: dict[str, str] = dict(found.shared.get("all", {}))
        for group in reversed(groups):  # the nearest group's word stands
            values.update(found.shared.get(group, {}))
        values.update(found.own[host])
        named = [group for group in groups if group not in _NO_GROUP]
        yield Raw(line, {**values, "name": host, "groups": named})


def _all_above(groups: list[str], above: Mapping[str, list[str]]) -> list[str]:
    """Give groups and what they are children of, nearest first; a circle ends by itself."""
    found: dict[str, None] = {}
    waiting = list(groups)
    while waiting:
        group = waiting.pop(0)
        if group not in found:
            found[group] = None
            waiting.extend(above.get(group, ()))
    return list(found)


def _ini(found: _Found, text: str) -> None:
    group, kind = "ungrouped", ""
    for line, written in enumerate(text.splitlines(), 1):
        words = written.strip()
        if not words or words[0] in "#;":
            continue
        if words.startswith("[") and (match := _SECTION.fullmatch(words)):
            group, kind = match[1].strip(), match[2] or ""
            if kind not in ("", *_KINDS):
                found.fault(line, f"[{group}:{kind}]: unknown{nearest(kind, _KINDS)}")
        elif kind == "children":
            found.children[group][words.split()[0]] = None
        elif kind == "vars":
            key, _, value = words.partition("=")
            found.shared[group].update(_wanted({key.strip(): value.strip().strip("'\"")}))
        else:
            _ini_host(found, words, line, group)


def _ini_host(found: _Found, words: str, line: int, group: str) -> None:
    try:
        name, *pairs = shlex.split(words, comments=True)
    except ValueError as error:
        found.fault(line, f"{words[:80]!r} cannot be read: {error} (close the quote)")
        return
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        found.fault(line, f"{wrong[0]!r} is no variable (write {name} ansible_host=10.0.0.1)")
        return
    values = dict(pair.split("=", 1) for pair in pairs)
    host, colon, port = name.rpartition(":")
    if colon and port.isdigit() and "[" not in port and host.count(":") == 0:
        name, values = host, {"ansible_port": port, **values}
    found.host(name, line, group, values)


def _expanded(name: str) -> Iterator[str]:
    """Give the names of a range such as web[01:10] or db[a:c]."""
    match = _RANGE.search(name)
    if match is None:
        yield name
        return
    low, high, step = match[1], match[2], int(match[3] or 1)
    if low.isdigit() != high.isdigit() or step < 1:
        raise ValueError(f"{name!r} holds the range {match[0]} of letters and numbers")
    first, last = (int(low), int(high)) if low.isdigit() else (ord(low), ord(high))
    if last < first or last - first >= _MOST:
        raise ValueError(f"{name!r} holds the range {match[0]}, which is empty or too wide")
    for number in range(first, last + 1, step):
        text = f"{number:0{len(low)}}" if low.isdigit() else chr(number)
        yield from _expanded(f"{name[: match.start()]}{text}{name[match.end() :]}")


def _yaml(found: _Found, text: str) -> None:
    reading = parse(text.encode(), Reading(found.file))
    if reading.broken:
        found.problems.extend(reading.problems)
    elif not isinstance(reading.tree, Map):
        found.fault(1, "is no inventory (write all: {hosts: {web1: {ansible_host: 10.0.0.1}}})")
    else:
        for group, value, place in reading.tree.entries():
            _group(found, group, value, place)


def _group(found: _Found, group: str, value: Any, place: Place) -> None:
    if value is None:
        return
    if not isinstance(value, Map):
        found.fault(place.line, f"{group}: is no group (write hosts:, children: or vars:)")
        return
    for key, inside, at in value.entries():
        if key not in ("hosts", "children", "vars"):
            known = ("hosts", "children", "vars")
            found.fault(at.line, f"{group}: {key}: unknown key{nearest(key, known)}")
        elif inside is None:
            continue
        elif not isinstance(inside, Map):
            found.fault(at.line, f"{group}: {key}: is no map (write names with a colon)")
        elif key == "vars":
            found.shared[group].update(_wanted(inside))
        else:
            _members(found, group, key, inside)


def _members(found: _Found, group: str, key: str, inside: Map) -> None:
    for name, value, at in inside.entries():
        if key == "hosts":
            found.host(name, at.line, group, value if isinstance(value, Map) else {})
        else:
            found.children[group][name] = None
            _group(found, name, value, at)
