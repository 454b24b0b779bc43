"""Hosts and groups: ranges expanded, memberships settled, placements taken from groups.

What it decides: which hosts there are, their addresses and logins, and what stands behind what.
The checks on them are for others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from monitord.config import device, jumps, layers
from monitord.config.context import Context, Model
from monitord.config.fields import Parents
from monitord.config.inventories import Listed
from monitord.config.login_models import LoginModel
from monitord.config.names import (
    Slots,
    address_fault,
    expand,
    fill,
    glob,
    is_name,
    is_pattern,
    nearest,
    slots_of,
)
from monitord.config.schema import GroupModel, HostModel, PlacementModel
from monitord.config.sections import Entry, Sections
from monitord.config.sentences import keys_of, walk
from monitord.config.tree import Map, Place
from monitord.model.catalog import Host, Login, Requirement, SshLogin
from monitord.model.ids import check_key

_PLACEMENT = tuple(keys_of(PlacementModel))


@dataclass(frozen=True, slots=True)
class Group:
    """A group as written and as validated."""

    name: str
    model: GroupModel
    tree: Map
    place: Place


@dataclass(slots=True)
class Draft:
    """A host on its way into the catalog: `tree` is its own map, `groups` in order."""

    name: str
    slots: Slots
    model: HostModel
    tree: Map
    place: Place
    groups: list[str] = field(default_factory=list)
    was: str = ""
    behind: tuple[str, ...] = ()
    listed: Listed | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """All groups and hosts.

    `parents` are the hosts that something stands behind, `jumps` those that logins go through.
    """

    groups: Mapping[str, Group]
    drafts: Mapping[str, Draft]
    hosts: Mapping[str, Host]
    parents: frozenset[str]
    jumps: frozenset[str]


def build(context: Context, sections: Sections, listed: Sequence[Listed] = ()) -> Fleet:
    """Make the fleet of YAML and inventories; problems are noted in `context`."""
    groups = _groups(context, sections)
    drafts = _drafts(context, sections)
    _add_listed(context, drafts, listed)
    _join_groups(context, groups, drafts)
    places = _Placements(context, groups, drafts)
    hosts = {name: places.host(draft) for name, draft in drafts.items()}
    parents = frozenset(name for draft in drafts.values() for name in draft.behind)
    hosts = jumps.settle(context, hosts, places.through)
    through = frozenset(hop.host for host in hosts.values() for hop in host.login.via)
    return Fleet(groups, drafts, hosts, parents, through)


def _groups(context: Context, sections: Sections) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    for entry in sections.named["groups"].values():
        tree, model = _read(context, GroupModel, entry)
        groups[entry.name] = Group(entry.name, model, tree, entry.place)
    return groups


def _drafts(context: Context, sections: Sections) -> dict[str, Draft]:
    drafts: dict[str, Draft] = {}
    for entry in sections.named["hosts"].values():
        tree, model = _read(context, HostModel, entry)
        for name, numbers in _names(context, entry):
            if name in drafts:
                first = drafts[name].place
                text = f"host {name} is written twice (first in {first}); remove one"
                context.add_once(entry.place, text)
            else:
                drafts[name] = _draft(context, entry, tree, model, name, numbers)
    return drafts


def _add_listed(context: Context, drafts: dict[str, Draft], listed: Sequence[Listed]) -> None:
    """Add the hosts of inventories; one that stands elsewhere, too, is a mistake."""
    for one in listed:
        name, first = one.entry.name, drafts.get(one.entry.name)
        if first is not None:
            other = first.listed.origin if first.listed else str(first.place)
            text = f"host {name} is in {one.origin} and in {other}; keep it in one of them"
            context.add_once(one.entry.place if first.listed else first.place, text)
            continue
        tree, model = _read(context, HostModel, one.entry)
        drafts[name] = _draft(context, one.entry, tree, model, name, ())
        drafts[name].listed = one


def _read(context: Context, model: type[Model], entry: Entry) -> tuple[Map, Model]:
    """Give a host or group as far as it is right: one mistake must not look like ten."""
    tree = context.as_map(entry.value, entry.place, entry.name)
    if tree is None:
        tree = Map(entry.place.file)
    login = {"login": "local"}
    return tree, context.model_or_rest(model, tree, entry.place, entry.name, login)


def _names(context: Context, entry: Entry) -> list[tuple[str, tuple[int, ...]]]:
    try:
        names = expand(entry.name)
    except ValueError as error:
        context.add(entry.place, str(error))
        return []
    if not all(is_name(name) for name, _ in names):
        text = "cannot be a host name (use letters, digits and . _ - : @ +, no slash)"
        context.add(entry.place, f"{entry.name!r} {text}")
        return []
    return names


def _draft(
    context: Context,
    entry: Entry,
    tree: Map,
    model: HostModel,
    name: str,
    numbers: tuple[int, ...],
) -> Draft:
    slots = slots_of(name, "", numbers)
    written = "address" in model.model_fields_set
    try:
        address = fill(model.address, slots) if written else name
        fault = address_fault(address)
    except ValueError as error:
        address, fault = name, str(error)
    if fault:
        place = tree.value_place("address") if written else entry.place
        context.add_once(place, f"{entry.name}: address: {fault}")
    slots["address"] = address
    groups = list(dict.fromkeys(model.groups))
    draft = Draft(name, slots, model, tree, entry.place, groups)
    if model.was:
        draft.was = filled(context, draft, "was", model.was, tree)
    return draft


def _join_groups(
    context: Context, groups: Mapping[str, Group], drafts: Mapping[str, Draft]
) -> None:
    for draft in drafts.values():
        for index, name in enumerate(draft.groups):
            if name not in groups:
                place, _ = walk(draft.tree, ("groups", index), draft.place)
                context.add_missing(
                    place, f"{draft.name}: there is no group {name}{nearest(name, groups)}"
                )
        draft.groups = [name for name in draft.groups if name in groups]
    for group in groups.values():
        for index, pattern in enumerate(group.model.hosts):
            place, _ = walk(group.tree, ("hosts", index), group.place)
            for name in match_hosts(context, pattern, drafts, place, f"{group.name}: hosts"):
                if group.name not in drafts[name].groups:
                    drafts[name].groups.append(group.name)


def match_hosts(
    context: Context, pattern: str, known: Mapping[str, Any], place: Place, what: str
) -> list[str]:
    """Give the hosts that a name or pattern means; note it where there is none."""
    if not is_pattern(pattern):
        if pattern in known:
            return [pattern]
        context.add_missing(place, f"{what}: there is no host {pattern}{nearest(pattern, known)}")
        return []
    try:
        matches = glob(pattern)
    except ValueError as error:
        context.add_once(place, f"{what}: {error}")
        return []
    found = [name for name in known if matches(name)]
    if not found:
        context.add_missing(place, f"{what}: no host matches {pattern}")
    return found


def filled(context: Context, draft: Draft, key: str, text: str, tree: Map) -> str:
    """Give a host's text with its slots filled; note it where that cannot be done."""
    try:
        return fill(text, draft.slots)
    except ValueError as error:
        context.add_once(tree.value_place(key), f"{draft.name}: {key}: {error}")
        return text


class _Placements:
    """Settles what each host takes from itself and what from its groups."""

    def __init__(
        self, context: Context, groups: Mapping[str, Group], drafts: Mapping[str, Draft]
    ) -> None:
        self._context = context
        self._groups = groups
        self._drafts = drafts
        self._matches: dict[str, list[str]] = {}
        self.through: dict[str, tuple[str, Place]] = {}
        """By host: the jump host of its login, and where it is written."""

    def host(self, draft: Draft) -> Host:
        """Give the finished host; its parents are also noted in the draft."""
        chosen: dict[str, Any] = {}
        for key in _PLACEMENT:
            value, tree = self._chosen(draft, key)
            if key == "behind":
                chosen[key] = self._behind(draft, value, tree)
            elif key == "login":
                if value.ssh is not None and value.ssh.via:
                    place, _ = walk(tree, ("login", "ssh", "via"), draft.place)
                    self.through[draft.name] = (value.ssh.via, place)
                chosen[key] = _reached(_login(value), draft.listed)
            else:
                chosen[key] = filled(self._context, draft, key, value, tree)
        return Host(
            name=draft.name,
            address=str(draft.slots["address"]),
            groups=tuple(draft.groups),
            tags=tuple(dict.fromkeys((*draft.model.tags, *_tags(draft)))),
            vanished=draft.listed.vanished if draft.listed else "",
            **chosen,
        )

    def _chosen(self, draft: Draft, key: str) -> tuple[Any, Map]:
        """Give a setting and the map it came from: the host's own, a group's, or the default."""
        if key in draft.model.model_fields_set:
            return getattr(draft.model, key), draft.tree
        found: Group | None = None
        for name in draft.groups:
            group = self._groups[name]
            if key not in group.model.model_fields_set:
                continue
            if found is not None and getattr(found.model, key) != getattr(group.model, key):
                text = layers.conflict(draft.name, key, name, found.name, found.tree.key_place(key))
                self._context.add_once(group.tree.key_place(key), text)
            found = found or group
        if found is None:
            return getattr(draft.model, key), draft.tree
        return getattr(found.model, key), found.tree

    def _behind(self, draft: Draft, parents: Parents | None, tree: Map) -> Requirement:
        if parents is None:
            return Requirement()
        found: list[str] = []
        for index, name in enumerate(parents.names):
            place, _ = walk(tree, ("behind", parents.mode, index), tree.value_place("behind"))
            try:
                pattern = fill(name, draft.slots)
            except ValueError as error:
                self._context.add_once(place, f"{draft.name}: behind: {error}")
                continue
            if pattern == draft.name:
                self._context.add_once(place, f"{draft.name}: stands behind itself (remove it)")
                continue
            found.extend(host for host in self._match(draft, pattern, place) if host != draft.name)
        if len(found) > 1 and not parents.explicit:
            text = f"behind: two or more parents need any: or all: ({len(found)} hosts match)"
            self._context.add_once(tree.value_place("behind"), f"{draft.name}: {text}")
        draft.behind = tuple(dict.fromkeys(found))
        return Requirement(parents.mode, tuple(check_key(name, "reach") for name in draft.behind))

    def _match(self, draft: Draft, pattern: str, place: Place) -> list[str]:
        known = self._matches.get(pattern)
        if not known:
            what = f"{draft.name}: behind"
            known = match_hosts(self._context, pattern, self._drafts, place, what)
            self._matches[pattern] = known
        return known


def _tags(draft: Draft) -> tuple[str, ...]:
    return draft.listed.tags if draft.listed else ()


def _reached(login: Login, listed: Listed | None) -> Login:
    """Give an SSH login with the port and the reading user that an inventory names."""
    if listed is None or login.kind != "ssh" or login.read is None:
        return login
    read = replace(
        login.read, port=listed.port or login.read.port, user=listed.user or login.read.user
    )
    act = login.act and replace(login.act, port=read.port)
    return replace(login, read=read, act=act)


def _login(model: LoginModel) -> Login:
    if model.local is not None:
        act = SshLogin("", sudo=model.local.sudo) if model.local.act else None
        return Login("local", SshLogin(""), act)
    if model.device is not None:
        return device.login_of(model.device)
    if model.ssh is None:
        return Login("none")
    ssh = model.ssh
    act = None
    if ssh.act is not None:
        act = SshLogin(ssh.act.user or ssh.user, ssh.act.key or ssh.key, ssh.port, ssh.act.sudo)
    return Login("ssh", SshLogin(ssh.user, ssh.key, ssh.port), act, ssh.known_hosts)
