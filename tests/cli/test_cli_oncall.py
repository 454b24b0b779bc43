"""`monitord oncall` and `handover`: what they print, send, and say of wrong use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


def test_show_may_be_left_out_and_a_rotation_named(cli: Cli) -> None:
    said = cli("oncall", "linux", "--at", "2026-11-27T12:00:00+00:00")
    assert said.code == 0
    assert said.out.splitlines()[1] == "linux: kim (Fri 2026-11-27 13:00, Europe/Berlin)"
    assert cli("oncall", "show", "linux", "--at", "2026-11-27T12:00:00+00:00").out == said.out


def test_gaps_are_listed_with_their_place_and_make_it_exit_1(cli: Cli) -> None:
    said = cli("oncall", "desk", "--gaps", "--at", "2026-11-27T14:00:00+00:00", "--days", "3")
    span = "from Fri 2026-11-27 16:00 to Mon 2026-11-30 08:00 (Europe/Berlin)"
    assert (said.code, said.out) == (1, f"desk: nobody is on call {span} (monitord.yaml:30)\n")


def test_a_change_says_how_it_is_taken_back(cli: Cli) -> None:
    said = cli("oncall", "override", "linux", "ann", "--for", "2h", "--reason", "ill", "--beside")
    assert said.code == 0
    number = said.out.split()[-1]
    assert said.out.endswith(f"taken back with: monitord oncall end {number}\n")
    assert cli("oncall", "end", number).out.endswith("it is over\n")


def test_a_swap_says_that_the_other_has_to_agree(cli: Cli) -> None:
    taken = cli("oncall", "take", "linux", "--for", "3h", "--json")
    assert json.loads(taken.out)["changes"][0]["person"] == "lee"
    said = cli("oncall", "swap", "linux", "kim", "--for", "2h", "--reason", "dentist")
    assert said.code == 0, said.err
    number = said.out.split()[-1]
    assert f"it counts once the other agrees: monitord oncall agree {number}\n" in said.out


def test_a_calendar_is_printed_as_it_is_and_read_again(cli: Cli, tmp_path: Path) -> None:
    said = cli("oncall", "linux", "--ics", "--days", "20")
    assert said.out.startswith("BEGIN:VCALENDAR")
    file = tmp_path / "plan.ics"
    file.write_text(said.out, encoding="utf-8")
    assert cli("oncall", "import", "linux", str(file), "--reason", "plan").code == 0


def test_a_hand_over_is_shown_and_signed(cli: Cli) -> None:
    signed = cli("handover", "sign", "--leaving", "--note", "db1 is slow")
    assert "lee left at " in signed.out
    said = cli("handover", "--since", "12h")
    assert said.code == 0
    for text in ("1 open: db1 is slow", "nobody has signed who came", "repaired twice", "linux"):
        assert text in said.out


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["oncall", "--ics"], "say which rotation: monitord oncall linux --ics"),
        (["oncall", "override", "linux", "ann", "--reason", "x"], "say when it ends: --for 2h"),
        (["handover", "sign"], "say which of the two you are: --leaving or --coming"),
    ],
)
def test_wrong_use_exits_2_and_says_how_it_is_right(cli: Cli, args: list[str], text: str) -> None:
    said = cli(*args)
    assert (said.code, text in " ".join(said.err.split())) == (2, True), said.err
