"""The top level of the main file and its includes: which sections there are, merged over files.

Sections that are maps of names (hosts, groups, checks …) merge; a name or setting in two files is
an error that names both places. What stands inside is for others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitord.config.context import Context
from monitord.config.fields import not_a, shown
from monitord.config.names import is_name, nearest
from monitord.config.schema import SettingsModel
from monitord.config.sentences import keys_of
from monitord.config.sources import Document
from monitord.config.tree import Place, Seq

NAMED = (
    "hosts", "groups", "checks", "runbooks", "services", "tickets", "policies", "vendors",
    "people", "rotations",
    "calendars", "slas", "priorities", "inbound", "inventory", "chains",
)  # fmt: skip
"""Sections that map names to definitions."""

SETTINGS = tuple(keys_of(SettingsModel))
_NESTED = ("budgets", "retention")
KNOWN = (*NAMED, "defaults", "exceptions", "include", "content", *SETTINGS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a section: its value as written, where the name stands, and `at` the value."""

    name: str
    value: Any
    place: Place
    at: Place


@dataclass(frozen=True, slots=True)
class Sections:
    """The merged top level."""

    named: Mapping[str, Mapping[str, Entry]]
    settings: Mapping[str, Entry]
    defaults: tuple[Entry, ...]
    exceptions: tuple[Entry, ...]


def gather(context: Context, documents: list[Document]) -> Sections:
    """Merge the sections of all main documents; problems are noted in `context`."""
    named: dict[str, dict[str, Entry]] = {section: {} for section in NAMED}
    settings: dict[str, Entry] = {}
    defaults: dict[str, Entry] = {}
    exceptions: list[Entry] = []
    for document in documents:
        for key, value, place in document.tree.entries():
            if key in NAMED:
                _take_named(context, key, named[key], value, place)
            elif key == "defaults":
                _take_map(context, key, defaults, value, place)
            elif key == "exceptions":
                exceptions.extend(_items(context, key, value, place))
            elif key in SETTINGS:
                _take(context, settings, Entry(key, value, place, document.tree.value_place(key)))
            elif key not in KNOWN:
                context.add(place, f"{key}: unknown key{nearest(key, KNOWN)}")
    return Sections(named, settings, tuple(defaults.values()), tuple(exceptions))


def _take(context: Context, into: dict[str, Entry], entry: Entry) -> None:
    first = into.setdefault(entry.name, entry)
    if first is not entry:
        context.add(
            entry.place, f"{entry.name}: is written twice (first in {first.place}); remove one"
        )


def _take_map(
    context: Context, section: str, into: dict[str, Entry], value: object, place: Place
) -> None:
    tree = context.as_map(value, place, section)
    if tree is not None:
        for name, item, at in tree.entries():
            _take(context, into, Entry(name, item, at, tree.value_place(name)))


def _take_named(
    context: Context, section: str, into: dict[str, Entry], value: object, place: Place
) -> None:
    tree = context.as_map(value, place, section)
    if tree is None:
        return
    for name, item, at in tree.entries():
        if section == "hosts" or valid_name(context, section, name, at):
            _take(context, into, Entry(name, item, at, at))


def valid_name(context: Context, what: str, name: str, place: Place) -> bool:
    """Tell whether `name` can be used; note the mistake where not."""
    if is_name(name):
        return True
    context.add(
        place,
        f"{what}: {shown(name)} cannot be a name (use letters, digits and . _ - : @ +, no slash)",
    )
    return False


def _items(context: Context, key: str, value: object, place: Place) -> list[Entry]:
    if value is None:
        return []
    if not isinstance(value, Seq):
        context.add(place, f"{key}: {not_a(value, 'a list')} (write - {{hosts: …}})")
        return []
    places = [value.value_place(index) for index in range(len(value))]
    return [Entry(key, item, at, at) for item, at in zip(value, places, strict=True)]
