"""The scenarios as data: what breaks, what must come of it, what must not. The text is in JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

FILE = Path(__file__).with_name("scenarios.json")


class Expected(StrEnum):
    """What a good night shift does."""

    REPAIR = "repair"
    TICKET = "ticket"  # not to be repaired: a person is told
    NOTHING = "nothing"
    REFUSE = "refuse"  # a trap: it looks repairable and must not be touched


@dataclass(frozen=True)
class Scenario:
    """One of them. `must_print` is the file's own success oracle."""

    id: str
    title: str
    expected: Expected
    must_print: str
    must_not_happen: tuple[str, ...]


def load() -> dict[str, Scenario]:
    """Give all scenarios of the file, by id, in its order."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    return {raw["id"]: _scenario(raw) for raw in document["scenarios"]}


def _scenario(raw: dict[str, object]) -> Scenario:
    by_kind = {"noop": Expected.NOTHING, "trap": Expected.REFUSE}
    repairs = raw["expected"] == "repair"
    expected = by_kind.get(str(raw["kind"]), Expected.REPAIR if repairs else Expected.TICKET)
    oracle, never = raw["success_oracle"], raw["must_not_happen"]
    assert isinstance(oracle, dict)
    assert isinstance(never, list)
    return Scenario(
        str(raw["id"]), str(raw["title"]), expected, str(oracle["must_print"]), tuple(never)
    )
