"""What checks need and services are made of: patterns over check keys, resolved; and circles.

A pattern is `host/check`, either part with `*`, `?` or ranges; a bare `check` means the same host.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from monitord.config.context import Context
from monitord.config.defaults import REACH
from monitord.config.fields import Parents
from monitord.config.names import glob, is_pattern, nearest
from monitord.config.tree import Place
from monitord.model.catalog import Requirement
from monitord.model.ids import CheckKey


class Keys:
    """All check keys of the catalog, and which of them a pattern means.

    `absent` are keys that are written but not in the catalog; naming one is no mistake.
    """

    def __init__(self, keys: Iterable[CheckKey], absent: AbstractSet[CheckKey]) -> None:
        self._keys = list(keys)
        self._absent = absent
        self._known = set(self._keys)
        self._matches: dict[str, list[CheckKey]] = {}

    @property
    def all(self) -> Sequence[CheckKey]:
        """All keys, in the catalog's order."""
        return self._keys

    def __contains__(self, key: CheckKey) -> bool:
        return key in self._known

    def match(self, pattern: str) -> list[CheckKey]:
        """Give the keys that `host/check` means, in the catalog's order.

        Raises:
            ValueError: a range that cannot be read.
        """
        found = self._matches.get(pattern)
        if found is None:
            found = self._matches[pattern] = self._find(pattern)
        return found

    def _find(self, pattern: str) -> list[CheckKey]:
        if not is_pattern(pattern):
            key = CheckKey(pattern)
            return [key] if key in self._known else []
        matches = glob(pattern)
        return [key for key in self._keys if matches(key)]

    def is_absent(self, pattern: str) -> bool:
        """Tell whether a pattern means a key that is written but not in the catalog."""
        matches = glob(pattern)
        return any(matches(key) for key in self._absent)

    def nearest(self, pattern: str) -> str:
        """Give ` (did you mean …?)` or nothing."""
        return nearest(pattern, self._keys)


def requirement(
    context: Context,
    keys: Keys,
    own: CheckKey,
    parents: Parents,
    place: Place,
) -> Requirement:
    """Resolve what one check needs; problems are noted at `place`."""
    host, _, name = own.partition("/")
    found: list[CheckKey] = []
    for text in parents.names:
        pattern = text if "/" in text else f"{host}/{text}"
        try:
            matched = [key for key in keys.match(pattern) if key != own]
        except ValueError as error:
            context.add_once(place, f"{name}.needs: {error}")
            continue
        if pattern == own:
            context.add_once(place, f"{name}.needs: a check cannot need itself (remove it)")
        elif not matched and not keys.is_absent(pattern):
            context.add_missing(place, _missing(keys, host, name, text))
        found.extend(matched)
    if len(found) > 1 and not parents.explicit:
        context.add_once(
            place,
            f"{name}.needs: two or more needs want any: or all: ({len(found)} checks match)",
        )
    return Requirement(parents.mode, tuple(dict.fromkeys(found)))


def _missing(keys: Keys, host: str, name: str, text: str) -> str:
    """Say that a need means nothing; `reach` is made only where something hangs on it."""
    if text == REACH:
        return (
            f"{name}.needs: {host} has no check reach, for no host is behind it "
            "(remove needs, or write a check ping and need that)"
        )
    pattern = text if "/" in text else f"{host}/{text}"
    return f"{name}.needs: there is no check {text}{keys.nearest(pattern)}"


def circle(edges: Mapping[CheckKey, Sequence[CheckKey]]) -> list[CheckKey]:
    """Give one circle in a graph as a list that ends where it begins; empty when there is none."""
    done: set[CheckKey] = set()
    for start in edges:
        if start in done:
            continue
        path, on_path, stack = [start], {start}, [iter(edges[start])]
        while stack:
            below = next(stack[-1], None)
            if below is None:
                stack.pop()
                finished = path.pop()
                on_path.discard(finished)
                done.add(finished)
            elif below in on_path:
                return [*path[path.index(below) :], below]
            elif below not in done:
                path.append(below)
                on_path.add(below)
                stack.append(iter(edges.get(below, ())))
    return []
