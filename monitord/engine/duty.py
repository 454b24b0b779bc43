"""Answers for the stages who is on duty now, and when a calendar opens next.

The rules stand in decisions/oncall.py and decisions/calendars.py; rows and catalog are read here.
"""

from collections.abc import Callable, Iterable

from monitord.decisions import calendars
from monitord.engine.instance import Instance
from monitord.engine.oncall import who
from monitord.model.ids import Instant
from monitord.store.contract import View


def opening(instance: Instance) -> Callable[[str, Instant], Instant | None]:
    """Give the question when a calendar of this name is open next; one that is gone always is.

    A reload may take a calendar away while an incident waits for it: people are told then.
    """
    known = instance.catalog.calendars

    def next_open(name: str, at: Instant) -> Instant | None:
        return calendars.next_open(known[name], at) if name in known else at

    return next_open


def is_open(instance: Instance, at: Instant) -> Callable[[str], bool]:
    """Give the question whether a calendar of this name is open; one that is gone always is."""
    known = instance.catalog.calendars
    return lambda name: name not in known or calendars.is_open(known[name], at)


def on_call(view: View, instance: Instance, rotation: str, at: Instant) -> tuple[str, ...]:
    """Give who of a rotation is on call, first the first; nobody of one that a reload took away."""
    return who(view, instance.catalog, rotation, at)


def named(view: View, instance: Instance, words: Iterable[str]) -> set[str]:
    """Give the people whom words (`person/kim`, `rotation/desk`) mean now, of those still there."""
    found: set[str] = set()
    for word in words:
        kind, _, name = word.partition("/")
        found |= {name} if kind == "person" else set(on_call(view, instance, name, instance.now()))
    return found & instance.catalog.people.keys()
