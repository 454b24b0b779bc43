"""Services: which checks make one up. Their expressions are kept as texts for a later issue."""

from collections.abc import Mapping

from monitord.config.context import Context
from monitord.config.needs import Keys
from monitord.config.schema import ServiceModel
from monitord.config.sections import Sections
from monitord.config.sentences import walk
from monitord.config.tree import Map, Place
from monitord.model.catalog import Service
from monitord.model.ids import CheckKey

_LISTS = ("checks", "down_when", "degraded_when")

_LATER = ("down_when", "degraded_when")


def build(context: Context, sections: Sections, keys: Keys) -> dict[str, Service]:
    """Make all services; each check they name must exist."""
    services: dict[str, Service] = {}
    for entry in sections.named["services"].values():
        tree = context.as_map(entry.value, entry.place, entry.name)
        model = tree is not None and context.model(
            ServiceModel, tree, entry.place, prefix=entry.name
        )
        if tree is None or not model:
            continue
        _warn_of_later(context, entry.name, tree)
        checks: list[CheckKey] = []
        for key in _LISTS:
            for index, text in enumerate(getattr(model, key)):
                place, _ = walk(tree, (key, index), entry.place)
                what = f"{entry.name}.{key}"
                checks.extend(_named(context, keys, text, place, what))
        services[entry.name] = Service(
            name=entry.name,
            impact=model.impact,
            sla=model.sla,
            policy=model.policy,
            checks=tuple(dict.fromkeys(checks)),
            down_when=model.down_when,
            degraded_when=model.degraded_when,
        )
    return services


def _warn_of_later(context: Context, name: str, tree: Map) -> None:
    for key in _LATER:
        if tree.get(key):
            context.warnings.append(
                f"{tree.key_place(key)}: {name}: {key} is read but not enforced by this version"
            )


def _named(context: Context, keys: Keys, text: str, place: Place, what: str) -> list[CheckKey]:
    """Give the checks that an expression begins with: `web*/site fewer than 6 ok`."""
    words = text.split()
    pattern = words[0] if words else ""
    if "/" not in pattern:
        context.add(place, f"{what}: {text!r} does not begin with host/check")
        return []
    try:
        found = keys.match(pattern)
    except ValueError as error:
        context.add(place, f"{what}: {error}")
        return []
    if not found and not keys.is_absent(pattern):
        context.add_missing(place, f"{what}: there is no check {pattern}{keys.nearest(pattern)}")
    return found


def memberships(services: Mapping[str, Service]) -> dict[CheckKey, tuple[str, ...]]:
    """Give for each check the services that it belongs to."""
    found: dict[CheckKey, tuple[str, ...]] = {}
    for service in services.values():
        for key in service.checks:
            found[key] = (*found.get(key, ()), service.name)
    return found
