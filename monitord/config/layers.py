"""One check out of its layers: default < shipped < defaults < own < group < host < exception.

Each layer is a map as written; a later one replaces single settings of an earlier one. The result
remembers which layer every setting came from, for errors and for `monitord explain`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitord.config import defaults
from monitord.config.context import Context
from monitord.config.names import has_slot, nearest
from monitord.config.schema import CheckModel
from monitord.config.sentences import Path, keys_of, walk
from monitord.config.tree import Map, Place

COMMON = frozenset(keys_of(CheckModel))
"""The keys that every check takes, whatever its kind."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One map that says something about a check. `what` names it; `place` is where it begins.

    `group` is set where a group says it: two groups must not contradict each other.
    """

    tree: Map
    place: Place
    what: str
    group: str = ""


@dataclass(slots=True)
class Merged:
    """All settings of one check, still as written: `common` and `spec`, and where each stands."""

    name: str
    kind: str
    place: Place
    common: dict[str, Any] = field(default_factory=dict)
    spec: Any = None
    common_from: dict[str, Layer] = field(default_factory=dict)
    spec_from: dict[str, tuple[Map, str]] = field(default_factory=dict)
    spec_place: Place | None = None

    def locate_common(self, path: Path, *, key: bool = False) -> tuple[Place, object]:
        """Find a common setting in the layer that it came from."""
        layer = self.common_from.get(str(path[0])) if path else None
        if layer is None:
            return self.place, None
        return walk(layer.tree, path, layer.place, key=key)

    def locate_spec(self, path: Path, *, key: bool = False) -> tuple[Place, object]:
        """Find a setting of the probe in the layer that it came from."""
        start = self.spec_place or self.place
        found = self.spec_from.get(str(path[0])) if path else None
        return walk(found[0] if found else self.spec, path, start, key=key)


def merge(context: Context, name: str, layers: Sequence[Layer]) -> Merged | None:
    """Merge the layers of one check, lowest first; None where they make no check.

    The problems noted are: no kind or two kinds, unknown keys, two groups that disagree.
    """
    kind = _kind(context, name, layers)
    if kind is None:
        return None
    merged = Merged(name, kind, layers[-1].place)
    merged.common.update(defaults.for_kind(context.kinds.probes[kind]))
    fields = frozenset(keys_of(context.kinds.probes[kind].spec))
    for layer in layers:
        _apply(context, merged, layer, fields)
    if sum(1 for layer in layers if layer.group) > 1:
        _refuse_conflicts(context, merged, layers, fields)
    return merged


def _kind(context: Context, name: str, layers: Sequence[Layer]) -> str | None:
    """Find the one probe key that all layers agree on; at least one layer has one."""
    found: dict[str, Place] = {}
    for layer in layers:
        for key in layer.tree:
            if key in context.kinds.probes and key not in found:
                found[key] = layer.tree.key_place(key)
    if len(found) == 1:
        return next(iter(found))
    (first, place), (second, other) = list(found.items())[:2]
    context.add_once(
        other,
        f"{name}: is of kind {first} ({place}) and cannot be of kind {second} too "
        "(give this one another name)",
    )
    return None


def _apply(context: Context, merged: Merged, layer: Layer, fields: frozenset[str]) -> None:
    for key, value in layer.tree.items():
        if key in COMMON:
            if value is None:
                text = f"{merged.name}.{key}: is empty (give it a value, or remove the line)"
                context.add_once(layer.tree.value_place(key), text)
                continue
            merged.common[key] = value
            merged.common_from[key] = layer
        elif key == merged.kind:
            _apply_spec(merged, layer, value)
        elif key in fields:
            _set_field(merged, key, value, layer.tree, layer.what)
        elif key not in context.kinds.probes:
            known = [*COMMON, merged.kind, *fields]
            context.add_once(
                layer.tree.key_place(key), f"{merged.name}: unknown key {key}{nearest(key, known)}"
            )


def _apply_spec(merged: Merged, layer: Layer, value: Any) -> None:
    merged.spec_place = layer.tree.key_place(merged.kind)
    if isinstance(value, Map):
        for key, item in value.items():
            _set_field(merged, key, item, value, layer.what)
    elif value is not None:
        merged.spec, merged.spec_from = value, {}  # a probe's short form replaces what was there
        merged.spec_place = layer.tree.value_place(merged.kind)


def _set_field(merged: Merged, key: str, value: Any, tree: Map, what: str) -> None:
    if not isinstance(merged.spec, dict):
        merged.spec = {}
    merged.spec[key] = value
    merged.spec_from[key] = (tree, what)


def settings(layer: Layer, kind: str, fields: frozenset[str]) -> dict[str, tuple[Any, Place]]:
    """Give what one layer sets, flat: `every`, `http.url` …, each with its value and place."""
    found: dict[str, tuple[Any, Place]] = {}
    for key, value, place in layer.tree.entries():
        if key == kind and isinstance(value, Map):
            found.update((f"{kind}.{name}", (item, where)) for name, item, where in value.entries())
        elif key == kind:
            if value is not None:
                found[kind] = (value, place)
        elif key in fields and key not in COMMON:
            found[f"{kind}.{key}"] = (value, place)
        else:
            found[key] = (value, place)
    return found


def _refuse_conflicts(
    context: Context, merged: Merged, layers: Sequence[Layer], fields: frozenset[str]
) -> None:
    """Note each setting that two groups set differently, unless a higher layer decides it."""
    decided: set[str] = set()
    groups: dict[str, tuple[Any, Place, str]] = {}
    for layer in reversed(layers):
        found = settings(layer, merged.kind, fields)
        if not layer.group:
            decided.update(found)
            if groups:
                break
            continue
        for key, (value, place) in found.items():
            known = groups.setdefault(key, (value, place, layer.group))
            if key not in decided and known[0] != value:
                context.add_once(known[1], conflict(merged.name, key, known[2], layer.group, place))


def conflict(what: str, key: str, group: str, other: str, place: Place) -> str:
    """Give the sentence for two groups that set one key differently."""
    return (
        f"{what}: {key} is set differently by the groups {other} ({place}) and {group} "
        "(set it on the host, or in one group only)"
    )


def any_slot(value: object) -> bool:
    """Tell whether a text anywhere inside holds a slot such as `{address}`."""
    if isinstance(value, str):
        return has_slot(value)
    if isinstance(value, Mapping):
        return any(any_slot(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(any_slot(item) for item in value)
    return False
