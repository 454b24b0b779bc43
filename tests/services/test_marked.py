"""What is heavy runs only where it was asked for."""

from __future__ import annotations

import os


def test_the_heavy_ones_were_asked_for() -> None:
    """Deselected in `make test`, by tests/conftest.py."""
    assert os.environ.get("MONITORD_HEAVY") == "1"
