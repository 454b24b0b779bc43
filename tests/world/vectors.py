"""Test vectors of other projects, kept beside a developer's checkout and not in it.

    cases = vector("flap/state_machine.json")      # parsed JSON, or text for other endings
    @pytest.mark.parametrize("case", vector("perfdata/sensu.json")["cases"])   # works as well

A user's clone has none: the tests that call this are skipped there, and the end of the run says
so. With CI set and the shared folder present, a missing file fails the test.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.world.needs import VECTORS, need


def vector(name: str) -> Any:
    """Return one vector file: parsed if it ends in .json, else its text."""
    need("vectors")
    text = (VECTORS / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else text


def vector_path(name: str) -> Path:
    """Return the path of a vector file or folder."""
    need("vectors")
    return VECTORS / name
