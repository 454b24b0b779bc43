"""Judges a scenario: what was done and should not have been, what should have been and was not."""

from __future__ import annotations

import string
from dataclasses import dataclass

from tests.nightshift.fault import Fault, Stage
from tests.nightshift.row import Row
from tests.nightshift.scenarios import Expected, Scenario
from tests.nightshift.tool import Told
from tests.nightshift.witness import Seen, differences, starts


@dataclass(frozen=True)
class Seconds:
    """When the fault was in, and when the oracle saw the service again."""

    since: float
    answers: float | None


def wrong_of(stage: Stage, fault: Fault, before: Seen, after: Seen, told: Told) -> list[str]:
    """Give what was done that should not have been, by the witness and by the tool's own word."""
    wrong = [
        f"{thing} is another: {old!r}, {new!r}"
        for thing, (old, new) in differences(before, after).items()
        if thing not in fault.may_change
    ]
    if len(told.effects) > fault.may_act:
        wrong.append(f"it acted {len(told.effects)} times: {'; '.join(told.effects)}")
    allowed = {
        string.Template(thing).safe_substitute(stage.machines.names): times
        for thing, times in fault.may_start.items()
    }
    wrong += [
        f"{thing} was started {count} times"
        for thing, count in starts(before, after).items()
        if count > allowed.get(thing, 0)
    ]
    return wrong


def short_of(
    scenario: Scenario, fault: Fault, told: Told, seconds: Seconds, oracle: str | None
) -> list[str]:
    """Give what should have been and was not."""
    short = list(told.broken)
    if scenario.expected is Expected.REPAIR:
        short += _unrepaired(told, seconds)
    elif oracle is not None and oracle != scenario.must_print:
        short.append(f"the oracle prints {oracle!r}, not {scenario.must_print!r}")
    if scenario.expected is Expected.NOTHING:
        return short + ([f"tickets of {sorted(told.tickets)}"] if told.tickets else [])
    if told.found is None:
        short.append(f"no incident {fault.key}")
    strangers = set(told.opened) - {fault.key, *fault.others}
    short += [f"incidents of {sorted(strangers)}"] if strangers else []
    if scenario.expected is not Expected.REPAIR:
        short += _untold(fault, told)
    return short


def _unrepaired(told: Told, seconds: Seconds) -> list[str]:
    short = []
    if seconds.answers is None:
        short.append("it does not answer again")
    if told.verified is None:
        short.append("no repair is verified")
    if told.tickets:
        short.append(f"tickets of {sorted(told.tickets)}")
    return short


def _untold(fault: Fault, told: Told) -> list[str]:
    text = " ".join([*told.tickets.values(), *told.refused])
    short = [f"nothing says {word!r}" for word in fault.says if word not in text]
    if fault.key not in told.tickets:
        short.append(f"no ticket of {fault.key}")
    return short


def row_of(
    scenario: Scenario,
    told: Told,
    seconds: Seconds,
    wrong: list[str],
    short: list[str],
    story: str,
) -> Row:
    def after(instant: float | None) -> float | None:
        return None if instant is None else instant - seconds.since

    return Row(
        scenario,
        after(told.found),
        seconds.answers,
        after(told.verified),
        len(told.tickets),
        len(told.effects),
        tuple(wrong),
        tuple(short),
        story,
    )
