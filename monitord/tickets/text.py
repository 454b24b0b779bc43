"""The whole ticket as plain text, in the order in which a person at three in the morning needs it.

What is broken, for whom, since when; how the promises stand; what was done; what was refused and
why; whose it is now and what comes next; what changed; one next command; what to do by hand; what
helped before; the vendor; how to answer. Then evidence and timeline. It decides order and wording,
never content. All text is hostile data and is cleaned.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from monitord.model.text import block, one_line
from monitord.model.ticket import Operation

_LINE = 300  # characters of a one-line field
_HEAD, _TAIL = 1500, 2500  # characters kept of a long output: how it began, how it ended
_OWNERS = {
    "OPEN": "I am looking into it.",
    "REPAIRING": "I am still repairing; nothing is asked of you yet.",
    "WAITING": "I am waiting before the next attempt; nothing is asked of you yet.",
    "ESCALATED": "I have stopped. It is yours.",
    "RESOLVED": "It is over; nothing is asked of you.",
    "CLOSED": "It is over; nothing is asked of you.",
}

Ticket = Mapping[str, Any]


def render(ticket: Ticket) -> str:
    """Give the full text of a ticket document.

    Shape: decisions/ticket_document.py. Times are ISO 8601. It raises nothing for content.
    """
    parts = (
        _line(ticket.get("comment")),
        _follows(_line(ticket.get("follows"))),
        _handed_over(ticket.get("handed_over")),
        _what(ticket),
        _section("What this means", _paragraph(ticket.get("means"))),
        _section("What is promised", _clocks(_list(ticket, "clocks"))),
        _section("What I did", _tried(_list(ticket, "tried"))),
        _section("What I refused, and why", _refused(_list(ticket, "refused"))),
        _section("What waits for your yes", _asked(_list(ticket, "asked"))),
        _owner(ticket),
        _section("What comes next", _coming(_list(ticket, "coming"))),
        *_changed(ticket.get("changed")),
        _section("Next command", _next(ticket)),
        _section("By hand", _paragraph(ticket.get("by_hand"))),
        _section("Told here too", _parts(_list(ticket, "parts"))),
        _section("What helped before", _before(ticket)),
        _section("The vendor", _vendors(_list(ticket, "vendors"))),
        _section("Your answer", _answers(ticket)),
        _section("Links", _links(ticket.get("links"))),
        _section("What the guards said", _judged(_list(ticket, "guards"))),
        _section("Evidence", _evidence(_list(ticket, "evidence"))),
        _section("Timeline", _timeline(_list(ticket, "timeline"))),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _follows(external: str) -> str:
    return f"This follows {external}, which cannot be opened again." if external else ""


def brief(ticket: Ticket, operation: Operation) -> str:
    """Give what is new in a few lines, for a comment on a ticket that holds the whole already."""
    said = _line(ticket.get("comment"))
    if operation is Operation.COMMENT:
        return said + "\n"
    severity, rank = _line(ticket.get("severity")), (ticket.get("priority"), ticket.get("tier"))
    first = {
        Operation.RESOLVE: f"{_ended(ticket)}: {subject(ticket)}",
        Operation.REOPEN: f"Again: {subject(ticket)}",
    }.get(operation, f"{severity} {' '.join(_line(word) for word in rank)}: {subject(ticket)}")
    parts = (
        first.strip(),
        said,
        _handed_over(ticket.get("handed_over")),
        _section("What is promised", _clocks(_list(ticket, "clocks"))),
        _section("What I did", _tried(_list(ticket, "tried"))),
        _section("What I refused, and why", _refused(_list(ticket, "refused"))),
        _section("What waits for your yes", _asked(_list(ticket, "asked"))),
        _owner(ticket),
        _section("What comes next", _coming(_list(ticket, "coming"))),
        _section("Next command", _next(ticket)),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _ended(ticket: Ticket) -> str:
    """Say why a ticket is resolved: it is over, or it still is bad and told elsewhere."""
    over = ticket.get("status", "RESOLVED") in ("RESOLVED", "CLOSED")
    return "It is over" if over else _line(ticket.get("says")).rstrip(".")


def subject(ticket: Ticket) -> str:
    """Give the one line that names a ticket: `web1/site: no answer within 5 s`."""
    named, title = _named(ticket), _line(ticket.get("title"))
    said = title or _line(ticket.get("summary"))
    return said if not named or said.startswith(named) else f"{named}: {said}"


def _named(ticket: Ticket) -> str:
    return _line(ticket.get("check")) or _line(ticket.get("key"))


def _what(ticket: Ticket) -> str:
    severity = _line(ticket.get("severity")).upper()
    summary = _line(ticket.get("summary"))
    first = f"{_named(ticket)} is {severity}" if severity else subject(ticket)
    lines = [f"{first}: {summary}" if severity and summary else first]
    facts = (
        ("host", _host(ticket.get("host"))),
        ("items", _names(ticket.get("items"))),
        ("services", _services(ticket)),
        ("since", _moment(ticket.get("since"))),
        ("first failure", _moment(ticket.get("first_failed"))),
        ("incident", _line(ticket.get("incident"))),
        ("status", _line(ticket.get("status"))),
        ("priority", _line(ticket.get("priority"))),
        ("tier", _line(ticket.get("tier"))),
    )
    lines += [f"  {name + ':':15}{value}" for name, value in facts if value]
    return "\n".join(lines)


def _host(host: Any) -> str:
    """Give a host's name and address; it is a map in the document, or only its name."""
    if not isinstance(host, Mapping):
        return _line(host)
    name, address = _line(host.get("name")), _line(host.get("address"))
    shown = f"{name} ({address})" if address and address != name else name
    place = [_line(host.get(key)) for key in ("customer", "site") if host.get(key)]
    return ", ".join([shown, *place])


def _services(ticket: Ticket) -> str:
    """Give the services with what was promised for them; else only their names."""
    levels = _list(ticket, "service_levels")
    if not levels:
        return _names(ticket.get("services"))
    shown = []
    for one in levels:
        facts = [f"SLA {one['sla']}"] if one.get("sla") else []
        facts += [f"impact {one['impact']}"] if one.get("impact") else []
        shown.append(str(one.get("name", "")) + (f" ({', '.join(facts)})" if facts else ""))
    return _names(shown)


def _names(names: Any) -> str:
    if not isinstance(names, Sequence) or isinstance(names, str):
        return ""
    return _line(", ".join(str(name) for name in names))


def _handed_over(told: Any) -> str:
    """Give what whoever was told last must know of what was before them."""
    if not isinstance(told, Mapping) or not isinstance(told.get("lines"), Sequence):
        return ""
    lines = ["  " * (1 + str(line).startswith("  ")) + _line(line) for line in told["lines"]]
    return _section(f"For {_line(told.get('tier'))}, who is told now", "\n".join(lines))


def _section(title: str, body: str) -> str:
    return f"{title}\n{body}" if body else ""


def _tried(attempts: Sequence[Ticket]) -> str:
    lines: list[str] = []
    for number, attempt in enumerate(attempts, 1):
        mode = _line(attempt.get("mode"))
        named = _line(attempt.get("runbook")) + (f" ({mode})" if mode else "")
        lines.append(f"  {number}. {named}: {_line(attempt.get('outcome')) or 'no outcome'}")
        for step in _list(attempt, "steps"):
            lines.extend(_step(step))
    return "\n".join(lines)


def _owner(ticket: Ticket) -> str:
    return _line(ticket.get("says")) or _OWNERS.get(str(ticket.get("status", "")).upper(), "")


def _clocks(clocks: Sequence[Ticket]) -> str:
    lines = []
    for clock in clocks:
        due, paused = _moment(clock.get("due")), _line(clock.get("paused"))
        if clock.get("broken"):
            stands = "BROKEN" + (f" at {due}" if due else "")
        elif clock.get("met"):
            stands = "met"
        elif paused:
            until = f" until {_moment(clock['goes_on'])}" if clock.get("goes_on") else ""
            stands = f"{_line(clock.get('left'))} left, paused{until}: {paused}"
        else:
            stands = f"{_line(clock.get('left'))} left" + (f", breaks {due}" if due else "")
        allowed, promise = _line(clock.get("allowed")), _line(clock.get("promise"))
        named = f"{_line(clock.get('sla'))}, {promise} within {allowed}"
        if promise == "deadline":
            named = _line(clock.get("whose"))
        lines.append(f"  {named}: {stands}")
    return "\n".join(lines)


def _coming(rows: Sequence[Ticket]) -> str:
    return "\n".join(f"  {_moment(row.get('at'))}  {_line(row.get('what'))}" for row in rows)


def _next(ticket: Ticket) -> str:
    command, risk = _line(ticket.get("next_command")), _line(ticket.get("next_risk"))
    return _indented(f"{command}   ({risk})" if command and risk else command)


def _parts(rows: Sequence[Ticket]) -> str:
    lines = []
    for one in rows:
        by = f" (by rule {_line(one.get('rule'))})" if one.get("rule") else ""
        named = f"incident {_line(one.get('incident'))}, {_line(one.get('check'))}"
        lines.append(f"  {named}: {_line(one.get('summary'))}{by}")
    return "\n".join(lines)


def _before(ticket: Ticket) -> str:
    """Give the problem that this belongs to, and how it ended the last times."""
    lines = []
    problem = ticket.get("problem")
    if isinstance(problem, Mapping):
        lines.append(f"  problem {_line(problem.get('id'))}: {_line(problem.get('title'))}")
        for name in ("cause", "cure"):
            lines += [f"    {name}: {_line(problem.get(name))}"] if problem.get(name) else []
    for one in _list(ticket, "similar"):
        by, cure = _line(one.get("by")), _line(one.get("cure"))
        ended = _line(one.get("ended")) + (f" ({by})" if by else "")
        said = f"incident {_line(one.get('incident'))}: {ended}" + (f": {cure}" if cure else "")
        lines.append(f"  {_moment(one.get('at'))}  {said}")
    return "\n".join(lines)


def _vendors(vendors: Sequence[Ticket]) -> str:
    lines = []
    for one in vendors:
        facts = [
            f"{name} {_line(one.get(name))}" for name in ("contract", "contact") if one.get(name)
        ]
        facts += [f"answers within {_line(one.get('respond'))}"] if one.get("respond") else []
        facts += [f"repairs within {_line(one.get('resolve'))}"] if one.get("resolve") else []
        facts += ["holds it now"] if one.get("holds") else []
        lines.append(f"  {_line(one.get('name'))}: {', '.join(facts)}")
    return "\n".join(lines)


def _answers(ticket: Ticket) -> str:
    rows = _list(ticket, "answers")
    lines = [f"  {_line(row.get('does')) + ':':19}{_line(row.get('command'))}" for row in rows]
    told = ticket.get("told_next")
    if isinstance(told, Mapping):
        people, vendors = _names(told.get("people")), _names(told.get("vendors"))
        named = ", ".join(word for word in (people, vendors and f"vendor {vendors}") if word)
        lines.append(f"  {'next would be:':19}{_line(told.get('tier'))}: {named}")
    return "\n".join(lines)


def _step(step: Ticket) -> Iterator[str]:
    words = [_line(step.get(name)) for name in ("phase", "kind", "target", "status")]
    code = step.get("exit_code")
    words.append(f"exit {_line(code)}" if code is not None else "")
    yield "     " + "  ".join(word for word in words if word)
    command = _line(step.get("effect"))
    if command:
        yield f"     $ {command}"
    for line in _lines(step.get("output")):
        yield f"     | {line}"
    error = _line(step.get("error"))
    if error:
        yield f"     ! {error}"


def _changed(changed: Any) -> Iterator[str]:
    """Give the section of what changed; it is there also when the host knows of nothing."""
    if not isinstance(changed, Mapping):
        return
    lines = [f"  ({_line(said)})" for said in changed.get("unread") or ()]
    rows = _list(changed, "rows")
    for row in rows:
        who = _line(row.get("who")).strip("-")
        early = "  (before the last OK)" if row.get("before") else ""
        words = (_moment(row.get("at")), _line(row.get("kind")), who, _line(row.get("text")))
        lines.append("  " + "  ".join(word for word in words if word) + early)
    if not rows:
        lines.insert(0, "  nothing that the host tells")
    since = _moment(changed.get("since"))
    yield _section(f"What changed since it was last OK ({since})", "\n".join(lines))


def _refused(refusals: Sequence[Ticket]) -> str:
    lines = []
    for refusal in refusals:
        runbook, guard = _line(refusal.get("runbook")), _line(refusal.get("guard"))
        named = f"{runbook} by {guard}" if runbook and guard else runbook or guard
        words = (_moment(refusal.get("at")), named + ":", _line(refusal.get("reason")))
        lines.append("  " + "  ".join(word for word in words if word))
        lines.extend(f"    plan: {step}" for step in _plan(refusal.get("plan")))
    return "\n".join(lines)


def _judged(rungs: Sequence[Ticket]) -> str:
    lines = []
    for rung in rungs:
        verdicts = _list(rung, "verdicts")
        passed = [_line(said.get("guard")) for said in verdicts if said.get("ok")]
        lines.append(f"  {_line(rung.get('runbook'))}, {_moment(rung.get('at'))}")
        lines.extend(
            f"    refused: {_line(said.get('guard'))}: {_line(said.get('reason'))}"
            for said in verdicts
            if not said.get("ok")
        )
        lines.append(f"    passed:  {', '.join(passed)}")
    return "\n".join(lines)


def _asked(plans: Sequence[Ticket]) -> str:
    lines = []
    for asked in plans:
        if not asked.get("waits"):
            continue
        number = _line(asked.get("attempt"))
        lines.append(f"  attempt {number}: {_line(asked.get('runbook'))}")
        lines.extend(f"    plan: {step}" for step in _plan(asked.get("plan")))
        lines.append(f"    monitord approve {number}, or monitord deny {number} --reason …")
    return "\n".join(lines)


def _plan(plan: Any) -> list[str]:
    """Give the exact steps that wait for a person's approval, one line each."""
    if not isinstance(plan, Sequence) or isinstance(plan, str):
        return []
    return [_planned(step) if isinstance(step, Mapping) else _line(step) for step in plan]


def _planned(step: Ticket) -> str:
    return "  ".join(
        _line(step.get(name)) for name in ("phase", "target", "text") if step.get(name)
    )


def _evidence(pieces: Sequence[Ticket]) -> str:
    lines: list[str] = []
    for piece in pieces:
        lines.append(f"  {_line(piece.get('title'))}")
        lines.extend(f"  | {line}" for line in _lines(piece.get("text")))
    return "\n".join(lines)


def _timeline(events: Sequence[Ticket]) -> str:
    lines = []
    for event in events:
        actor = _line(event.get("actor"))
        by = f"  ({actor})" if actor and actor != "monitord" else ""
        words = (_moment(event.get("at")), _line(event.get("kind")), _line(event.get("text")))
        lines.append("  " + "  ".join(word for word in words if word) + by)
    return "\n".join(lines)


def _links(links: Any) -> str:
    if not isinstance(links, Mapping):
        return ""
    return "\n".join(f"  {_line(name)}: {_line(url)}" for name, url in links.items())


def _list(ticket: Ticket, name: str) -> list[Ticket]:
    entries = ticket.get(name)
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return []
    return [entry for entry in entries if isinstance(entry, Mapping)]


def _line(value: Any) -> str:
    return "" if value is None else one_line(str(value), _LINE)


def _lines(value: Any) -> list[str]:
    """Give a long text as clean lines; of a very long one the beginning and the end."""
    text = "" if value is None else str(value)
    if len(text) > _HEAD + _TAIL:
        left_out = len(text) - _HEAD - _TAIL
        text = f"{text[:_HEAD]}\n… {left_out} characters left out …\n{text[-_TAIL:]}"
    return block(text, len(text)).splitlines()


def _indented(line: str) -> str:
    return f"  {line}" if line else ""


def _paragraph(value: Any) -> str:
    return "\n".join(f"  {line}" for line in _lines(value))


def _moment(value: Any) -> str:
    if value is None:
        return ""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return _line(value)
    return moment.strftime("%Y-%m-%d %H:%M:%S %Z").rstrip()
