"""The `inventory:` section, and the hosts that its kept answers add to those of YAML.

Only what lies in files is read; asking a source is the executor's. A host that vanished from its
source stays, marked, until a person lets it go.
"""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitord.config.context import Context
from monitord.config.names import address_fault, is_name
from monitord.config.sections import Entry, Sections
from monitord.config.sentences import finder
from monitord.config.sources import Document, Sources
from monitord.config.tree import Map, Place
from monitord.model.catalog import Host
from monitord.model.inventory import Inventory, InventoryModel
from monitord.model.spec import Spec

_NAMED = 5  # hosts that a warning names


class KeptModel(Spec):
    """What is kept of one host."""

    address: str = ""
    groups: tuple[str, ...] = ()
    site: str = ""
    customer: str = ""
    tags: tuple[str, ...] = ()
    port: int = 0
    user: str = ""
    at: str = ""
    vanished: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A host of a source: its entry as if it stood in YAML, its tags, and how it is reached.

    `origin` names the source and the line in it; `vanished` says since when it is missing there.
    """

    entry: Entry
    origin: str
    tags: tuple[str, ...]
    port: int
    user: str
    vanished: str


def sources(context: Context, top: Sections, read: Sources, state: str) -> dict[str, Inventory]:
    """Make the sources; mistakes are noted."""
    found = {}
    folder = read.main.rpartition("/")[0] or "."
    for entry in top.named["inventory"].values():
        tree = context.as_map(entry.value, entry.place, entry.name)
        what = f"inventory: {entry.name}"
        model = tree is not None and context.model(InventoryModel, tree, entry.place, prefix=what)
        if model:
            found[entry.name] = Inventory(entry.name, model, folder, state)
    return found


def listed(
    context: Context, top: Sections, known: Mapping[str, Inventory], documents: list[Document]
) -> list[Listed]:
    """Give the hosts of all kept answers, in the order of the sources."""
    kept = {document.stem: document for document in documents}
    found: list[Listed] = []
    for name in known:
        entry = top.named["inventory"][name]
        if name not in kept:
            text = "was never fetched, so its hosts are not watched: monitord inventory refresh"
            context.warnings.append(f"{entry.place}: inventory: {name} {text}")
            continue
        found.extend(_hosts(context, entry, kept[name], top.named["groups"]))
    return found


def _hosts(
    context: Context, source: Entry, document: Document, groups: Mapping[str, Entry]
) -> Iterator[Listed]:
    tree = document.tree.get("hosts") if isinstance(document.tree, Map) else None
    if not isinstance(tree, Map):
        text = f"holds no hosts (remove it, then: monitord inventory refresh {source.name})"
        context.add(Place(document.file), text)
        return
    for name, value, place in tree.entries():
        host = context.as_map(value, place, name)
        values = {("at" if key == "from" else key): item for key, item in (host or {}).items()}
        model = context.try_model(KeptModel, values, finder(Map(place.file), place), name)
        if host is None or model is None:
            continue
        fault = "" if is_name(name) else "cannot be a host name"
        fault = fault or (address_fault(model.address) if model.address else "")
        if fault:
            context.add_once(place, f"{name}: {fault} (mend it in inventory {source.name})")
            continue
        yield _listed(source, name, model, place, groups)


def _listed(
    source: Entry,
    name: str,
    model: KeptModel,
    place: Place,
    groups: Mapping[str, Entry],
) -> Listed:
    tree = Map(place.file, array("I"))
    for key, value in (("address", model.address), ("site", model.site), *_more(model, groups)):
        if value:
            tree[key] = value
            tree.marks.extend((place.line, place.column) * 2)
    tags = (*model.tags, *(one for one in model.groups if one not in groups))
    origin = f"inventory {source.name} ({model.at})" if model.at else f"inventory {source.name}"
    vanished = f"vanished from {source.name} {model.vanished}" if model.vanished else ""
    entry = Entry(name, tree, place, place)
    return Listed(entry, origin, tuple(dict.fromkeys(tags)), model.port, model.user, vanished)


def _more(model: KeptModel, groups: Mapping[str, Entry]) -> Iterator[tuple[str, object]]:
    yield "customer", model.customer
    yield "groups", [one for one in model.groups if one in groups]


def judge(context: Context, hosts: Mapping[str, Host], found: list[Listed]) -> None:
    """Warn of hosts that vanished, and of those that no group of this configuration takes."""
    gone = [one.entry.name for one in found if one.vanished]
    lost = [
        one.entry.name
        for one in found
        if one.entry.name in hosts and not hosts[one.entry.name].groups
    ]
    if gone:
        cure = "monitord inventory accept lets them go"
        context.warnings.append(f"vanished, still watched: {_first(gone)} ({cure})")
    if lost:
        text = "in no group of this configuration, so nothing is checked there"
        context.warnings.append(f"of the inventory, {text}: {_first(lost)}")


def _first(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
