"""What people say about shifts, over a real store: who may, when it counts, what stands of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from monitord.clock import as_instant
from monitord.decisions.calendars import instant_of, zone_of
from monitord.engine.oncall import OnCall, who
from monitord.errors import CommandRefusedError, NotFoundError
from monitord.model.catalog import Catalog
from monitord.model.ids import Instant
from monitord.model.oncall import Override, ShiftKind, Wanted
from monitord.store import OpenStore, open_store

CONFIG = """
timezone: Europe/Berlin
people:
  kim: {login: k.im, ways: [{email: kim@example.com}]}
  ann: {ways: [{email: ann@example.com}]}
  lee: {ways: [{email: lee@example.com}]}
rotations:
  linux: {members: [kim, ann, lee], at: 08:00, start: 2026-11-02}
  desk: {members: [lee], hours: {mon-fri: "08:00-16:00"}, cover: {mon-fri: "09:00-15:00"}}
"""


def at(text: str) -> Instant:
    """Give a wall-clock time of Berlin."""
    return instant_of(zone_of("Europe/Berlin"), datetime.fromisoformat(text))


@dataclass
class Place:
    """Where it happens: a catalog, a store and a time that stands still."""

    catalog: Catalog
    store: OpenStore
    time: Instant

    def now(self) -> Instant:
        return self.time

    def on(self, when: str, rotation: str = "linux") -> tuple[str, ...]:
        return self.store.read_now(lambda view: who(view, self.catalog, rotation, at(when)))

    def acts(self) -> list[tuple[str, str]]:
        rows = self.store.read_now(lambda view: view.audit_rows())
        return [(row.actor, row.act) for row in rows]


@pytest.fixture
def place(tmp_path: Path, catalog: Callable[[str], Catalog]) -> Iterator[Place]:
    store = open_store(tmp_path / "state.db")
    yield Place(catalog(CONFIG), store, at("2026-11-04T12:00"))
    store.close_now()


def said(work: Any) -> list[Override]:
    """Have something said, as the socket's loop does."""
    found: list[Override] = asyncio.run(work)
    return found


def wanted(person: str, starts: str, ends: str, **more: Any) -> Wanted:
    return Wanted("linux", person, at(starts), at(ends), "holiday", **more)


def test_a_swap_changes_nothing_until_the_other_says_yes(place: Place) -> None:
    """Two weeks: kim gives hers of the first to ann, and takes ann's of the second."""
    duty = OnCall(place)
    two = wanted("ann", "2026-11-04T12:00", "2026-11-16T08:00")
    first, second = said(duty.swap(two, by="k.im"))
    assert (place.on("2026-11-05T12:00"), place.on("2026-11-10T12:00")) == (("kim",), ("ann",))
    for login in ("k.im", "lee"):
        with pytest.raises(CommandRefusedError, match="proposed it, and of ann or kim the other"):
            said(duty.agree(first.id, by=login))
    with pytest.raises(CommandRefusedError, match="root is nobody's login"):
        said(duty.agree(first.id, by="root"))
    agreed = said(duty.agree(second.id, by="ann"))
    assert [(one.agreed_by, one.pair) for one in agreed] == [("ann", 0), ("ann", first.id)]
    assert (place.on("2026-11-05T12:00"), place.on("2026-11-10T12:00")) == (("ann",), ("kim",))
    assert place.on("2026-11-16T09:00") == ("lee",)
    with pytest.raises(CommandRefusedError, match="ann has agreed to swap 1 already"):
        said(duty.agree(first.id, by="ann"))
    said(duty.end(first.id, by="lee"))
    assert (place.on("2026-11-05T12:00"), place.on("2026-11-10T12:00")) == (("kim",), ("ann",))
    assert place.acts() == [
        ("k.im", "swap"), ("k.im", "swap"), ("ann", "agree"), ("ann", "agree"), ("lee", "end"),
    ]  # fmt: skip


def test_who_says_no_to_a_swap_ends_it(place: Place) -> None:
    duty = OnCall(place)
    (swap,) = said(duty.swap(wanted("ann", "2026-11-05T08:00", "2026-11-06T08:00"), by="k.im"))
    said(duty.end(swap.id, by="ann"))
    with pytest.raises(CommandRefusedError, match="swap 1 is over; propose another"):
        said(duty.agree(swap.id, by="ann"))
    with pytest.raises(CommandRefusedError, match="shift change 1 is over already"):
        said(duty.end(swap.id, by="ann"))


def test_a_swap_that_nobody_agreed_to_in_time_stays_without_effect(place: Place) -> None:
    duty = OnCall(place)
    (swap,) = said(duty.swap(wanted("ann", "2026-11-05T08:00", "2026-11-06T08:00"), by="k.im"))
    place.time = at("2026-11-06T08:00")
    with pytest.raises(CommandRefusedError, match="swap 1 is over"):
        said(duty.agree(swap.id, by="ann"))


@pytest.mark.parametrize(
    ("person", "by", "text"),
    [
        ("kim", "k.im", "kim cannot swap with kim"),
        ("ann", "lee", "neither lee nor ann is on call in linux then"),
        ("ann", "root", "root is nobody's login"),
    ],
)
def test_a_swap_that_makes_no_sense_is_refused(
    place: Place, person: str, by: str, text: str
) -> None:
    with pytest.raises(CommandRefusedError, match=text):
        said(OnCall(place).swap(wanted(person, "2026-11-05T08:00", "2026-11-06T08:00"), by=by))


def test_who_takes_the_shift_has_it_until_its_end_or_as_long_as_they_say(place: Place) -> None:
    duty = OnCall(place)
    (taken,) = said(duty.take("linux", by="ann", reason="", until=None))
    assert (taken.kind, taken.starts, taken.ends) == (
        ShiftKind.TAKEN, place.time, at("2026-11-09T08:00"),
    )  # fmt: skip
    assert (place.on("2026-11-04T12:00"), place.on("2026-11-04T11:59")) == (("ann",), ("kim",))
    (short,) = said(duty.take("linux", by="lee", reason="", until=at("2026-11-04T14:00")))
    assert (place.on("2026-11-04T13:00"), place.on("2026-11-04T14:00")) == (("lee",), ("ann",))
    assert short.reason == "taken"


def test_where_nobody_is_on_call_a_taken_shift_needs_an_end(place: Place) -> None:
    place.time = at("2026-11-07T12:00")
    with pytest.raises(CommandRefusedError, match="nobody is on call in desk; say --until when"):
        said(OnCall(place).take("desk", by="ann", reason="", until=None))
    said(OnCall(place).take("desk", by="ann", reason="", until=at("2026-11-07T18:00")))
    assert place.on("2026-11-07T13:00", "desk") == ("ann",)


def test_whoever_is_gone_from_the_files_is_not_on_call_any_more(
    place: Place, catalog: Callable[[str], Catalog]
) -> None:
    said(OnCall(place).override([wanted("lee", "2026-11-04T12:00", "2026-11-05T12:00")], by="root"))
    assert place.on("2026-11-04T13:00") == ("lee",)
    place.catalog = catalog(CONFIG.replace("lee", "eve"))
    assert place.on("2026-11-04T13:00") == ("kim",)
    assert place.on("2026-11-04T13:00", "gone") == ()


def test_several_overrides_are_made_whole_or_not(place: Place) -> None:
    both = [wanted(name, "2026-11-05T08:00", "2026-11-06T08:00") for name in ("ann", "nobody")]
    with pytest.raises(NotFoundError, match="there is no person nobody"):
        said(OnCall(place).override(both, by="root"))
    assert (place.on("2026-11-05T12:00"), place.acts()) == (("kim",), [])


def test_what_no_row_is_behind_cannot_be_ended(place: Place) -> None:
    with pytest.raises(NotFoundError, match="there is no shift change 7"):
        said(OnCall(place).end(7, by="root"))
    (plain,) = said(
        OnCall(place).override([wanted("ann", "2026-11-05T08:00", "2026-11-06T08:00")], by="root")
    )
    with pytest.raises(CommandRefusedError, match="is no swap: it needs nobody's yes"):
        said(OnCall(place).agree(plain.id, by="ann"))


def test_a_hand_over_is_signed_by_who_leaves_and_then_by_who_comes(place: Place) -> None:
    duty = OnCall(place)

    def sign(by: str, *, leaving: bool, note: str = "") -> dict[str, Any]:
        return asyncio.run(duty.sign(leaving=leaving, note=note, by=by))

    with pytest.raises(CommandRefusedError, match="nobody has signed who leaves"):
        sign("ann", leaving=False)
    assert sign("k.im", leaving=True, note="watch db1")["came"] is None
    with pytest.raises(CommandRefusedError, match="who comes signs in their own name"):
        sign("k.im", leaving=False)
    signed = sign("ann", leaving=False)
    assert (signed["left"]["by"], signed["left"]["note"]) == ("kim", "watch db1")
    assert signed["came"]["by"] == "ann"
    with pytest.raises(CommandRefusedError, match="nobody has signed who leaves"):
        sign("lee", leaving=False)
    assert place.acts() == [("k.im", "handover"), ("ann", "handover")]
    assert as_instant(datetime.fromisoformat(signed["left"]["at"])) == place.time
