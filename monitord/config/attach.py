"""Which checks each host has, out of which layers, and the implicit ones: `reach` and `ssh`.

What it decides: the stack of layers of every check on every host. What the layers come to is
decided in `layers` and `checks`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from monitord.config import defaults
from monitord.config.chains import Layers
from monitord.config.checks import Policies, Prepared, build, prepare
from monitord.config.context import Context
from monitord.config.definitions import Definitions, single
from monitord.config.exceptions import Deviations
from monitord.config.hosts import Draft, Fleet
from monitord.config.kind_words import nearest_kind
from monitord.config.layers import COMMON, Layer
from monitord.config.names import nearest
from monitord.config.sections import valid_name
from monitord.config.tree import Map, Place
from monitord.model.catalog import Host
from monitord.model.ids import CheckKey, check_key
from monitord.model.kinds import FactProbe, ScriptProbe


@dataclass(slots=True)
class Attached:
    """One check on one host, judged as far as its layers go."""

    draft: Draft
    host: Host
    name: str
    prepared: Prepared
    layers: list[Layer]


class Attacher:
    """Attaches checks to hosts; equal stacks of layers are judged once."""

    def __init__(
        self,
        context: Context,
        policies: Policies,
        definitions: Definitions,
        fleet: Fleet,
        deviations: Deviations,
        chains: Layers,
    ) -> None:
        self._context = context
        self._policies = policies
        self._definitions = definitions
        self._fleet = fleet
        self._deviations = deviations
        self._chains = chains
        self._groups = {
            name: self._uses(group.tree, f"group {name}", group=name)
            for name, group in fleet.groups.items()
        }
        self._own: dict[int, dict[str, Layer]] = {}
        self._implicit: dict[tuple[str, int, Place], Layer] = {}
        self._prepared: dict[tuple[str, tuple[int, ...]], Prepared | None] = {}
        self.absent: set[CheckKey] = set()
        """Checks that are written and yet not there: left out by a condition, or with mistakes."""

    def all(self) -> list[Attached]:
        """Give all checks of all hosts, host by host, the implicit ones first."""
        hosts = self._fleet.hosts
        return [
            item
            for draft in self._fleet.drafts.values()
            for item in self._attach(draft, hosts[draft.name])
        ]

    def _attach(self, draft: Draft, host: Host) -> list[Attached]:
        stacks = self._stacks(draft)
        if draft.name in self._fleet.parents:
            stacks = {defaults.REACH: [], **stacks}
        found: list[Attached] = []
        for name, used in stacks.items():
            item = self._attached(draft, host, name, used)
            if item is None:
                self.absent.add(check_key(host.name, name))
            else:
                found.append(item)
        wants_transport = host.login.kind == "ssh" and (
            draft.name in self._fleet.jumps or any(self._is_fact(item) for item in found)
        )
        if wants_transport and defaults.TRANSPORT not in stacks:
            transport = self._attached(draft, host, defaults.TRANSPORT, [])
            found = [*([transport] if transport else []), *found]
        elif wants_transport:
            self._must_be_transport(found)
        return found

    def try_on(self, draft: Draft, host: Host, name: str, used: list[Layer]) -> None:
        """Judge a check on a stand-in host; only the problems that it notes are of interest."""
        item = self._attached(draft, host, name, used)
        if item is not None:
            build(self._context, self._policies, item.prepared, host, draft.slots)

    def group_uses(self, group: str) -> dict[str, Layer]:
        """Give what a group says of its checks."""
        return self._groups[group]

    def _must_be_transport(self, found: list[Attached]) -> None:
        for item in found:
            kind = item.prepared.merged.kind
            if item.name == defaults.TRANSPORT and kind != defaults.TRANSPORT:
                self._context.add_once(
                    item.layers[-1].place,
                    f"{item.name}: is the name of the check of a host's own SSH transport, and "
                    f"this one is of kind {kind} (give it another name)",
                )

    def _is_fact(self, item: Attached) -> bool:
        kind = self._context.kinds.probes[item.prepared.merged.kind]
        return isinstance(kind, FactProbe | ScriptProbe)

    def _stacks(self, draft: Draft) -> dict[str, list[Layer]]:
        stacks: dict[str, list[Layer]] = {}
        for group in draft.groups:
            for name, layer in self._groups[group].items():
                stacks.setdefault(name, []).append(layer)
        own = self._own.get(id(draft.tree))
        if own is None:
            own = self._own[id(draft.tree)] = self._uses(draft.tree, f"host {draft.name}")
        for name, layer in own.items():
            stacks.setdefault(name, []).append(layer)
        for name, layers in self._chains.get(draft.name, {}).items():
            stacks.setdefault(name, []).extend(layers)
        return stacks

    def _uses(self, tree: Map, what: str, group: str = "") -> dict[str, Layer]:
        """Read a `checks:` map of a host or group: what it says of each check."""
        value = tree.get("checks")
        if value is None:
            return {}
        checks = self._context.as_map(value, tree.value_place("checks"), "checks")
        found: dict[str, Layer] = {}
        for name, item, place in checks.entries() if checks is not None else ():
            if not valid_name(self._context, "checks", name, place):
                continue
            settings = self._context.as_map(item, place, name)
            if settings is not None:
                found[name] = Layer(settings, place, what, group)
        return found

    def _attached(self, draft: Draft, host: Host, name: str, used: list[Layer]) -> Attached | None:
        layers = [*self._definitions.layers(name), *used]
        kinds = self._context.kinds.probes
        if not any(key in kinds for layer in layers for key in layer.tree):
            implicit = self._implicit_layer(draft, host, name)
            if implicit is None:
                if used:
                    self._unknown(name, layers)
                return None
            layers.insert(0, implicit)
        if self._left_out(host, name, layers):
            return None
        place_from = len(layers)
        layers.extend(self._deviations.layers(host.name, name))
        key = (name, tuple([id(layer.tree) for layer in layers]))
        if key not in self._prepared:
            self._prepared[key] = prepare(
                self._context, self._policies, name, layers, host, told=place_from
            )
        prepared = self._prepared[key]
        return None if prepared is None else Attached(draft, host, name, prepared, layers)

    def _left_out(self, host: Host, name: str, layers: Sequence[Layer]) -> bool:
        """Tell whether a check asks for a path (`if_exists:`) that this machine does not have."""
        asking = [layer for layer in layers if "if_exists" in layer.tree]
        if not asking:
            return False
        if host.login.kind != "local":
            self._context.add_once(
                asking[-1].tree.key_place("if_exists"),
                f"{name}.if_exists: looks at monitord's own machine, and {host.name} is another "
                "one (only hosts with login: local may use it)",
            )
        return not self._policies.present.get(str(asking[-1].tree["if_exists"]), True)

    def _implicit_layer(self, draft: Draft, host: Host, name: str) -> Layer | None:
        """Give the built-in definition of `reach` or `ssh`; None for any other name."""
        port = host.login.read.port if host.login.read and host.login.kind != "local" else 22
        key = (name, port, draft.place)
        if key not in self._implicit:
            if name == defaults.REACH:
                spec = single("fallback_port", port, draft.place)
                tree = single(defaults.REACH_KIND, spec, draft.place)
            elif name == defaults.TRANSPORT:
                tree = single(defaults.TRANSPORT, Map(draft.place.file), draft.place)
            else:
                return None
            self._implicit[key] = Layer(tree, draft.place, "implicit")
        return self._implicit[key]

    def _unknown(self, name: str, layers: list[Layer]) -> None:
        """Note a reference to nothing, or a check that does not say what to look at."""
        place = layers[-1].place
        masked = self._definitions.masked.get(f"check/{name}")
        if masked:
            text = f"check {name} is masked by the empty file {masked}"
            self._context.add_once(place, text)
            return
        known = self._definitions.names()
        near = nearest(name, known)
        if name not in known and (near or not any(layer.tree for layer in layers)):
            if f"check/{name}" not in self._context.failed:
                self._context.add_missing(place, f"there is no check {name}{near}")
            return
        prepare_nothing = ", ".join(sorted(self._context.kinds.probes))
        for key, _, at in (entry for layer in layers for entry in layer.tree.entries()):
            close = nearest_kind(key, self._context.kinds.probes)
            if key not in COMMON and close:
                self._context.add_once(at, f"{name}: unknown key {key}{close}")
                return
        self._context.add_once(
            place, f"{name}: does not say what to look at (add one of {prepare_nothing})"
        )
