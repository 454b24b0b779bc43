"""The offline checker: proves the invariants I1 to I10 over the journal, as far as rows can tell.

Each `_i…` is one promise of the design and yields what breaks it. It only reads, and repairs
nothing; times are compared as the journal holds them, so a clock that was set back shows.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitord.clock import between
from monitord.decisions.incidents import is_shared
from monitord.decisions.verbs import BARRING
from monitord.model.catalog import Budgets
from monitord.model.ids import AttemptId, IncidentId, Instant, StateKey, split_state_key
from monitord.model.incident import (
    LIVE_ATTEMPTS,
    OPEN_STATUSES,
    Attempt,
    AttemptStatus,
    Incident,
    IncidentStatus,
    Phase,
    Step,
    StepStatus,
)
from monitord.model.result import Status
from monitord.model.state import Transition
from monitord.model.ticket import HELD_BACK, Order, OutboxStatus
from monitord.store.chain import verify_chain
from monitord.store.contract import View

_ALL = 10**9
_NEVER_ENDS = Instant(2**62)
_CHANGES = frozenset({Phase.STEP, Phase.UNDO})  # the others may change nothing
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_CAUSES = frozenset({"verified", "recovered", "closed"})
_ACTED = frozenset({AttemptStatus.VERIFYING, AttemptStatus.FIXED})
_SUPPRESSED = "suppressed: "

Matches = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise: `invariant` is I1 to I10, `subject` names the row, `text` says how."""

    invariant: str
    subject: str
    text: str

    def __str__(self) -> str:
        """Give the line that a person reads."""
        return f"{self.invariant} {self.subject}: {self.text}"


@dataclass(frozen=True, slots=True)
class Journal:
    """All rows that the invariants speak of, read once."""

    view: View
    incidents: dict[IncidentId, Incident]
    attempts: dict[AttemptId, Attempt]
    steps: dict[AttemptId, list[Step]]
    budgets: Budgets
    matches: Matches
    backends: Collection[str]

    def acting(self) -> list[Attempt]:
        """Give the attempts that reached an effect, in the order of their effects."""
        found = [attempt for attempt in self.attempts.values() if attempt.effect_at is not None]
        return sorted(found, key=lambda attempt: (attempt.effect_at, attempt.id))

    def changing(self, attempt: AttemptId) -> list[Step]:
        """Give the attempt's steps that may change something."""
        return [step for step in self.steps[attempt] if step.phase in _CHANGES]


def audit(
    view: View,
    budgets: Budgets | None = None,
    *,
    matches: Matches | None = None,
    backends: Collection[str] = (),
) -> list[Violation]:
    """Check every invariant; gives what is broken, in the order I1 to I10.

    Args:
        view: one snapshot of the store.
        budgets: what automation was allowed (default: the shipped budgets).
        matches: tells whether an order's selector covers a host (default: `*` and host names).
        backends: the ticket backends configured all the while; each must have been told.
    """
    attempts = view.attempts()
    journal = Journal(
        view=view,
        incidents={one.id: one for one in view.incidents(IncidentStatus, limit=_ALL)},
        attempts={one.id: one for one in attempts},
        steps={one.id: view.steps(one.id) for one in attempts},
        budgets=budgets or Budgets(),
        matches=matches or _is_named,
        backends=backends,
    )
    return [violation for invariant in INVARIANTS for violation in invariant(journal)]


def _is_named(selector: str, host: str) -> bool:
    return selector in {"*", host}


def _i1(journal: Journal) -> Iterator[Violation]:
    """Every hard CRITICAL has exactly one open incident, or a recorded reason why not."""
    critical = [s for s in journal.view.states() if s.hard is Status.CRITICAL]
    if not critical:
        return
    on: dict[str, list[Incident]] = defaultdict(list)
    closed: dict[str, list[Incident]] = defaultdict(list)
    for incident in journal.incidents.values():
        into = on if incident.status in OPEN_STATUSES else closed
        for name in set(incident.items) or {incident.key}:
            into[name].append(incident)
    changes = journal.view.last_changes()
    outcomes = journal.view.outcomes(one.id for one in changes.values())
    for state in critical:
        found = {one.id for name in _names(state.key) for one in on[name]}
        if len(found) == 1:
            continue
        if found:
            numbers = ", ".join(str(number) for number in sorted(found))
            yield Violation("I1", state.key, f"CRITICAL in several open incidents: {numbers}")
            continue
        change = changes.get(state.key)
        if change is None:
            yield Violation("I1", state.key, "CRITICAL, and no transition was recorded")
        elif not _explained(state.key, change, outcomes.get(change.id), closed):
            outcome = outcomes.get(change.id)
            yield Violation("I1", state.key, f"CRITICAL without an open incident ({outcome})")


def _names(key: StateKey) -> tuple[str, str]:
    return key, split_state_key(key)[0]


def _explained(
    key: StateKey, change: Transition, outcome: str | None, closed: dict[str, list[Incident]]
) -> bool:
    """Tell whether the rows give a reason: not decided yet, suppressed, closed by a person."""
    if outcome is None or _SUPPRESSED in outcome:
        return True
    return any(
        one.closed_by and (one.closed or 0) >= change.at
        for name in _names(key)
        for one in closed[name]
    )


def _i2(journal: Journal) -> Iterator[Violation]:
    """No action without an earlier durable intent."""
    for attempt in journal.attempts.values():
        subject = f"attempt {attempt.id}"
        changing = journal.changing(attempt.id)
        acted = attempt.effect_at is not None or attempt.status in _ACTED
        if acted and attempt.mode == "approve" and not attempt.approved_by:
            yield Violation("I2", subject, "acted in mode approve, and nobody said yes")
        if acted and not changing:
            yield Violation("I2", subject, f"{attempt.status} with an effect, but without a step")
        if changing and attempt.effect_at is None:
            yield Violation("I2", subject, "has a step that acts, but counts as without effect")
        if changing and (attempt.effect_at or _NEVER_ENDS) < changing[0].intended:
            yield Violation("I2", subject, "its first effect is older than its first intent")
        undone = [step for step in changing if step.phase is Phase.UNDO]
        if undone and not attempt.undoing:
            yield Violation("I2", subject, "is undone, and no row says why")
        if undone and any(s.phase is Phase.STEP and s.id > undone[0].id for s in changing):
            yield Violation("I2", subject, "acts after its undo has begun")
        for step in journal.steps[attempt.id]:
            begun = step.started if step.started is not None else step.finished
            if begun is not None and begun < step.intended:
                yield Violation("I2", f"step {step.id}", "began before its intent was journalled")


def _i3(journal: Journal) -> Iterator[Violation]:
    """No two actions at once under one lock."""
    taken: dict[str, list[Grip]] = defaultdict(list)
    held: set[tuple[str, AttemptId]] = set()
    for name, number, exclusive in journal.view.lock_history():
        held.add((name, number))
        attempt = journal.attempts.get(number)
        if attempt is not None and attempt.effect_at is not None:
            spans = [_span(attempt), *_undone_later(attempt, journal.steps[number])]
            taken[name] += [Grip(attempt.id, *span, exclusive) for span in spans]
    for attempt in journal.acting():
        for name in attempt.locks:
            if (name, attempt.id) not in held:
                yield Violation("I3", f"attempt {attempt.id}", f"acted without its lock {name}")
    for name, holders in taken.items():
        yield from _overlaps(name, sorted(holders, key=lambda grip: (grip.start, grip.end)))


@dataclass(frozen=True, slots=True)
class Grip:
    """A time in which an attempt's effects may have been under way under a lock."""

    attempt: AttemptId
    start: Instant
    end: Instant
    exclusive: bool


def _undone_later(attempt: Attempt, steps: Iterable[Step]) -> Iterator[tuple[Instant, Instant]]:
    """Give when what had ended was undone, by a person's word."""
    for step in steps:
        if step.phase is Phase.UNDO and step.intended >= _span(attempt)[1]:
            yield step.intended, step.finished if step.finished is not None else _NEVER_ENDS


def _span(attempt: Attempt) -> tuple[Instant, Instant]:
    """Give when an attempt's effects may have been under way."""
    start = attempt.effect_at if attempt.effect_at is not None else _NEVER_ENDS
    return start, attempt.finished if attempt.finished is not None else _NEVER_ENDS


def _overlaps(name: str, holders: Iterable[Grip]) -> Iterator[Violation]:
    last: Grip | None = None  # of the earlier ones, that which ends last
    last_alone: Grip | None = None  # the same among those that held it alone
    for grip in holders:
        other = last if grip.exclusive else last_alone
        if other is not None and other.end > grip.start and other.attempt != grip.attempt:
            text = f"attempts {other.attempt} and {grip.attempt} acted under it at once"
            yield Violation("I3", f"lock {name}", text)
        last = _later(last, grip)
        if grip.exclusive:
            last_alone = _later(last_alone, grip)


def _later(one: Grip | None, other: Grip) -> Grip:
    return other if one is None or other.end >= one.end else one


def _i4(journal: Journal) -> Iterator[Violation]:
    """Counts never exceed budgets."""
    # What starts the links of chains is no repair: the intent of it is held to all else.
    acting = [attempt for attempt in journal.acting() if attempt.incident]
    budgets = journal.budgets
    rungs = Counter(attempt.incident for attempt in acting)
    for incident, count in rungs.items():
        if count > budgets.rungs_per_incident:
            text = f"{count} attempts, {budgets.rungs_per_incident} allowed"
            yield Violation("I4", f"incident {incident}", text)
    by_host, by_group = defaultdict(list), defaultdict(list)
    for attempt in acting:
        by_host[attempt.host].append(attempt)
        for group in attempt.groups:
            by_group[group].append(attempt)
    for host, some in by_host.items():
        yield from _within(f"host {host}", some, _HOUR, budgets.host_per_hour)
        yield from _within(f"host {host}", some, _DAY, budgets.host_per_day)
    yield from _within("fleet", acting, _HOUR, budgets.fleet_per_hour)
    yield from _within("fleet", acting, _DAY, budgets.fleet_per_day)
    yield from _at_once("fleet", acting, budgets.fleet_at_once)
    for group, some in by_group.items():
        yield from _at_once(f"group {group}", some, budgets.group_at_once)


def _within(
    subject: str, acting: Sequence[Attempt], window: timedelta, limit: int
) -> Iterator[Violation]:
    """Find the windows, each ending with an effect, that hold more effects than `limit`."""
    effects: deque[Instant] = deque()
    for attempt in acting:
        at = _span(attempt)[0]
        effects.append(at)
        while between(effects[0], at) > window:
            effects.popleft()
        if len(effects) > limit:
            hours = window // _HOUR
            text = f"attempt {attempt.id} is number {len(effects)} in {hours} h, {limit} allowed"
            yield Violation("I4", subject, text)


def _at_once(subject: str, acting: Sequence[Attempt], limit: int) -> Iterator[Violation]:
    ends: list[Instant] = []
    for attempt in acting:
        start, end = _span(attempt)
        ends = [other for other in ends if other > start]
        ends.append(end)
        if len(ends) > limit:
            text = f"attempt {attempt.id} is number {len(ends)} at once, {limit} allowed"
            yield Violation("I4", subject, text)


def _i5(journal: Journal) -> Iterator[Violation]:
    """Every incident ends verified-fixed, recovered by itself, or closed by a named person."""
    fixed = {a.incident for a in journal.attempts.values() if a.status is AttemptStatus.FIXED}
    for incident in journal.incidents.values():
        if incident.status in OPEN_STATUSES:
            continue
        subject = f"incident {incident.id}"
        if incident.cause not in _CAUSES:
            yield Violation(
                "I5", subject, f"{incident.status} for no known cause {incident.cause!r}"
            )
        if incident.cause == "closed" and not (incident.closed_by and incident.close_reason):
            yield Violation("I5", subject, "closed without a name and a reason")
        if incident.cause == "verified" and incident.id not in fixed and not _is_shared(incident):
            yield Violation("I5", subject, "verified, but no attempt of it is FIXED")
        ended = incident.resolved if incident.status is IncidentStatus.RESOLVED else incident.closed
        if ended is None:
            yield Violation("I5", subject, f"{incident.status} without an instant")


def _is_shared(incident: Incident) -> bool:
    """Tell whether it collects items of several checks: another incident's attempt mends those."""
    return is_shared(incident.key)


def _i6(journal: Journal) -> Iterator[Violation]:
    """Every escalation has a ticket, and the messages that bring it to people."""
    tickets = {ticket.incident for ticket in journal.view.tickets()}
    told = {
        (item.backend, item.incident)
        for status in OutboxStatus
        for item in journal.view.outbox(status=status, limit=_ALL)
    }
    for incident in journal.incidents.values():
        if incident.status is not IncidentStatus.ESCALATED and incident.escalated is None:
            continue
        subject = f"incident {incident.id}"
        if incident.part_of:
            continue  # people hear of another one instead, by its timeline
        if incident.id not in tickets:
            yield Violation("I6", subject, "escalated without a ticket")
        since = incident.escalated or incident.opened
        events = journal.view.events(incident.id)
        if any(event.kind == "quiet" and event.at >= since for event in events):
            continue  # a person's order keeps it from being told, by its timeline
        if any(event.kind == HELD_BACK for event in events):
            continue  # its ticket waited for a storm to pass, perhaps since before that
        for backend in journal.backends:
            if (backend, incident.id) not in told:
                yield Violation("I6", subject, f"escalated without a message to {backend}")


def _i7(journal: Journal) -> Iterator[Violation]:
    """An action of unknown outcome is repeated only if declared idempotent; an undo never."""
    for attempt in journal.attempts.values():
        first: dict[int, Step] = {}
        for step in journal.changing(attempt.id):
            before = first.setdefault(step.position, step)
            if before is step:
                continue
            subject = f"step {step.id}"
            if step.phase is Phase.UNDO:
                yield Violation("I7", subject, f"repeats step {before.id}: an undo is done once")
            elif not step.idempotent:
                yield Violation("I7", subject, f"repeats step {before.id}, and is not idempotent")
            elif before.status is StepStatus.DONE:
                yield Violation("I7", subject, f"repeats step {before.id}, which was done")


def _i8(journal: Journal) -> Iterator[Violation]:
    """No intent commits during an order that bars actions on its target."""
    orders = [order for order in journal.view.orders() if order.verb in BARRING]
    if not orders:
        return
    for attempt in journal.attempts.values():
        for step in journal.changing(attempt.id):
            for order in orders:
                if _in_force(order, step.intended) and journal.matches(order.selector, step.target):
                    text = f"intended on {step.target} during {order.verb} {order.id}"
                    yield Violation("I8", f"step {step.id}", f"{text} ({order.selector})")


def _in_force(order: Order, at: Instant) -> bool:
    end = order.expires if order.ended is None else min(order.ended, order.expires)
    return max(order.starts, order.given) <= at < end


def _i9(journal: Journal) -> Iterator[Violation]:
    """Targets are the explicit, bounded list in the intent."""
    for attempt in journal.attempts.values():
        steps = journal.steps[attempt.id]
        if not attempt.targets and (steps or attempt.status in LIVE_ATTEMPTS):
            yield Violation("I9", f"attempt {attempt.id}", "has no targets")
        for step in steps:
            if step.target not in attempt.targets:
                text = f"aims at {step.target}, which is no target of attempt {attempt.id}"
                yield Violation("I9", f"step {step.id}", text)


def _i10(journal: Journal) -> Iterator[Violation]:
    """The audit chain verifies."""
    for broken in verify_chain(journal.view):
        yield Violation("I10", "audit chain", broken.text)


INVARIANTS = (_i1, _i2, _i3, _i4, _i5, _i6, _i7, _i8, _i9, _i10)
"""Every promise that is checked, in the order of the design."""
