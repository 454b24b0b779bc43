"""Holds expectations against a history, and says in one sentence what was otherwise. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any

from monitord.engine.scenario.file import Expectation
from monitord.engine.scenario.history import Fact, History
from monitord.model.spec import format_duration

_SUBJECTS = ("incident", "ticket", "state", "refused", "page", "notice", "effect", "service")
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
    "notices": "notice",
    "effects": "effect",
    "refusals": "refused",
    "services": "service",
}
_LONG = frozenset({"tells"})


def judge(expectation: Expectation, history: History, end: float) -> str:
    """Give an empty text when the expectation holds, else what was found instead."""
    if expectation.never is not None:
        return _never(expectation, history, end)
    if expectation.count is not None:
        return _count(expectation, history, end)
    if expectation.pages is not None:
        return _in_order(expectation, history, end)
    return _once(expectation, history, end)


def _never(expectation: Expectation, history: History, end: float) -> str:
    for word in expectation.never_words():
        for fact in _window(expectation, history, end):
            if fact["what"] == word and _fits(expectation, fact, expectation.of):
                return f"never {word}{_when(expectation)}, but there was {_shown(fact)}"
    return ""


def _count(expectation: Expectation, history: History, end: float) -> str:
    what = _COUNTED[expectation.count or ""]
    seen = {
        fact.get("id", fact.get("number"))
        for fact in _window(expectation, history, end)
        if fact["what"] == what and _fits(expectation, fact, expectation.of)
    }
    if len(seen) == expectation.exactly:
        return ""
    of = f" of {expectation.of}" if expectation.of else ""
    return f"{len(seen)} {expectation.count}{of}{_when(expectation)}, not {expectation.exactly}"


def _in_order(expectation: Expectation, history: History, end: float) -> str:
    pages: dict[int, str] = {
        fact["number"]: fact["status"]
        for fact in _window(expectation, history, end)
        if fact["what"] == "page" and (not expectation.of or fact["of"] == expectation.of)
    }
    came = [pages[number] for number in sorted(pages)]
    if came == list(expectation.pages or ()):
        return ""
    wanted = ", ".join(expectation.pages or ()) or "none"
    return f"pages{_when(expectation)}: {', '.join(came) or 'none'}; expected {wanted}"


def _once(expectation: Expectation, history: History, end: float) -> str:
    subject = next(name for name in _SUBJECTS if getattr(expectation, name) is not None)
    of = getattr(expectation, subject)
    if expectation.at is not None:
        facts: Iterable[Fact] = history.at(expectation.at.total_seconds())
    else:
        facts = _window(expectation, history, end)
    seen = [fact for fact in facts if fact["what"] == subject and fact["of"] == of]
    if any(_fits(expectation, fact, of) for fact in seen):
        return ""
    found = _shown(seen[-1]) if seen else f"no {subject} of {of}"
    when = _when(expectation).strip() or "ever"
    return f"{when}: expected {subject} {of} {_wanted(expectation)}; found {found}"


def _window(expectation: Expectation, history: History, end: float) -> Iterator[Fact]:
    start = expectation.after.total_seconds() if expectation.after else 0.0
    last = expectation.until or expectation.by or expectation.at
    return history.between(start, last.total_seconds() if last else end)


def _when(expectation: Expectation) -> str:
    words = (
        ("after", expectation.after),
        ("at", expectation.at),
        ("by", expectation.by),
        ("until", expectation.until),
    )
    return "".join(f" {word} {format_duration(time)}" for word, time in words if time is not None)


def _fits(expectation: Expectation, fact: Fact, of: str) -> bool:
    if of and fact["of"] != of:
        return False
    for name in _MATCHED:
        wanted = getattr(expectation, name)
        if wanted is not None and fact.get(name) != wanted:
            return False
    for name in _CONTAINED:
        wanted = getattr(expectation, name)
        if wanted is not None and wanted not in str(fact.get(name, "")):
            return False
    return all(text in str(fact.get("tells", "")) for text in _told(expectation))


def _told(expectation: Expectation) -> list[str]:
    told = expectation.tells
    return [told] if isinstance(told, str) else told or []


def _wanted(expectation: Expectation) -> str:
    wanted = {
        name: getattr(expectation, name)
        for name in (*_MATCHED, *_CONTAINED)
        if getattr(expectation, name) is not None
    }
    told = "".join(f", telling {text!r}" for text in _told(expectation))
    return _shown(wanted) + told


def _shown(fact: Fact | dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value}"
        for name, value in fact.items()
        if value not in (None, "") and name not in _LONG
    )
