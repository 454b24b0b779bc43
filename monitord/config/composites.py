"""What composite checks are made of: their selectors resolved, what cannot be judged refused.

Its shape is judged by its Spec; selectors read as those of a service, a bare name as in `needs`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from monitord.config.attach import Attached
from monitord.config.context import Context
from monitord.config.needs import Keys, circle
from monitord.config.services import MissingError, find
from monitord.config.tree import Place
from monitord.decisions.expressions import ExpressionError
from monitord.model.catalog import Check, Composite, Host
from monitord.model.ids import CheckKey, check_key

KIND = "composite"


def bind(
    context: Context,
    built: dict[CheckKey, Check],
    found: Iterable[Attached],
    keys: Keys,
    hosts: Mapping[str, Host],
) -> None:
    """Put its members into each composite check; problems are noted at their lines."""
    for item in found:
        check = built.get(check_key(item.host.name, item.name))
        if check is not None and check.kind == KIND:
            built[check.key] = _bound(context, check, item, keys, hosts)
    _refuse_circles(context, built, found)


def _bound(
    context: Context, check: Check, item: Attached, keys: Keys, hosts: Mapping[str, Host]
) -> Check:
    spec: Any = check.spec
    way, texts = spec.selectors()
    members: list[CheckKey] = []
    for index, text in enumerate(texts):
        place = _place(item, way, index)
        whole = text if "/" in text or "=" in text else f"{check.host}/{text}"
        try:
            named = find(whole, keys, hosts)
        except MissingError as error:
            context.add_missing(place, f"{check.name}.{way}: {error}")
            continue
        except ExpressionError as error:
            context.add_once(place, f"{check.name}.{way}: {error}")
            continue
        if named == [check.key]:
            context.add_once(place, f"{check.name}.{way}: a check cannot be made of itself")
        members.extend(named)
    own = tuple(key for key in dict.fromkeys(members) if key != check.key)
    need = {"all": len(own), "any": 1}.get(way, spec.at_least)
    if own and need > len(own):
        text = f"{need} can never work: {len(own)} checks match (write {len(own)} or fewer)"
        context.add_once(_place(item, "at_least"), f"{check.name}.at_least: {text}")
    return replace(check, members=Composite(own, need, quiet=spec.members == "quiet"))


def _place(item: Attached, *path: str | int) -> Place:
    place: Place = item.prepared.merged.locate_spec(path)[0]
    return place


def _refuse_circles(
    context: Context, built: Mapping[CheckKey, Check], found: Iterable[Attached]
) -> None:
    """Note a composite that is made of itself, or of what needs it, over however many others."""
    if not any(check.members for check in built.values()):
        return
    edges = {
        key: (*check.needs.keys, *(check.members.keys if check.members else ()))
        for key, check in built.items()
        if check.needs.keys or check.members
    }
    names = circle(edges)
    of: Any = next((built[key] for key in names if built[key].members), None)
    if of is None:  # a circle of needs alone is told where these are judged
        return
    place = next(
        _place(i, of.spec.selectors()[0]) for i in found if check_key(i.host.name, i.name) == of.key
    )
    text = f"{of.name}: it is judged by itself: {' → '.join(names)} (take one of them out)"
    context.add_once(place, text)
