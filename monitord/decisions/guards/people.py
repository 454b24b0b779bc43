"""The guards that stand for people: their orders, their hands on the host, and what they approve.

Pure; which order is in force and who is at work was found out before.
"""

from monitord.decisions.guards.situation import Refusal, Situation, Then


def halt(s: Situation) -> Refusal | None:
    """People stopped automation: of everything here (a person must know), or of this runbook."""
    if s.halt_order is None and s.halt_file:
        return Refusal("automation is halted: the file HALT exists", Then.PERSON)
    if s.halt_order is not None:
        order = s.halt_order
        return Refusal(f"automation is halted by {order.by}: {order.reason}", Then.PERSON)
    if s.halt_runbook is not None:
        order = s.halt_runbook
        reason = f"{s.rung.runbook} is halted by {order.by}: {order.reason}"
        return Refusal(reason, Then.NEXT)
    return None


def maintenance(s: Situation) -> Refusal | None:
    """Somebody works here and said so: wait until they are done."""
    if s.maintenance is None:
        return None
    order = s.maintenance
    reason = f"maintenance by {order.by}: {order.reason}"
    return Refusal(reason, Then.WAIT, None if order.until_ok else order.expires)


def taken(s: Situation) -> Refusal | None:
    """A person took the host: its hands and ours must not meet."""
    if s.taken is None:
        return None
    order = s.taken
    return Refusal(
        f"{s.host.name} is taken by {order.by}: {order.reason}", Then.WAIT, order.expires
    )


def person(s: Situation) -> Refusal | None:
    """What somebody does there at this moment may be meant: hold, and ask."""
    if s.person:
        return Refusal(f"a person is at work: {s.person}; is it meant so?", Then.PERSON)
    return None


def mode(s: Situation) -> Refusal | None:
    """The rung's mode: shadow only shows, approve asks for a yes to this exact plan."""
    name = s.rung.runbook
    if s.observe:
        return Refusal("observe is on: every decision is taken, nothing is let out", Then.NEXT)
    if s.rung.mode == "shadow":
        return Refusal(f"{name} is in shadow: it shows what it would have done", Then.NEXT)
    if s.rung.mode == "approve" and not s.approved:
        # Not the next rung: a bigger repair must not run because nobody was there to approve.
        return Refusal(f"{name} needs a person's approval of this exact plan", Then.PERSON)
    return None
