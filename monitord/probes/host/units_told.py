"""Reads what `systemctl show` prints: blocks of properties, and times as people read them. Pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

Properties = Mapping[str, str]


def blocks(text: str) -> Iterator[Properties]:
    """Give the properties of each unit; one without an Id is left out."""
    for block in text.split("\n\n"):
        lines = (line.partition("=") for line in block.split("\n"))
        told = {name: value for name, is_, value in lines if is_}
        if told.get("Id"):
            yield told


def instant(text: str) -> float | None:
    """Read `Mon 2026-11-23 12:00:00 UTC` as seconds since 1970; None for what is no time in UTC."""
    try:
        return datetime.strptime(text, "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
