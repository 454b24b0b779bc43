"""A small catalog and beliefs over it; what would be written or run is kept in lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from monitord import config
from monitord.daemon.kinds import KINDS
from monitord.engine.beliefs import Beliefs
from monitord.metrics import Counters
from monitord.model.catalog import Catalog
from monitord.model.ids import CheckKey, Instant, StateKey
from monitord.model.state import CheckState, Transition


@dataclass
class Kept:
    """What the beliefs asked for."""

    states: list[CheckState] = field(default_factory=list)
    erased: list[StateKey] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    rechecked: list[CheckKey] = field(default_factory=list)

    def beliefs(self) -> Beliefs:
        return Beliefs(
            lambda state, transitions: (
                self.states.append(state),
                self.transitions.extend(transitions),
            ),
            lambda key, transitions: (
                self.erased.append(key),
                self.transitions.extend(transitions),
            ),
            self.rechecked.extend,
            Counters(),
        )


@pytest.fixture
def catalog(tmp_path: Path) -> Callable[[str], Catalog]:
    """Give the catalog of a configuration's text."""

    def load(text: str) -> Catalog:
        path = tmp_path / "monitord.yaml"
        path.write_text(text, encoding="utf-8")
        return config.load(path, KINDS)

    return load


def at(seconds: float) -> Instant:
    """Give an instant of the story."""
    return Instant(1_800_000_000_000_000 + round(seconds * 1_000_000))
