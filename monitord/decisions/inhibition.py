"""Decides which incident keeps people from being told of which other, by the rules of `inhibit:`.

Pure. A rule says: while its source is bad, people hear of that, and not of its targets. What a rule
can bear on is worked out once for a catalog; docs/decisions/inhibition.md has the reasons.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from monitord.decisions.selector import matches, parse
from monitord.model.catalog import Catalog, Check, Host
from monitord.model.correlation import Inhibition
from monitord.model.ids import CheckKey
from monitord.model.incident import OPEN_STATUSES, Incident

Class = tuple[str, ...]
"""What must be equal of source and target: a value for each of the rule's `equal`."""


@dataclass(frozen=True, slots=True)
class Side:
    """The sources or the targets of one rule: by check the classes it is in, and the reverse."""

    classes: Mapping[CheckKey, tuple[Class, ...]]
    checks: Mapping[Class, tuple[CheckKey, ...]]

    def near(self, keys: Iterable[CheckKey], other: "Side") -> Iterable[CheckKey]:
        """Give the checks of this side in a class of one of these of the other, each once."""
        classes = dict.fromkeys(each for key in keys for each in other.classes.get(key, ()))
        return dict.fromkeys(key for each in classes for key in self.checks.get(each, ()))


@dataclass(frozen=True, slots=True)
class Bearing:
    """One rule, and what it bears on in a catalog."""

    rule: Inhibition
    sources: Side
    targets: Side

    def inhibits(
        self,
        source: Incident,
        of_source: Sequence[CheckKey],
        target: Incident,
        of_target: Sequence[CheckKey],
    ) -> bool:
        """Tell whether the source, with its checks, keeps people from being told of the target.

        Every check of the target must be one, in a class of a check of the source. What is both
        source and target is not inhibited by what is both, too: they would silence each other.
        """
        on = source.status in OPEN_STATUSES and source.severity in self.rule.severity
        if not on or source.id == target.id or not of_target:
            return False
        if self._is_both(of_source) and self._is_both(of_target):
            return False
        classes = {each for key in of_source for each in self.sources.classes.get(key, ())}
        return all(not classes.isdisjoint(self.targets.classes.get(key, ())) for key in of_target)

    def _is_both(self, keys: Sequence[CheckKey]) -> bool:
        return any(key in self.sources.classes and key in self.targets.classes for key in keys)


def bearings(catalog: Catalog) -> tuple[Bearing, ...]:
    """Give what each rule bears on, in the order in which they are written.

    After them comes what each composite says of its own members.
    """
    written = (
        Bearing(rule, _side(catalog, rule, rule.source), _side(catalog, rule, rule.target))
        for rule in catalog.settings.inhibit
    )
    return (*written, *_composites(catalog))


def _composites(catalog: Catalog) -> Iterable[Bearing]:
    """Give a rule for each composite whose members are quiet: one cause, one ticket."""
    for key, check in catalog.checks.items():
        if check.members is not None and check.members.quiet and check.members.keys:
            rule = Inhibition(name=f"members of {key}", source=key, target="its members")
            yield Bearing(rule, _one_class((key,)), _one_class(check.members.keys))


def _one_class(keys: tuple[CheckKey, ...]) -> Side:
    return Side(dict.fromkeys(keys, ((),)), {(): keys})


def _side(catalog: Catalog, rule: Inhibition, text: str) -> Side:
    selector, classes = parse(text), {}
    checks: dict[Class, list[CheckKey]] = {}
    for key, check in catalog.checks.items():
        host = catalog.hosts[check.host]
        if not matches(selector, host=host, check=check.name, services=check.services):
            continue
        found = tuple(product(*(_values(name, host, check) for name in rule.equal)))
        classes[key] = found
        for each in found:
            checks.setdefault(each, []).append(key)
    return Side(classes, {each: tuple(keys) for each, keys in checks.items()})


def _values(name: str, host: Host, check: Check) -> tuple[str, ...]:
    """Give what a check has of a field; nothing equals nothing: two without a site share none."""
    values = {
        "host": (host.name,),
        "site": (host.site,),
        "customer": (host.customer,),
        "service": check.services,
    }
    return tuple(filter(None, values[name]))
