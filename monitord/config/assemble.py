"""Sources → catalog: every name resolved, every layer merged, every mistake told at once.

The cheap half of loading. It only puts the parts together in their order; each part decides in its
own module.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import monitord
from monitord.config import (
    attach,
    calendars,
    chains,
    checks,
    cleartext,
    composites,
    defaults,
    definitions,
    exceptions,
    guarding,
    hosts,
    inbound,
    inventories,
    jumps,
    needs,
    oncall,
    owned,
    policies,
    proofs,
    runbooks,
    sections,
    services,
    settings,
    slas,
    unused,
)
from monitord.config.context import Context, capped
from monitord.config.device import not_a_look
from monitord.config.sources import Document, Sources, no_collection
from monitord.config.tree import Place
from monitord.errors import ConfigError
from monitord.model.catalog import Catalog, Check, Service
from monitord.model.ids import CheckKey, check_key
from monitord.model.kinds import DeviceProbe, FactProbe, Kinds, ScriptProbe


def assemble(sources: Sources, kinds: Kinds) -> Catalog:
    """Make the catalog.

    Raises:
        ConfigError: with every mistake, those of reading included.
    """
    with no_collection():
        return _assemble(sources, kinds)[0]


def attached(sources: Sources, kinds: Kinds) -> tuple[Catalog, list[attach.Attached]]:
    """Give the catalog and every check with the layers that it was made of.

    Raises:
        ConfigError: as `assemble`.
    """
    return _assemble(sources, kinds)


def _assemble(sources: Sources, kinds: Kinds) -> tuple[Catalog, list[attach.Attached]]:
    context = Context(kinds, sources.broken, list(sources.problems))
    by_role: dict[str, list[Document]] = {"main": [], "check": [], "runbook": [], "inventory": []}
    for document in sources.documents:
        by_role[document.role].append(document)
    top = sections.gather(context, by_role["main"])
    setup = settings.build(context, top, sources)
    books, spoken = runbooks.build(context, by_role["runbook"], top)
    defined = definitions.define(context, by_role["check"], top, sources.masked)
    lists = inventories.sources(context, top, sources, setup.state)
    listed = inventories.listed(context, top, lists, by_role["inventory"])
    top = owned.bearing(context, top)
    fleet = owned.marked(top, hosts.build(context, top, listed))
    inventories.judge(context, fleet.hosts, listed)
    deviations = exceptions.build(
        context, top.exceptions, fleet.drafts, at=sources.at, timezone=setup.timezone
    )
    rules = checks.Policies(books, spoken, sources.masked, setup.profile, sources.present)
    attacher = attach.Attacher(
        context, rules, defined, fleet, deviations, chains.layers(context, top, fleet.hosts)
    )
    found = attacher.all()
    unused.judge(context, rules, defined, fleet, {item.name for item in found})
    exceptions.refuse_unused(context, deviations, [(i.host.name, i.name) for i in found])
    keys = needs.Keys([check_key(item.host.name, item.name) for item in found], attacher.absent)
    members = services.build(context, top, keys, fleet.hosts)
    members = chains.join(context, top, members)
    built = _build_checks(context, rules, found, keys, members)
    composites.bind(context, built, found, keys, fleet.hosts)
    _refuse_circles(context, built, fleet)
    canaries = guarding.canaries(context, top, keys, built)
    known = guarding.names(fleet, defined, built.values()) | {"service": members, "runbook": books}
    guarding.must_be_there(context, top, setup.freeze, known, at=sources.at, listed=bool(lists))
    ticketing = settings.backends(context, top)
    escalating = policies.policies(context, top, digest=setup.notify.digest is not None)
    policies.judge(context, top, escalating, found)
    times = calendars.build(context, top, timezone=setup.timezone, at=sources.at)
    chains.judge(
        context, built, times, {check_key(i.host.name, i.name): i.layers[-1].place for i in found}
    )
    selling = policies.vendors(context, top, times)
    levels = slas.build(context, top, times)
    persons = oncall.people(context, top, timezone=setup.timezone)
    turns = oncall.rotations(context, top, times, timezone=setup.timezone, at=sources.at)
    slas.must_be_there(context, top)
    ranks = slas.priorities(context, top)
    senders = inbound.sources(context, top, fleet.hosts, built)
    proofs.judge(context, found, built)
    if context.problems:
        raise ConfigError(capped(context.problems))
    for document in sources.documents:
        if not document.shipped:
            context.warnings.extend(cleartext.secrets_in(document.tree))
    catalog = Catalog(
        hash=content_hash(sources, kinds),
        settings=setup,
        hosts=MappingProxyType(guarding.seen_from(fleet.hosts, built, canaries)),
        checks=MappingProxyType(built),
        runbooks=MappingProxyType(books),
        groups=MappingProxyType(guarding.groups(context, fleet)),
        canaries=frozenset(canaries),
        services=MappingProxyType(members),
        backends=MappingProxyType(ticketing),
        policies=MappingProxyType(escalating),
        vendors=MappingProxyType(selling),
        calendars=MappingProxyType(times),
        slas=MappingProxyType(levels),
        people=MappingProxyType(persons),
        rotations=MappingProxyType(turns),
        priorities=ranks,
        inbound=MappingProxyType(senders),
        inventory=MappingProxyType(lists),
        warnings=tuple(context.warnings),
        files=sources.files,
        expires=deviations.next_end,
    )
    idle = guarding.idle(catalog)
    return (replace(catalog, warnings=(*catalog.warnings, *idle)) if idle else catalog), found


def _build_checks(
    context: Context,
    rules: checks.Policies,
    found: list[attach.Attached],
    keys: needs.Keys,
    members: Mapping[str, Service],
) -> dict[CheckKey, Check]:
    of_services = services.memberships(members)
    built: dict[CheckKey, Check] = {}
    renamed: list[tuple[str, CheckKey, Place]] = []
    for item in found:
        made = checks.build(context, rules, item.prepared, item.host, item.draft.slots)
        if made is None:
            continue
        check, parents = made
        if check.kind == chains.KIND:
            check = chains.bind(context, rules, check, item.host, item.layers[-1].place)
        changes: dict[str, Any] = {}
        if parents is not None:
            place, _ = item.prepared.merged.locate_common(("needs",))
            changes["needs"] = needs.requirement(context, keys, check.key, parents, place)
        if check.key in of_services:
            changes["services"] = of_services[check.key]
            if any(members[name].impact == "high" for name in of_services[check.key]):
                changes["impact"] = "high"
        if isinstance(context.kinds.probes[check.kind], FactProbe | ScriptProbe):
            changes["via"] = _transport(context, item, check)
        if isinstance(context.kinds.probes[check.kind], DeviceProbe):
            _must_be_a_device(context, item, check)
        was = _was(item, check)
        if was:
            changes["was"] = was
            renamed.append((was, check.key, _was_place(item, check)))
        check = replace(check, **changes) if changes else check
        through = jumps.parent(check, item.host)
        built[check.key] = check if through is None else replace(check, needs=through)
    _refuse_taken_names(context, built, renamed)
    return built


def _refuse_taken_names(
    context: Context,
    built: Mapping[CheckKey, Check],
    renamed: Sequence[tuple[str, CheckKey, Place]],
) -> None:
    """Note each `was:` whose history is another's: of a check that is still there, or taken."""
    heirs: dict[str, CheckKey] = {}
    for was, key, place in renamed:
        heir = heirs.setdefault(was, key)
        if was in built and was != key:
            context.add_once(
                place, f"{key}: was: {was} is still there and keeps its history (remove the was:)"
            )
        elif heir != key:
            context.add_once(
                place, f"{key}: was: {was} is claimed by {heir} too (only one can have been it)"
            )


def _was_place(item: attach.Attached, check: Check) -> Place:
    if check.was:
        return item.prepared.merged.locate_common(("was",))[0]
    return item.draft.tree.value_place("was")


def _transport(context: Context, item: attach.Attached, check: Check) -> CheckKey | None:
    """Give the check that a fact check hangs on: a host's SSH transport, or none where local."""
    login = item.host.login.kind
    place = item.layers[-1].place
    if item.host.of_service:
        context.add_once(
            place,
            f"{check.name}: {check.kind} looks inside a host, and {check.host} is a service "
            "(write it under the hosts on which it should look)",
        )
    elif login == "none":
        context.add_once(
            place,
            f"{check.name}: {check.kind} looks inside a host, and {check.host} has login: none "
            "(write login: local, or login: {ssh: {user: monitord}})",
        )
    if login == "device":
        context.add_once(
            place,
            f"{check.name}: {check.kind} needs a shell, and {check.host} is a network device "
            "(what its commands tell, a check of kind device looks at)",
        )
    if login != "ssh" or check.name == defaults.TRANSPORT:
        return None
    return check_key(check.host, defaults.TRANSPORT)


def _must_be_a_device(context: Context, item: attach.Attached, check: Check) -> None:
    """Note a check of a device's command line on a host that has none, or one that may change."""
    kind = context.kinds.probes[check.kind]
    place = item.layers[-1].place
    if item.host.login.kind != "device":
        context.add_once(
            place,
            f"{check.name}: {check.kind} looks at a network device, and {check.host} is none "
            "(write login: {device: {dialect: frr, user: …}})",
        )
    elif isinstance(kind, DeviceProbe) and (
        wrong := not_a_look(item.host, kind.command(check.spec))
    ):
        context.add_once(place, f"{check.name}: {wrong}")


def _was(item: attach.Attached, check: Check) -> str:
    """Give the whole old key of a check that was renamed itself or stands on a renamed host."""
    old_host = item.draft.was
    if not check.was and not old_host:
        return ""
    return check_key(old_host or check.host, check.was or check.name)


def _refuse_circles(context: Context, built: Mapping[CheckKey, Check], fleet: hosts.Fleet) -> None:
    edges = {
        key: (*check.needs.keys, *fleet.hosts[check.host].behind.keys)
        for key, check in built.items()
        if check.needs.keys or fleet.hosts[check.host].behind.keys
    }
    found = needs.circle(edges)
    if found:
        host = built[found[0]].host
        context.add_once(
            fleet.drafts[host].place,
            f"needs and behind run in a circle: {' → '.join(found)} (remove one of them)",
        )


def content_hash(sources: Sources, kinds: Kinds) -> str:
    """Give the hash of all content: equal files and version, equal hash, in every process.

    The files are hashed, not the catalog: an exception that ends between the core's reading and the
    executor's must not set the two at odds. Positions and comments do not count.
    """
    content = [
        monitord.__version__,
        [sorted(kinds.probes), sorted(kinds.actions), sorted(kinds.backends)],
        [[item.role, item.stem, item.shipped, item.tree] for item in sources.documents],
        sources.masked,
        sources.present,
    ]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
