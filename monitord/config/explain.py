"""Where every setting of one check comes from: its value and the file:line that said so."""

from typing import Any

from monitord.config import defaults
from monitord.config.assemble import attached
from monitord.config.compare import shown
from monitord.config.layers import Merged
from monitord.config.names import expand, nearest
from monitord.config.sentences import walk
from monitord.config.sources import Sources
from monitord.config.tree import Map, Place
from monitord.decisions.expressions import keys_of
from monitord.errors import NotFoundError
from monitord.model.catalog import Check, Service
from monitord.model.ids import CheckKey, check_key
from monitord.model.kinds import Kinds


def explain(sources: Sources, kinds: Kinds, key: str) -> list[tuple[str, str, str]]:
    """Give (setting, value, place) of one check or service; place is `file:line` or `default`.

    The key of an item stands for its check.

    Raises:
        ConfigError: the configuration has mistakes.
        NotFoundError: there is no check of this key, and no service of this name.
    """
    catalog, found = attached(sources, kinds)
    if key in catalog.services:
        return _service_rows(sources, catalog.services[key])
    of_item = CheckKey("/".join(key.split("/")[:2]))
    check = catalog.checks.get(CheckKey(key)) or catalog.checks.get(of_item)
    if check is None:
        known = catalog.checks if "/" in key else catalog.services
        what = "check" if "/" in key else "check or service"
        raise NotFoundError(f"there is no {what} {key}{nearest(key, known)}")
    key = check.key
    item = next(item for item in found if check_key(item.host.name, item.name) == key)
    merged = item.prepared.merged
    rows = [("kind", check.kind, str(merged.spec_place or merged.place))]
    rows.extend(_spec_rows(merged, check))
    rows.extend(_common_rows(merged, check))
    rows.extend(_rung_rows(merged, check))
    if check.members is not None:
        of = check.members
        many = f"{of.need} of {', '.join(of.keys) or 'nothing'}"
        rows.append(("needs to work", many, str(merged.spec_place or merged.place)))
    if check.via:
        rows.append(("via", check.via, defaults.PLACE))
    return rows


def host_place(sources: Sources, name: str) -> str:
    """Give where a host is written: file:line, or nothing where no YAML file says it."""
    for document in sources.documents:
        tree = document.tree if document.role == "main" else None
        hosts = tree.get("hosts") if isinstance(tree, Map) else None
        if not isinstance(hosts, Map):
            continue
        for key in hosts:
            if name in (one for one, _ in expand(str(key))):
                return str(hosts.key_place(key))
    return ""


def _service_rows(sources: Sources, service: Service) -> list[tuple[str, str, str]]:
    tree, start = _written(sources, service.name)
    values = {name: getattr(service, name) for name in ("impact", "sla", "policy")}
    rows = [
        (name, shown(value), str(tree.key_place(name)) if name in tree else defaults.PLACE)
        for name, value in values.items()
    ]
    for name, rules in (
        ("down_when", service.down_when),
        ("degraded_when", service.degraded_when),
    ):
        for index, rule in enumerate(rules):
            place = str(walk(tree, (name, index), start)[0])
            checks = ", ".join(keys_of(rule.means)) or "nothing"
            rows.append((f"{name}.{index + 1}", rule.text, place))
            rows.append((f"{name}.{index + 1} looks at", checks, place))
    rows.append(("checks", ", ".join(service.checks) or "nothing", str(start)))
    return rows


def _written(sources: Sources, name: str) -> tuple[Map, Place]:
    """Give the map of a service as it stands in a file, and where."""
    for document in sources.documents:
        tree = document.tree if document.role == "main" else None
        services = tree.get("services") if isinstance(tree, Map) else None
        if isinstance(services, Map) and name in services:
            found = services[name]
            place = services.key_place(name)
            return found if isinstance(found, Map) else Map(place.file), place
    raise NotFoundError(f"no file says service {name}")


def _spec_rows(merged: Merged, check: Check) -> list[tuple[str, str, str]]:
    rows = []
    for name, field in type(check.spec).model_fields.items():
        key = field.alias or name
        place = defaults.PLACE
        if key in merged.spec_from:
            tree, what = merged.spec_from[key]
            place = _with_layer(str(walk(tree, (key,), merged.place, key=True)[0]), what)
        elif not isinstance(merged.spec, dict) and merged.spec is not None:
            place = str(merged.spec_place)
        rows.append((f"{check.kind}.{key}", shown(getattr(check.spec, name)), place))
    return rows


def _common_rows(merged: Merged, check: Check) -> list[tuple[str, str, str]]:
    values: dict[str, Any] = {
        "every": check.every,
        "retry_every": check.retry_every,
        "timeout": check.timeout,
        "attempts": check.policy.attempts,
        "recoveries": check.policy.recoveries,
        "flapping": check.policy.flapping,
        "fresh_for": check.policy.fresh_for,
        "first_rung_after": check.first_rung_after,
        "needs": check.needs,
        "ticket": check.ticket,
        "impact": check.impact,
        "policy": check.escalation,
        "means": check.means,
        "by_hand": check.by_hand,
        "was": check.was,
    }
    return [(key, shown(value), _place(merged, key)) for key, value in values.items()]


def _rung_rows(merged: Merged, check: Check) -> list[tuple[str, str, str]]:
    if not check.remediate:
        return [("remediate", "nothing", _place(merged, "remediate"))]
    return [
        (
            f"remediate.{index + 1}",
            f"{rung.runbook} ({rung.mode})",
            str(merged.locate_common(("remediate", index))[0]),
        )
        for index, rung in enumerate(check.remediate)
    ]


def _place(merged: Merged, key: str) -> str:
    layer = merged.common_from.get(key)
    if layer is None:
        return defaults.PLACE
    return _with_layer(str(merged.locate_common((key,), key=True)[0]), layer.what)


def _with_layer(place: str, what: str) -> str:
    """Give the place; an implicit definition has none of its own."""
    return defaults.PLACE if what == "implicit" else place
