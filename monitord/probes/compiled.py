"""What a probe derives from its spec once (parsed address, request bytes, patterns), kept by spec.

Specs never change after loading, so identity is enough: no hashing of fields on the hot path. An
entry goes when its spec goes (a reload drops the old catalog). It keeps nothing else.
"""

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

from monitord.model.spec import Spec

S = TypeVar("S", bound=Spec)
P = TypeVar("P")


class Compiled(Generic[S, P]):
    """A cache of `build(spec)` by the identity of the spec. For one event loop's thread."""

    def __init__(self, build: Callable[[S], P]) -> None:
        self._build = build
        self._kept: dict[int, tuple[weakref.ref[S], P]] = {}

    def __call__(self, spec: S) -> P:
        """Give what was built for this very object, building it at the first call."""
        kept = self._kept.get(id(spec))
        if kept is not None:
            return kept[1]
        made = self._build(spec)
        key = id(spec)
        self._kept[key] = (weakref.ref(spec, lambda _: self._kept.pop(key, None)), made)
        return made

    def __len__(self) -> int:
        """Tell how many specs are alive in it."""
        return len(self._kept)
