"""GoAlert's on-call cases, every one; docs/decisions/oncall.md lists where we differ."""

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from monitord.clock import as_instant
from monitord.config.oncall_models import TurnsModel
from monitord.decisions.oncall import begins, on_call, shifts, turn
from monitord.model.calendar import DAY, Calendar, Span
from monitord.model.ids import Instant
from monitord.model.oncall import Every, Layer, Override, Rotation, ShiftKind
from tests.world.vectors import vector

PAGE = Path(__file__).parents[2] / "docs" / "decisions" / "oncall.md"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LENGTHS = {
    "hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(weeks=1),
}  # fmt: skip


def cases(name: str, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = vector("oncall/goalert.json")[name]
    assert len(found) == count
    return found


def at(text: str, zone: str = "UTC") -> Instant:
    moment = datetime.fromisoformat(text)
    return as_instant(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone)))


def every(case: dict[str, Any]) -> Every:
    # Where the source names no kind, its expected ends are months.
    kind, count = case["type"] or "monthly", case["shift_length"]
    return Every(months=count) if kind == "monthly" else Every(length=count * LENGTHS[kind])


def layer(case: dict[str, Any], zone: str, start: str, members: tuple[str, ...] = ("a",)) -> Layer:
    moment = datetime.fromisoformat(start)
    if moment.tzinfo is not None:
        moment = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return Layer(members, every(case), moment, zone)


def hours(rule: dict[str, Any], zone: str) -> Calendar:
    start, end = (
        int(text[:2]) * 3600 + int(text[3:]) * 60 for text in (rule["start"], rule["end"])
    )
    span = Span(start, end if end > start else end + DAY)
    week = tuple((span,) if day in rule["weekdays"] else () for day in DAYS)
    return Calendar("rule", zone, week)


def test_every_rotation_hands_over_when_goalert_does() -> None:
    walked = cases("rotation_handoff_cases", 16)
    assert sum(len(case["expected_handoffs"]) for case in walked) == 88
    for case in walked:
        own = layer(case, case["time_zone"], case["rotation_start"])
        low, high = (at(case[name], case["time_zone"]) for name in ("walk_from", "walk_to"))
        first, last = turn(own, low), turn(own, high)
        found = dict.fromkeys(begins(own, number) for number in range(first, last + 2))
        assert list(found) == [at(text) for text in case["expected_handoffs"]], case


def test_every_rotation_ends_its_turn_when_goalert_does() -> None:
    for case in cases("rotation_end_cases", 28):
        own = layer(case, case["time_zone"], case["rotation_start"])
        start = at(case["at"])
        end = begins(own, turn(own, start) + 1)
        assert end == at(case["expected_end"]), case
        if "expected_duration_s" in case:
            assert end - start == case["expected_duration_s"] * 1_000_000, case


def test_a_length_that_is_none_cannot_be_written() -> None:
    (fine, wrong) = cases("rotation_valid_cases", 2)
    assert (fine["expected"], wrong["expected"]) == ("valid", "rejected")
    assert TurnsModel(every=f"{fine['shift_length']}w").every == every(fine)
    with pytest.raises(ValidationError):
        TurnsModel(every=f"{wrong['shift_length']}w")


def of_goalert(rotation: dict[str, Any], zone: str) -> Layer:
    """Give a layer with its members turned so that the current one is on at `current_start`."""
    plain = layer(rotation, zone, rotation["start"])
    users, ahead = rotation["users"], turn(plain, at(rotation["current_start"]))
    shift = (rotation["current_index"] - ahead) % len(users)
    return layer(rotation, zone, rotation["start"], (*users[shift:], *users[:shift]))


def test_the_user_of_a_rotation_is_goalerts() -> None:
    (case,) = cases("rotation_user_at", 1)
    rotation = Rotation("r", (of_goalert(case["rotation"], "UTC"),))
    assert on_call(rotation, (), at(case["at"])) == (case["expected"],)


def test_every_rule_of_hours_is_open_when_goalerts_is() -> None:
    rules = cases("rule_cases", 96)
    for case in rules:
        covered = Layer(
            ("a",),
            Every(length=timedelta(days=1)),
            datetime(2017, 1, 1),  # noqa: DTZ001 - a time on the wall
            hours=hours(case, case["time_zone"]),
        )
        rotation, start = Rotation("r", (covered,)), at(case["at"])
        if case["op"] == "is_active":
            assert bool(on_call(rotation, (), start)) is case["expected"], case
            continue
        week = timedelta(weeks=2) // timedelta(microseconds=1)
        found = shifts(rotation, (), Instant(start - week), Instant(start + week))
        its = next(one for one in found if one.ends > start)
        edge = its.starts if case["op"] == "start_time" else its.ends
        assert edge == at(case["expected"]), case
    assert len({case["op"] for case in rules}) == 3


# What GoAlert has and we do not, said on the page: nobody on call on purpose.
LEAVES_A_GAP = {"RemoveOverride", "Temporary Schedule"}


def overrides(case: dict[str, Any]) -> list[Override]:
    written = [
        (one["add"], one.get("remove", ""), "remove" not in one, one)
        for one in case.get("overrides", ())
        if "add" in one
    ]
    written += [
        (one["user"], "", False, one)
        for schedule in case.get("temporary_schedules", ())
        for one in schedule["shifts"]
    ]
    return [
        Override(
            number, "r", person, at(one["start"]), at(one["end"]), ShiftKind.OVERRIDE, "kim",
            Instant(0), "a case", instead=instead, beside=beside,
        )
        for number, (person, instead, beside, one) in enumerate(written, 1)
    ]  # fmt: skip


def rotations(case: dict[str, Any]) -> list[Rotation]:
    """Give a rotation for each rule: rules of one schedule page their people together."""
    zone, found = case.get("time_zone", "UTC"), []
    for rule in case["rules"]:
        kind, _, user = rule["target"].partition(":")
        if kind == "rotation":
            own = of_goalert(rule["rotation"], zone)
        else:
            own = layer({"type": "daily", "shift_length": 1}, zone, "2018-01-01T00:00:00", (user,))
        covered = Layer(own.members, own.every, own.start, zone, hours(rule, zone))
        found.append(Rotation("r", (covered,)))
    return found


def from_now(case: dict[str, Any]) -> tuple[Instant, Instant]:
    """Give the time that is compared: we keep no history, and so answer for no past of theirs."""
    start, end = at(case["from"]), at(case["to"])
    return Instant(max(start, at(case["now"]))) if "now" in case else start, end


@pytest.mark.parametrize("number", range(11))
def test_every_calculation_of_shifts_is_goalerts(number: int) -> None:
    case = cases("shift_cases", 11)[number]
    start, end = from_now(case)
    found = [
        (one.starts, one.person, one.ends)
        for rotation in rotations(case)
        for one in shifts(rotation, overrides(case), start, end)
    ]
    expected = [
        (max(start, at(one["start"])), one["user"], min(end, at(one.get("end", case["to"]))))
        for one in case["expected"]
    ]
    expected = sorted(one for one in expected if one[0] < one[2])
    if case["name"] in LEAVES_A_GAP:
        assert f"`{case['name']}`" in PAGE.read_text(encoding="utf-8")
        assert sorted(found) != expected
        assert [one for one in pairwise(sorted(found)) if one[0][2] != one[1][0]] == []
        assert (min(found)[0], max(found)[2]) == (start, end)
    else:
        assert sorted(found) == expected
