"""The definitions of checks by name: from shipped files, own files, `checks:` and `defaults:`.

What it decides: which layers lie under what groups and hosts say of a check. A shipped definition
lies below `defaults:`, an own one above.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitord.config import defaults
from monitord.config.context import Context
from monitord.config.fields import not_a
from monitord.config.layers import COMMON, Layer
from monitord.config.names import nearest
from monitord.config.sections import Entry, Sections, valid_name
from monitord.config.sources import Document
from monitord.config.tree import Map, Place


@dataclass(slots=True)
class Definitions:
    """The definitions by name: shipped ones lie under `defaults`, own ones above."""

    shipped: dict[str, Layer] = field(default_factory=dict)
    own: dict[str, list[Layer]] = field(default_factory=dict)
    defaults: list[Layer] = field(default_factory=list)
    masked: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> set[str]:
        """Give all names that may be referred to."""
        return {*self.shipped, *self.own, defaults.REACH, defaults.TRANSPORT}

    def layers(self, name: str) -> list[Layer]:
        """Give the layers that lie under what a group or host says."""
        shipped = [self.shipped[name]] if name in self.shipped else []
        return [*shipped, *self.defaults, *self.own.get(name, ())]


def define(
    context: Context, documents: Iterable[Document], sections: Sections, masked: Mapping[str, str]
) -> Definitions:
    """Collect the definitions from content files and `checks:`."""
    definitions = Definitions(masked=masked)
    for document in documents:
        _define_file(context, definitions, document)
    for entry in sections.named["checks"].values():
        tree = context.as_map(entry.value, entry.place, entry.name)
        if tree is None:
            context.failed.add(f"check/{entry.name}")
        else:
            _define_own(context, definitions, entry.name, Layer(tree, entry.place, "checks"))
    definitions.defaults = _default_layers(context, sections.defaults)
    return definitions


def _define_file(context: Context, definitions: Definitions, document: Document) -> None:
    top = Place(document.file)
    if not isinstance(document.tree, Map) or len(document.tree) != 1:
        names = document.tree if isinstance(document.tree, Map) else (document.stem,)
        context.failed.update(f"check/{name}" for name in names)
        context.add(
            top, "a check file defines one check (write its name, a colon, and the check below)"
        )
        return
    ((name, value, place),) = document.tree.entries()
    if not valid_name(context, "checks", name, place):
        return
    if not isinstance(value, Map):
        context.failed.add(f"check/{name}")
        context.add(place, f"{name}: {not_a(value, 'a check')} (write {{disk: {{…}}}})")
        return
    layer = Layer(value, place, "shipped" if document.shipped else "own")
    if not document.shipped:
        _define_own(context, definitions, name, layer)
        return
    first = definitions.shipped.setdefault(name, layer)
    if first is not layer:
        context.add(place, f"check {name} is written twice (first in {first.place}); remove one")


def _define_own(context: Context, definitions: Definitions, name: str, layer: Layer) -> None:
    known = definitions.own.setdefault(name, [])
    if known:
        text = f"check {name} is written twice (first in {known[0].place}); remove one"
        context.add(layer.place, text)
    else:
        known.append(layer)


def _default_layers(context: Context, entries: Sequence[Entry]) -> list[Layer]:
    """Give one layer for each setting of `defaults:`; they may come from several files."""
    found = []
    for entry in entries:
        if entry.name not in COMMON:
            text = f"defaults: unknown key {entry.name}{nearest(entry.name, COMMON)}"
            context.add(entry.place, text)
            continue
        found.append(Layer(single(entry.name, entry.value, entry.place), entry.place, "defaults"))
    return found


def single(key: str, value: object, place: Place) -> Map:
    """Give a map of one entry that stands at `place`."""
    marks = array("I", (place.line, place.column) * 2)
    tree = Map(place.file, marks)
    tree[key] = value
    return tree
