"""What can be asked about a host: the section names, and how a section that failed is recorded.

Shared by the local and the remote gatherer, so that both report the same failure the same way.
Nothing here reads a host.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from monitord.errors import MonitordError
from monitord.model.facts import Facts, Section
from monitord.model.text import one_line

LIMITS: Mapping[str, int] = MappingProxyType(
    {
        "disk": 1 << 19,
        "memory": 1 << 14,
        "load": 1 << 12,
        "process": 1 << 22,
        "unit": 1 << 18,
        "failed-units": 1 << 17,
        "file": 1 << 17,
        "file-hash": 1 << 17,
        "program": 1 << 17,
        "clock": 1 << 12,
        "boot": 1 << 12,
        "ping": 1 << 12,
        "changes": 1 << 17,
        "kernel": 1 << 22,
    }
)
"""Every section by name, and the most bytes that its text may have; beyond them it is an error."""

TIMEOUT = 10
"""Seconds that one tool (systemctl, supervisorctl) may take."""

HASH_TIMEOUT = 30
"""Seconds that hashing one file may take."""

MOUNT_TIMEOUT = 5
"""Seconds that a network mount may take to tell its size."""


class SectionError(MonitordError):
    """One section of the facts cannot be told: a tool is missing, hangs, or says nonsense."""


def error_key(section: Section) -> str:
    """Give the key of `Facts.errors`: the name; for a supervisord its argv too, `program:argv…`."""
    return f"program:{' '.join(section.args)}" if section.name == "program" else section.name


def with_error(facts: Facts, key: str, text: str) -> Facts:
    """Record why a section (or `disk:/mnt`, `file:/path`, one part of it) could not be told."""
    return replace(facts, errors={**facts.errors, key: one_line(text, 300) or "no answer"})


def merged(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Join sections of one name: all units in one call, all files in one; each program alone."""
    joined: dict[str, Section] = {}
    for section in sections:
        if section.name not in LIMITS:
            raise ValueError(f"{section.name!r} is no section; use one of {', '.join(LIMITS)}")
        if any("\0" in arg for arg in section.args):
            raise ValueError(f"{section.name}: an argument holds a NUL byte, which no argv can")
        key = error_key(section)
        before = () if section.name == "program" or key not in joined else joined[key].args
        joined[key] = Section(section.name, tuple(dict.fromkeys(before + section.args)))
        if section.name in {"program", "changes"}:
            joined[key] = section
    return tuple(joined.values())


def valid_text(text: str) -> str:
    """Give text that can be encoded: bytes that are no UTF-8 become the replacement character."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
