"""Services: which checks make one up, and the rules by which it is down or degraded, resolved.

What a rule may say is decided by decisions/expressions.py; here its selectors find their checks.
"""

import re
from collections.abc import Mapping

from monitord.config.context import Context
from monitord.config.needs import Keys
from monitord.config.schema import ServiceModel
from monitord.config.sections import Sections
from monitord.config.sentences import walk
from monitord.config.tree import Map, Place
from monitord.decisions import selector
from monitord.decisions.expressions import ExpressionError, rule
from monitord.decisions.services import members
from monitord.model.catalog import Host, Service
from monitord.model.ids import CheckKey, check_key
from monitord.model.service import Rule
from monitord.model.ticket import BadSelectorError

_ALTERNATIVES = re.compile(r"[,|](?![^\[]*\])")  # not the comma of web[1,3]
_CIRCULAR = ("service", "runbook")


class MissingError(ExpressionError):
    """A name that is not there: it may stand in a file that could not be read."""


def build(
    context: Context, sections: Sections, keys: Keys, hosts: Mapping[str, Host]
) -> dict[str, Service]:
    """Make all services; each check they name must exist."""
    services: dict[str, Service] = {}
    for entry in sections.named["services"].values():
        tree = context.as_map(entry.value, entry.place, entry.name)
        model = tree is not None and context.model(
            ServiceModel, tree, entry.place, prefix=entry.name
        )
        if tree is None or not model:
            continue
        finder = _Finder(context, keys, hosts, tree, entry.place, entry.name)
        own = _own(tree, entry.name, keys)
        named = [key for at, text in enumerate(model.checks) for key in finder.checks(at, text)]
        down = finder.rules("down_when", model.down_when)
        degraded = finder.rules("degraded_when", model.degraded_when)
        services[entry.name] = Service(
            name=entry.name,
            impact=model.impact,
            sla=model.sla,
            policy=model.policy,
            checks=members([*own, *named], (*down, *degraded)),
            down_when=down,
            degraded_when=degraded,
        )
    return services


def _own(tree: Map, name: str, keys: Keys) -> list[CheckKey]:
    """Give the checks that a service has itself; one with mistakes is not there."""
    checks = tree.get("checks")
    if not isinstance(checks, Map):
        return []
    return [key for check in checks if (key := check_key(name, check)) in keys]


class _Finder:
    """Resolves the selectors of one service, and notes what is wrong with them at their lines."""

    def __init__(
        self,
        context: Context,
        keys: Keys,
        hosts: Mapping[str, Host],
        tree: Map,
        place: Place,
        name: str,
    ) -> None:
        self._context, self._keys, self._hosts = context, keys, hosts
        self._tree, self._place, self._name = tree, place, name

    def checks(self, index: int, text: str) -> list[CheckKey]:
        """Give the checks that one line of `checks:` means."""
        place, what = self._at("checks", index)
        try:
            return self.find(text)
        except MissingError as error:
            self._context.add_missing(place, f"{what}: {error}")
        except ExpressionError as error:
            self._context.add(place, f"{what}: {error}")
        return []

    def rules(self, key: str, texts: tuple[str, ...]) -> tuple[Rule, ...]:
        """Give the rules of `down_when` or `degraded_when`."""
        found = []
        for index, text in enumerate(texts):
            place, what = self._at(key, index)
            try:
                found.append(rule(text, self.find))
            except MissingError as error:
                self._context.add_missing(place, f"{what}: {error}")
            except ExpressionError as error:
                self._context.add(place, f"{what}: {error}")
        return tuple(found)

    def find(self, text: str) -> list[CheckKey]:
        """Give the checks that a selector means, as `find`."""
        return find(text, self._keys, self._hosts)

    def _at(self, key: str, index: int) -> tuple[Place, str]:
        return walk(self._tree, (key, index), self._place)[0], f"{self._name}.{key}"


def find(text: str, keys: Keys, hosts: Mapping[str, Host]) -> list[CheckKey]:
    """Give the checks that a selector means: `web*/site, api1/site`, `group=web & check=site`.

    Raises:
        ExpressionError: it cannot be read, or means nothing.
    """
    parts = [part.strip() for part in _ALTERNATIVES.split(text)]
    return list(dict.fromkeys(key for part in parts for key in _one(part, keys, hosts)))


def _one(pattern: str, keys: Keys, hosts: Mapping[str, Host]) -> list[CheckKey]:
    if "=" in pattern or "&" in pattern:
        return _by_terms(pattern, keys, hosts)
    if "/" not in pattern:
        raise ExpressionError(f"{pattern!r} does not begin with host/check")
    try:
        found = keys.match(pattern)
    except ValueError as error:
        raise ExpressionError(str(error)) from error
    if not found and not keys.is_absent(pattern):
        near = keys.nearest(pattern)
        raise MissingError(f"there is no check {pattern}{near}")
    return found


def _by_terms(text: str, keys: Keys, hosts: Mapping[str, Host]) -> list[CheckKey]:
    try:
        parsed = selector.parse(text)
    except BadSelectorError as error:
        raise ExpressionError(str(error)) from error
    for term in (term for terms in parsed.alternatives for term in terms):
        if term.field in _CIRCULAR:
            raise ExpressionError(
                f"{text!r}: what a service is made of cannot be told by {term.field}= "
                "(write host=, group=, site=, customer= or check=)"
            )
    found = [key for key in keys.all if _matches(parsed, key, hosts)]
    if not found:
        raise MissingError(f"no check matches {text} (`monitord checks` lists them)")
    return found


def _matches(parsed: selector.Selector, key: CheckKey, hosts: Mapping[str, Host]) -> bool:
    host, _, check = key.partition("/")
    known = hosts.get(host)
    return known is not None and selector.matches(parsed, host=known, check=check)


def memberships(services: Mapping[str, Service]) -> dict[CheckKey, tuple[str, ...]]:
    """Give for each check the services that it belongs to."""
    found: dict[CheckKey, tuple[str, ...]] = {}
    for service in services.values():
        for key in service.checks:
            found[key] = (*found.get(key, ()), service.name)
    return found
