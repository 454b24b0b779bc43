"""The whole ticket as plain text, in the order in which a person at three in the morning needs it.

What is broken, for whom, since when; how the promises stand; what was done; what was refused and
why; whose it is now and what comes next; what changed; one next command; what to do by hand; what
helped before; the vendor; how to answer. Then evidence and timeline. It decides order and wording,
never content. All text is hostile data and is cleaned.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from monitord.model.ticket import Operation
from monitord.tickets.values import (
    Ticket,
    as_line,
    as_lines,
    as_moment,
    indented,
    listed,
    paragraph,
)

_OWNERS = {
    "OPEN": "I am looking into it.",
    "REPAIRING": "I am still repairing; nothing is asked of you yet.",
    "WAITING": "I am waiting before the next attempt; nothing is asked of you yet.",
    "ESCALATED": "I have stopped. It is yours.",
    "RESOLVED": "It is over; nothing is asked of you.",
    "CLOSED": "It is over; nothing is asked of you.",
}


def render(ticket: Ticket) -> str:
    """Give the full text of a ticket document.

    Shape: decisions/ticket_document.py. Times are ISO 8601. It raises nothing for content.
    """
    parts = (
        as_line(ticket.get("comment")),
        _follows(as_line(ticket.get("follows"))),
        _handed_over(ticket.get("handed_over")),
        _what(ticket),
        _section("What this means", paragraph(ticket.get("means"))),
        _section("What is promised", _clocks(listed(ticket, "clocks"))),
        _section("What I did", _tried(listed(ticket, "tried"))),
        _section("What I refused, and why", _refused(listed(ticket, "refused"))),
        _section("What waits for your yes", _asked(listed(ticket, "asked"))),
        _owner(ticket),
        _section("What comes next", _coming(listed(ticket, "coming"))),
        *_changed(ticket.get("changed")),
        _section("Next command", _next(ticket)),
        _section("By hand", paragraph(ticket.get("by_hand"))),
        _section("Told here too", _parts(listed(ticket, "parts"))),
        _section("What helped before", _before(ticket)),
        _section("The vendor", _vendors(listed(ticket, "vendors"))),
        _section("Your answer", _answers(ticket)),
        _section("Links", _links(ticket.get("links"))),
        _section("What the guards said", _judged(listed(ticket, "guards"))),
        _section("Evidence", _evidence(listed(ticket, "evidence"))),
        _section("Timeline", _timeline(listed(ticket, "timeline"))),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _follows(external: str) -> str:
    return f"This follows {external}, which cannot be opened again." if external else ""


def brief(ticket: Ticket, operation: Operation) -> str:
    """Give what is new in a few lines, for a comment on a ticket that holds the whole already."""
    said = as_line(ticket.get("comment"))
    if operation is Operation.COMMENT:
        return said + "\n"
    severity, rank = as_line(ticket.get("severity")), (ticket.get("priority"), ticket.get("tier"))
    first = {
        Operation.RESOLVE: f"{_ended(ticket)}: {subject(ticket)}",
        Operation.REOPEN: f"Again: {subject(ticket)}",
    }.get(operation, f"{severity} {' '.join(as_line(word) for word in rank)}: {subject(ticket)}")
    parts = (
        first.strip(),
        said,
        _handed_over(ticket.get("handed_over")),
        _section("What is promised", _clocks(listed(ticket, "clocks"))),
        _section("What I did", _tried(listed(ticket, "tried"))),
        _section("What I refused, and why", _refused(listed(ticket, "refused"))),
        _section("What waits for your yes", _asked(listed(ticket, "asked"))),
        _owner(ticket),
        _section("What comes next", _coming(listed(ticket, "coming"))),
        _section("Next command", _next(ticket)),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _ended(ticket: Ticket) -> str:
    """Say why a ticket is resolved: it is over, or it still is bad and told elsewhere."""
    over = ticket.get("status", "RESOLVED") in ("RESOLVED", "CLOSED")
    return "It is over" if over else as_line(ticket.get("says")).rstrip(".")


def subject(ticket: Ticket) -> str:
    """Give the one line that names a ticket: `web1/site: no answer within 5 s`."""
    named, title = _named(ticket), as_line(ticket.get("title"))
    said = title or as_line(ticket.get("summary"))
    return said if not named or said.startswith(named) else f"{named}: {said}"


def _named(ticket: Ticket) -> str:
    return as_line(ticket.get("check")) or as_line(ticket.get("key"))


def _what(ticket: Ticket) -> str:
    severity = as_line(ticket.get("severity")).upper()
    summary = as_line(ticket.get("summary"))
    first = f"{_named(ticket)} is {severity}" if severity else subject(ticket)
    lines = [f"{first}: {summary}" if severity and summary else first]
    facts = (
        ("host", _host(ticket.get("host"))),
        ("items", _names(ticket.get("items"))),
        ("services", _services(ticket)),
        ("since", as_moment(ticket.get("since"))),
        ("first failure", as_moment(ticket.get("first_failed"))),
        ("incident", as_line(ticket.get("incident"))),
        ("status", as_line(ticket.get("status"))),
        ("priority", as_line(ticket.get("priority"))),
        ("tier", as_line(ticket.get("tier"))),
    )
    lines += [f"  {name + ':':15}{value}" for name, value in facts if value]
    return "\n".join(lines)


def _host(host: Any) -> str:
    """Give a host's name and address; it is a map in the document, or only its name."""
    if not isinstance(host, Mapping):
        return as_line(host)
    name, address = as_line(host.get("name")), as_line(host.get("address"))
    shown = f"{name} ({address})" if address and address != name else name
    place = [as_line(host.get(key)) for key in ("customer", "site") if host.get(key)]
    return ", ".join([shown, *place])


def _services(ticket: Ticket) -> str:
    """Give the services with what was promised for them; else only their names."""
    levels = listed(ticket, "service_levels")
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
    return as_line(", ".join(str(name) for name in names))


def _handed_over(told: Any) -> str:
    """Give what whoever was told last must know of what was before them."""
    if not isinstance(told, Mapping) or not isinstance(told.get("lines"), Sequence):
        return ""
    lines = ["  " * (1 + str(line).startswith("  ")) + as_line(line) for line in told["lines"]]
    return _section(f"For {as_line(told.get('tier'))}, who is told now", "\n".join(lines))


def _section(title: str, body: str) -> str:
    return f"{title}\n{body}" if body else ""


def _tried(attempts: Sequence[Ticket]) -> str:
    lines: list[str] = []
    for number, attempt in enumerate(attempts, 1):
        mode = as_line(attempt.get("mode"))
        named = as_line(attempt.get("runbook")) + (f" ({mode})" if mode else "")
        lines.append(f"  {number}. {named}: {as_line(attempt.get('outcome')) or 'no outcome'}")
        for step in listed(attempt, "steps"):
            lines.extend(_step(step))
    return "\n".join(lines)


def _owner(ticket: Ticket) -> str:
    return as_line(ticket.get("says")) or _OWNERS.get(str(ticket.get("status", "")).upper(), "")


def _clocks(clocks: Sequence[Ticket]) -> str:
    lines = []
    for clock in clocks:
        due, paused = as_moment(clock.get("due")), as_line(clock.get("paused"))
        if clock.get("broken"):
            stands = "BROKEN" + (f" at {due}" if due else "")
        elif clock.get("met"):
            stands = "met"
        elif paused:
            until = f" until {as_moment(clock['goes_on'])}" if clock.get("goes_on") else ""
            stands = f"{as_line(clock.get('left'))} left, paused{until}: {paused}"
        else:
            stands = f"{as_line(clock.get('left'))} left" + (f", breaks {due}" if due else "")
        allowed, promise = as_line(clock.get("allowed")), as_line(clock.get("promise"))
        named = f"{as_line(clock.get('sla'))}, {promise} within {allowed}"
        if promise == "deadline":
            named = as_line(clock.get("whose"))
        lines.append(f"  {named}: {stands}")
    return "\n".join(lines)


def _coming(rows: Sequence[Ticket]) -> str:
    return "\n".join(f"  {as_moment(row.get('at'))}  {as_line(row.get('what'))}" for row in rows)


def _next(ticket: Ticket) -> str:
    command, risk = as_line(ticket.get("next_command")), as_line(ticket.get("next_risk"))
    return indented(f"{command}   ({risk})" if command and risk else command)


def _parts(rows: Sequence[Ticket]) -> str:
    lines = []
    for one in rows:
        by = f" (by rule {as_line(one.get('rule'))})" if one.get("rule") else ""
        named = f"incident {as_line(one.get('incident'))}, {as_line(one.get('check'))}"
        lines.append(f"  {named}: {as_line(one.get('summary'))}{by}")
    return "\n".join(lines)


def _before(ticket: Ticket) -> str:
    """Give the problem that this belongs to, and how it ended the last times."""
    lines = []
    problem = ticket.get("problem")
    if isinstance(problem, Mapping):
        lines.append(f"  problem {as_line(problem.get('id'))}: {as_line(problem.get('title'))}")
        for name in ("cause", "cure"):
            lines += [f"    {name}: {as_line(problem.get(name))}"] if problem.get(name) else []
    for one in listed(ticket, "similar"):
        by, cure = as_line(one.get("by")), as_line(one.get("cure"))
        ended = as_line(one.get("ended")) + (f" ({by})" if by else "")
        said = f"incident {as_line(one.get('incident'))}: {ended}" + (f": {cure}" if cure else "")
        lines.append(f"  {as_moment(one.get('at'))}  {said}")
    return "\n".join(lines)


def _vendors(vendors: Sequence[Ticket]) -> str:
    lines = []
    for one in vendors:
        facts = [
            f"{name} {as_line(one.get(name))}" for name in ("contract", "contact") if one.get(name)
        ]
        facts += [f"answers within {as_line(one.get('respond'))}"] if one.get("respond") else []
        facts += [f"repairs within {as_line(one.get('resolve'))}"] if one.get("resolve") else []
        facts += ["holds it now"] if one.get("holds") else []
        lines.append(f"  {as_line(one.get('name'))}: {', '.join(facts)}")
    return "\n".join(lines)


def _answers(ticket: Ticket) -> str:
    rows = listed(ticket, "answers")
    lines = [f"  {as_line(row.get('does')) + ':':19}{as_line(row.get('command'))}" for row in rows]
    told = ticket.get("told_next")
    if isinstance(told, Mapping):
        people, vendors = _names(told.get("people")), _names(told.get("vendors"))
        named = ", ".join(word for word in (people, vendors and f"vendor {vendors}") if word)
        lines.append(f"  {'next would be:':19}{as_line(told.get('tier'))}: {named}")
    return "\n".join(lines)


def _step(step: Ticket) -> Iterator[str]:
    words = [as_line(step.get(name)) for name in ("phase", "kind", "target", "status")]
    code = step.get("exit_code")
    words.append(f"exit {as_line(code)}" if code is not None else "")
    yield "     " + "  ".join(word for word in words if word)
    command = as_line(step.get("effect"))
    if command:
        yield f"     $ {command}"
    for line in as_lines(step.get("output")):
        yield f"     | {line}"
    error = as_line(step.get("error"))
    if error:
        yield f"     ! {error}"


def _changed(changed: Any) -> Iterator[str]:
    """Give the section of what changed; it is there also when the host knows of nothing."""
    if not isinstance(changed, Mapping):
        return
    lines = [f"  ({as_line(said)})" for said in changed.get("unread") or ()]
    rows = listed(changed, "rows")
    for row in rows:
        who = as_line(row.get("who")).strip("-")
        early = "  (before the last OK)" if row.get("before") else ""
        words = (as_moment(row.get("at")), as_line(row.get("kind")), who, as_line(row.get("text")))
        lines.append("  " + "  ".join(word for word in words if word) + early)
    if not rows:
        lines.insert(0, "  nothing that the host tells")
    since = as_moment(changed.get("since"))
    yield _section(f"What changed since it was last OK ({since})", "\n".join(lines))


def _refused(refusals: Sequence[Ticket]) -> str:
    lines = []
    for refusal in refusals:
        runbook, guard = as_line(refusal.get("runbook")), as_line(refusal.get("guard"))
        named = f"{runbook} by {guard}" if runbook and guard else runbook or guard
        words = (as_moment(refusal.get("at")), named + ":", as_line(refusal.get("reason")))
        lines.append("  " + "  ".join(word for word in words if word))
        lines.extend(f"    plan: {step}" for step in _plan(refusal.get("plan")))
    return "\n".join(lines)


def _judged(rungs: Sequence[Ticket]) -> str:
    lines = []
    for rung in rungs:
        verdicts = listed(rung, "verdicts")
        passed = [as_line(said.get("guard")) for said in verdicts if said.get("ok")]
        lines.append(f"  {as_line(rung.get('runbook'))}, {as_moment(rung.get('at'))}")
        lines.extend(
            f"    refused: {as_line(said.get('guard'))}: {as_line(said.get('reason'))}"
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
        number = as_line(asked.get("attempt"))
        lines.append(f"  attempt {number}: {as_line(asked.get('runbook'))}")
        lines.extend(f"    plan: {step}" for step in _plan(asked.get("plan")))
        lines.append(f"    monitord approve {number}, or monitord deny {number} --reason …")
    return "\n".join(lines)


def _plan(plan: Any) -> list[str]:
    """Give the exact steps that wait for a person's approval, one line each."""
    if not isinstance(plan, Sequence) or isinstance(plan, str):
        return []
    return [_planned(step) if isinstance(step, Mapping) else as_line(step) for step in plan]


def _planned(step: Ticket) -> str:
    return "  ".join(
        as_line(step.get(name)) for name in ("phase", "target", "text") if step.get(name)
    )


def _evidence(pieces: Sequence[Ticket]) -> str:
    lines: list[str] = []
    for piece in pieces:
        lines.append(f"  {as_line(piece.get('title'))}")
        lines.extend(f"  | {line}" for line in as_lines(piece.get("text")))
    return "\n".join(lines)


def _timeline(events: Sequence[Ticket]) -> str:
    lines = []
    for event in events:
        actor = as_line(event.get("actor"))
        by = f"  ({actor})" if actor and actor != "monitord" else ""
        words = (as_moment(event.get("at")), as_line(event.get("kind")), as_line(event.get("text")))
        lines.append("  " + "  ".join(word for word in words if word) + by)
    return "\n".join(lines)


def _links(links: Any) -> str:
    if not isinstance(links, Mapping):
        return ""
    return "\n".join(f"  {as_line(name)}: {as_line(url)}" for name, url in links.items())
