"""Holds expectations against a history, and says in one sentence what was otherwise. Pure."""

from collections.abc import Iterable
from typing import Any

from monitord.engine.scenario.file import Expectation
from monitord.engine.scenario.history import Fact, History
from monitord.model.spec import format_duration

_SUBJECTS = ("incident", "ticket", "state", "refused", "page")
_MATCHED = (
    "status",
    "cause",
    "runbook",
    "attempt",
    "severity",
    "priority",
    "tier",
    "items",
    "guard",
    "hard",
    "soft",
    "flapping",
    "unreachable",
    "stale",
    "reopened",
)
_CONTAINED = ("says", "waits")
_COUNTED = {
    "incidents": "incident",
    "attempts": "attempt",
    "tickets": "ticket",
    "pages": "page",
    "effects": "effect",
}


def judge(expectation: Expectation, history: History, end: float) -> str:
    """Give an empty text when the expectation holds, else what was found instead."""
    if expectation.never is not None:
        return _never(expectation, history, end)
    if expectation.count is not None:
        return _count(expectation, history, end)
    return _once(expectation, history, end)


def _never(expectation: Expectation, history: History, end: float) -> str:
    until = expectation.until.total_seconds() if expectation.until else end
    words = [expectation.never] if isinstance(expectation.never, str) else expectation.never
    for word in words or []:
        for fact in history.until(until):
            if fact["what"] == word and _fits(expectation, fact, expectation.of):
                return f"never {word}, but there was {_shown(fact)}"
    return ""


def _count(expectation: Expectation, history: History, end: float) -> str:
    when = expectation.at or expectation.by or expectation.until
    until = when.total_seconds() if when else end
    what = _COUNTED[expectation.count or ""]
    seen = {
        fact.get("id", fact.get("number"))
        for fact in history.until(until)
        if fact["what"] == what and _fits(expectation, fact, expectation.of)
    }
    if len(seen) == expectation.exactly:
        return ""
    of = f" of {expectation.of}" if expectation.of else ""
    return f"{len(seen)} {expectation.count}{of}, expected {expectation.exactly}"


def _once(expectation: Expectation, history: History, end: float) -> str:
    subject = next((name for name in _SUBJECTS if getattr(expectation, name) is not None), None)
    if subject is None:
        return f"names none of {', '.join(_SUBJECTS)}"
    of = getattr(expectation, subject)
    if expectation.at is not None:
        when = expectation.at.total_seconds()
        facts: Iterable[Fact] = history.at(when)
        until = f"at {format_duration(expectation.at)}"
    else:
        when = expectation.by.total_seconds() if expectation.by else end
        facts = history.until(when)
        until = f"by {format_duration(expectation.by)}" if expectation.by else "ever"
    seen = [fact for fact in facts if fact["what"] == subject and _names(fact, of)]
    if any(_fits(expectation, fact, of) for fact in seen):
        return ""
    found = _shown(seen[-1]) if seen else f"no {subject} of {of}"
    return f"{until}: expected {subject} {of} {_wanted(expectation)}; found {found}"


def _fits(expectation: Expectation, fact: Fact, of: str) -> bool:
    if of and not _names(fact, of):
        return False
    for name in _MATCHED:
        wanted = getattr(expectation, name)
        if wanted is not None and fact.get(name) != wanted:
            return False
    for name in _CONTAINED:
        wanted = getattr(expectation, name)
        if wanted is not None and wanted not in str(fact.get(name, "")):
            return False
    return True


def _names(fact: Fact, of: str) -> bool:
    return bool(fact["of"] == of) if "of" in fact else True


def _wanted(expectation: Expectation) -> str:
    wanted = {
        name: getattr(expectation, name)
        for name in (*_MATCHED, *_CONTAINED)
        if getattr(expectation, name) is not None
    }
    return _shown(wanted)


def _shown(fact: Fact | dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in fact.items() if value not in (None, ""))
