"""What a month's report says as a message: shares never rounded up, what was broken first."""

import pytest

from monitord.decisions.availability import Availability, Time
from monitord.decisions.month_mail import Kept, write
from monitord.decisions.report import Ended, Month, Recurring, Took

NOTHING = Took(0, None, None, None)
QUIET = Month(0, 0, {}, dict.fromkeys(Ended, 0), None, NOTHING, 0, NOTHING, ())
BUSY = Month(
    incidents=12,
    parts=3,
    priorities={"P2": 12},
    ended={**dict.fromkeys(Ended, 0), Ended.ALONE: 9, Ended.CLOSED: 3},
    automation=0.75,
    acknowledged=Took(3, 240.0, 200.0, 660.0),
    unanswered=1,
    repaired=Took(12, 95.0, 40.0, 1800.0),
    recurring=(Recurring("web1/site", 4, 420.0),),
)


def _kept(share: float, promised: float | None = 0.999, *, blind: Time | None = None) -> Kept:
    whole = 2_592_000_000_000  # 30 days
    up = round(share * whole)
    times = {**dict.fromkeys(Time, 0), Time.UP: up, (blind or Time.DOWN): whole - up}
    return Kept("shop", Availability(times, whole, whole, up / whole, "abc123"), promised)


def _lines(kept: Kept, month: Month = QUIET) -> list[str]:
    return write("2026-11", "prod", [kept], month)[1].splitlines()


def test_what_was_broken_stands_in_the_title() -> None:
    title, body = write("2026-11", "prod", [_kept(0.998999)], BUSY)
    assert title == "prod: report of 2026-11: shop below what was promised"
    assert body.splitlines()[0] == (
        "shop: 99.899 % (promised 99.900%: BROKEN), down for 43m; seal abc123"
    )


@pytest.mark.parametrize(
    ("share", "shown"), [(1.0, "100.000 %"), (0.999996, "99.999 %"), (0.57, "57.000 %")]
)
def test_a_share_is_never_rounded_up(share: float, shown: str) -> None:
    assert _lines(_kept(share, None))[0].startswith(f"shop: {shown}")


@pytest.mark.parametrize("blind", [Time.NO_DATA, Time.OUTAGE])
def test_what_nobody_watched_is_neither_zero_nor_broken(blind: Time) -> None:
    title, body = write("2026-11", "prod", [_kept(0.0, blind=blind)], QUIET)
    assert title == "prod: report of 2026-11: 0 incidents"
    assert body.splitlines()[0] == "shop: not watched"
    assert "promised" in _lines(_kept(0.5, blind=blind))[0]  # half of it was


def test_a_month_in_lines() -> None:
    title, body = write("2026-11", "prod", [], BUSY)
    assert title == "prod: report of 2026-11: 12 incidents"
    assert body.splitlines() == [
        "No service is configured.",
        "",
        "12 incidents: 9 automation, 3 by a person",
        "Repaired by automation alone: 75% of those that are over",
        "Until a person answered: 4m on average, 95 % within 11m",
        "Until it was over: 2m on average, 95 % within 30m",
        "Handed to people and never answered: 1",
        "Came back: web1/site, 4 times, 7m in all",
        "",
        "The whole of it: `monitord report 2026-11`, or Reports in the console.",
    ]


def test_a_quiet_month_is_short() -> None:
    assert _lines(_kept(1.0))[2] == "No incident."
