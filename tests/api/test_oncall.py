"""On call over the control socket: who is asked, what is refused, calendars that mean harm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.api import ics
from monitord.api.bodies import BadBodyError
from monitord.clock import as_instant
from monitord.control import CoreSaysNoError
from monitord.model.ids import Instant
from monitord.model.oncall import Shift
from tests.api.cores import FakeCore
from tests.api.fake_rows import PEOPLE, ROTATIONS

NOW = datetime.now(UTC)
LINUX = ROTATIONS["linux"]
HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"


def inside(hours: float) -> str:
    return (NOW + timedelta(hours=hours)).isoformat()


def at(text: str) -> Instant:
    return as_instant(datetime.fromisoformat(text))


def event(*lines: str) -> str:
    return HEAD + "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR", ""])


def put(core: FakeCore, person: str = "kim", **more: Any) -> dict[str, Any]:
    body = {"rotation": "linux", "person": person, "ends": inside(2), "reason": "ill", **more}
    return core.client.post("/v1/oncall/override", body)["changes"][0]


def test_an_override_is_seen_until_it_is_ended(core: FakeCore) -> None:
    (row,) = core.client.get("/v1/oncall", rotation="linux")["rotations"]
    (on,) = row["on"]
    other = "kim" if on == "ann" else "ann"
    made = put(core, other, starts=inside(-1))
    assert (made["counts"], made["by"], made["kind"]) == (True, PEOPLE["lee"].login, "override")
    (row,) = core.client.get("/v1/oncall", rotation="linux")["rotations"]
    assert row["on"] == [other]
    assert row["shifts"][0]["change"] == made["change"]
    core.client.post(f"/v1/oncall/{made['change']}/end", {})
    (row,) = core.client.get("/v1/oncall", rotation="linux")["rotations"]
    assert (row["on"], row["changes"]) == ([on], [])
    acts = core.client.get("/v1/audit", limit=1000)["rows"]
    assert [one["act"] for one in acts if one["act"] in ("override", "end")] == ["override", "end"]


def test_who_takes_the_shift_has_it_until_it_ends(core: FakeCore) -> None:
    (before,) = core.client.get("/v1/oncall", rotation="linux")["rotations"]
    (taken,) = core.client.post("/v1/oncall/take", {"rotation": "linux"})["changes"]
    assert (taken["person"], taken["kind"]) == ("lee", "taken")
    assert taken["ends"] == before["shifts"][0]["ends"]
    with pytest.raises(CoreSaysNoError, match="lee is on call already in linux"):
        core.client.post("/v1/oncall/take", {"rotation": "linux"})
    core.client.post(f"/v1/oncall/{taken['change']}/end", {})


def test_a_time_that_nobody_covers_is_a_gap(core: FakeCore) -> None:
    (desk,) = core.client.get("/v1/oncall", rotation="desk", at="2026-11-27T12:00:00Z")["rotations"]
    assert desk["gaps"][0] == {"starts": "2026-11-27T15:00:00Z", "ends": "2026-11-30T07:00:00Z"}
    (linux,) = core.client.get("/v1/oncall", rotation="linux")["rotations"]
    assert linux["gaps"] == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"person": "kym"}, r"there is no person kym \(did you mean kim\?\)"),
        ({"rotation": "linus"}, r"there is no rotation linus \(did you mean linux\?\)"),
        ({"starts": inside(3)}, "over before it begins"),
        ({"ends": inside(-1)}, "over before it begins"),
        ({"ends": inside(24 * 401)}, "more than 400 days"),
        ({"instead": "kim"}, "kim cannot stand in for themselves"),
        ({"reason": " "}, "reason: is empty"),
        ({"ends": "tomorrow"}, "ends: 'tomorrow' is not a point in time"),
        ({"beside": "yes"}, "beside: 'yes' is not true or false"),
    ],
)
def test_what_makes_no_sense_is_refused(core: FakeCore, changes: Any, text: str) -> None:
    with pytest.raises(CoreSaysNoError, match=text):
        put(core, **changes)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"at": "9999-12-31T23:59:59Z"}, "no point in time"),
        ({"at": "2026-11-27"}, "no point in time"),
        ({"days": "0"}, "not a number from 1 to 400"),
        ({"days": "9" * 5000}, "not a number from 1 to 400"),
        ({"rotation": "none"}, "there is no rotation none"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(
    core: FakeCore, query: dict[str, str], text: str
) -> None:
    with pytest.raises(CoreSaysNoError, match=text):
        core.client.get("/v1/oncall", **query)


def test_a_calendar_goes_out_and_comes_in_again(core: FakeCore) -> None:
    out = core.client.get("/v1/oncall/ics", rotation="linux", days=28)["ics"]
    first = ics.read(out, LINUX, PEOPLE)
    assert 4 <= len(first) <= 6
    assert all(one.ends == other.starts for one, other in pairwise(first))
    again = core.client.get("/v1/oncall/ics", rotation="linux", days=28)["ics"]
    uids = [line for line in out.splitlines() if line.startswith("UID")]
    assert [line for line in again.splitlines() if line.startswith("UID")] == uids
    body = {"rotation": "linux", "ics": out, "reason": "plan of the team"}
    changes = core.client.post("/v1/oncall/import", body)["changes"]
    assert [(one["person"], one["kind"]) for one in changes] == [
        (one.person, "override") for one in first
    ]
    for one in changes:
        core.client.post(f"/v1/oncall/{one['change']}/end", {})


def test_what_is_over_of_a_plan_is_left_out(core: FakeCore) -> None:
    def event(begins: float, ends: float) -> str:
        low, high = (f"{NOW + timedelta(days=at):%Y%m%dT%H%M%SZ}" for at in (begins, ends))
        return f"BEGIN:VEVENT\nSUMMARY:kim\nDTSTART:{low}\nDTEND:{high}\nEND:VEVENT\n"

    def take(*events: str) -> Any:
        text = f"BEGIN:VCALENDAR\n{''.join(events)}END:VCALENDAR\n"
        return core.client.post(
            "/v1/oncall/import", {"rotation": "linux", "ics": text, "reason": "plan"}
        )

    (change,) = take(event(-3, -2), event(-1, 1))["changes"]
    core.client.post(f"/v1/oncall/{change['change']}/end", {})
    with pytest.raises(CoreSaysNoError, match="all events of the file are over"):
        take(event(-3, -2))


def test_an_unknown_person_leaves_everything_as_it_was(core: FakeCore) -> None:
    def stamp(hours: float) -> str:
        return f"{NOW + timedelta(hours=hours):%Y%m%dT%H%M%SZ}"

    good = f"BEGIN:VEVENT\nSUMMARY:kim\nDTSTART:{stamp(1)}\nDTEND:{stamp(2)}\nEND:VEVENT\n"
    text = f"BEGIN:VCALENDAR\n{good}{good.replace('kim', 'kimm')}END:VCALENDAR\n"
    body = {"rotation": "linux", "ics": text, "reason": "plan"}
    with pytest.raises(CoreSaysNoError) as said:
        core.client.post("/v1/oncall/import", body)
    assert str(said.value) == ("line 8: SUMMARY: there is no person 'kimm' (did you mean kim?)")
    assert core.client.get("/v1/oncall", rotation="linux")["rotations"][0]["changes"] == []


START, END = "DTSTART:20261201T080000Z", "DTEND:20261202T080000Z"
GOOD = [
    ((START, END), "2026-12-01T08:00:00+00:00", "2026-12-02T08:00:00+00:00"),
    ((START, "DURATION:PT90M"), "2026-12-01T08:00:00+00:00", "2026-12-01T09:30:00+00:00"),
    (("DTSTART;VALUE=DATE:20261201",), "2026-12-01T00:00:00+01:00", "2026-12-02T00:00:00+01:00"),
    (
        ("DTSTART:20261201T080000", "DTEND;TZID=America/Chicago:20261201T080000"),
        "2026-12-01T08:00:00+01:00",
        "2026-12-01T08:00:00-06:00",
    ),
    (
        (START, END, "BEGIN:VALARM", "SUMMARY:ring", "END:VALARM", "X-MORE:\x1b[31m"),
        "2026-12-01T08:00:00+00:00",
        "2026-12-02T08:00:00+00:00",
    ),
]


@pytest.mark.parametrize(("lines", "starts", "ends"), GOOD)
def test_an_event_says_when(lines: tuple[str, ...], starts: str, ends: str) -> None:
    (found,) = ics.read(event("SUMMARY:ki", " m", *lines), LINUX, PEOPLE)
    assert (found.person, found.starts, found.ends) == ("kim", at(starts), at(ends))
    assert found.line == 4


BAD = [
    ("", "the file holds no event"),
    ("hello", "the file holds no event"),
    ("BEGIN:VEVENT\nEND:VEVENT", "line 1: no iCalendar file"),
    (HEAD + "BEGIN:VEVENT\r\nSUMMARY:kim", "line 5: the file ends in the middle of VEVENT"),
    (HEAD + "END:VEVENT", "line 4: END:VEVENT ends what has not begun"),
    (HEAD + "BEGIN:X\r\n" * 5, "line 7: no iCalendar file"),
    (event("SUMMARY:kim", START), "line 4: this event has no end"),
    (event("SUMMARY:kim", END), "line 4: this event has no DTSTART"),
    (event("SUMMARY:kim", START, "DTEND:20261130T080000Z"), "line 4: this event ends before"),
    (event("SUMMARY:kim", START, START, END), "line 7: DTSTART stands twice"),
    (event("SUMMARY:kim", START, END, "RRULE:FREQ=SECONDLY"), "line 8: RRULE: what repeats"),
    (event("SUMMARY:kim", "DTSTART:soon", END), "line 4: this event cannot be read"),
    (event("SUMMARY:kim", "DTSTART:99991231T235959Z", END), "line 6: DTSTART"),
    (event("SUMMARY:kim", START, "DURATION:P99999999999W"), "line 4: this event cannot be read"),
    (event("SUMMARY:kim", "DTSTART;TZID=Mars/Base:20261201T080000", END), "such time zone"),
    (event(START, END), "line 4: SUMMARY: there is no person ''"),
    (event("SUMMARY:\x1b[31m\u202e", START, END), r"no person .\\x1b\[31m\\u202e"),
    (event("SUMMARY:kim" + "\r\n x" * 3000, START, END), "line 5: SUMMARY has more than 2000"),
    ("x" * (ics.LONGEST + 1), "more than 512 KiB"),
    ("\n" * 20_001, "more than 20000 lines"),
    (HEAD + "BEGIN:VEVENT\nEND:VEVENT\n" * 301 + "END:VCALENDAR", "more than 300 events"),
]


@pytest.mark.parametrize(("text", "told"), BAD, ids=[told for _, told in BAD])
def test_a_calendar_that_cannot_be_taken_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(BadBodyError, match=told):
        ics.read(text, LINUX, PEOPLE)


PIECES = st.sampled_from(
    [
        "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VTIMEZONE",
        "SUMMARY:kim", "SUMMARY", "SUMMARY;X=\x00:kim", START, END, "DTSTART;TZID=:20261201T080000",
        "DTSTART;VALUE=PERIOD:20261201T080000Z/PT1H", "DTSTART;VALUE=DATE:00010101", "DTEND:",
        "DTEND;TZID=UTC;TZID=UTC:20261201T080000", "DURATION:-P1D", "DURATION:PT", " folded", "\t",
        "", ":", ";", "\ud800", "dtstart:20261131T250000Z",
    ]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=30), max_size=30))
def test_whatever_is_sent_is_taken_or_refused_in_a_sentence(lines: list[str]) -> None:
    event_ = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"]
    for text in ("\n".join(lines), "\r\n".join(event_)):
        found, told = [], ""
        try:
            found = ics.read(text, LINUX, PEOPLE)
        except BadBodyError as error:
            told = str(error)
        assert bool(found) != bool(told)
        assert "\n" not in told
        assert all(one.starts < one.ends and one.person in PEOPLE for one in found)


def test_a_cancelled_event_is_left_out() -> None:
    text = event("SUMMARY:kim", START, END, "STATUS:CANCELLED")
    with pytest.raises(BadBodyError, match="holds no event"):
        ics.read(text, LINUX, PEOPLE)


def test_names_of_people_are_escaped_on_their_way_out() -> None:
    people = {"Ann; B, C": PEOPLE["ann"]}
    start = at("2026-12-01T08:00:00+00:00")
    shift = Shift("Ann; B, C", start, Instant(start + 3_600_000_000))
    text = ics.write("linux", [shift], now=start)
    assert "SUMMARY:Ann\\; B\\, C\r\n" in text
    (found,) = ics.read(text, LINUX, people)
    assert (found.person, found.starts, found.ends) == (shift.person, shift.starts, shift.ends)


def test_a_hand_over_tells_what_is_on_and_who_signed_the_last(core: FakeCore) -> None:
    page = core.client.get("/v1/handover")
    assert {one["rotation"] for one in page["on_call"]} == {"linux", "desk"}
    assert [one["key"] for one in page["open"]] == ["web1/site"]
    assert page["signed"] is None
    with pytest.raises(CoreSaysNoError, match="nobody has signed who leaves"):
        core.client.post("/v1/handover/sign", {"leaving": False})
    core.client.post("/v1/handover/sign", {"leaving": True, "note": "db1 is slow"})
    with pytest.raises(CoreSaysNoError, match="lee leaves: who comes signs in their own name"):
        core.client.post("/v1/handover/sign", {"leaving": False})
    left = core.client.get("/v1/handover")["signed"]["left"]
    assert (left["by"], left["note"], left["open"]) == ("lee", "db1 is slow", 1)
