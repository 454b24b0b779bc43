"""What may stand in a line for a person: nothing that a terminal or a pager would obey."""

from __future__ import annotations

import unicodedata


def is_clean(text: str, *, extra: str = "") -> bool:
    """Tell whether all of it is visible, a kind of space, or in `extra`."""
    return all(c.isprintable() or unicodedata.category(c) == "Zs" or c in extra for c in text)
