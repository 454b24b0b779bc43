"""The commands that act: what they show first, ask, send, refuse."""

from __future__ import annotations

import json
import os
import pwd
from datetime import UTC, datetime, timedelta

import pytest
import typer

from monitord.cli import when
from monitord.clock import as_datetime
from monitord.model.ids import Instant
from tests.cli.conftest import Cli

ME = pwd.getpwuid(os.getuid()).pw_name
START = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)


def test_an_order_shows_what_it_touches_and_how_to_end_it(cli: Cli) -> None:
    said = cli("ack", "group=web", "--reason", "known", "--for", "2h")
    assert said.code == 0
    assert said.err.splitlines() == ["This touches 2 checks:", "  web1/disk", "  web1/site"]
    assert "ends early with: monitord resume" in said.out
    (call,) = cli.core.calls("ack")
    assert (call["by"], call["reason"]) == (ME, "known")
    length = as_datetime(Instant(call["expires"])) - datetime.now(UTC)
    assert timedelta(minutes=119) < length <= timedelta(hours=2)


@pytest.mark.parametrize("verb", ["ack", "take", "mute", "maintenance", "halt"])
def test_a_preview_shows_what_an_order_would_touch_and_gives_none(cli: Cli, verb: str) -> None:
    said = cli(verb, "group=web", "--reason", "known", "--for", "2h", "--preview")
    assert (said.code, cli.core.calls()) == (0, [])
    assert said.out.splitlines() == ["This touches 2 checks:", "  web1/disk", "  web1/site"]
    nothing = cli(verb, "web9", "--reason", "known", "--for", "2h", "--preview", "--json")
    assert json.loads(nothing.out) == {"touches": []}


def test_what_was_taken_is_released_by_its_selector_or_number(cli: Cli) -> None:
    assert cli("take", "web1", "--reason", "mine", "--for", "1h").code == 0
    assert cli("release", "web1").code == 0
    assert cli("release", "4").code == 0
    calls = [(call["what"], call["verb"]) for call in cli.core.calls("resume")]
    assert calls == [("web1", "take"), (4, "take")]


def test_on_a_terminal_it_asks_and_no_changes_nothing(cli: Cli) -> None:
    args = ["ack", "web1/site", "--reason", "known", "--for", "2h"]
    code, shown = cli.on_terminal("n\n", *args)
    assert (code, cli.core.calls()) == (1, [])
    assert "Acknowledge these? [y/N]" in shown
    assert "web1/site" in shown
    assert cli.on_terminal("y\n", *args)[0] == 0
    assert len(cli.core.calls("ack")) == 1
    assert cli.on_terminal("", *args, "--yes")[0] == 0
    assert len(cli.core.calls("ack")) == 2


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["ack", "web1", "--for", "2h"], "Missing option '--reason'"),
        (["ack", "web1", "--reason", "x"], "say when it ends: --for 2h, or --until 18:00"),
        (["ack", "web1", "--reason", "x", "--for", "2h", "--until", "18:00"], "say when it ends"),
        (["halt", "--reason", "x", "--for", "soon"], "'soon' is not a duration"),
        (["halt", "--reason", "x", "--for", "0s"], "'0s' is no time at all"),
        (["halt", "--reason", "x", "--until", "soon"], "'soon' is no point in time"),
        (["incident", "1", "open"], "'open': of an incident one can say show, review"),
        (["incident", "1", "close"], "say why, it is kept: close --reason …"),
        (["incident", "1", "deadline", "--reason", "x"], "say by when: deadline"),
        (["incident", "one"], "Invalid value for 'number'"),
        (["job", "run", "nightly"], "Missing argument"),
        (["job", "run", "nightly", "--"], "give the command after --"),
    ],
)
def test_wrong_use_exits_2_and_says_how_it_is_right(cli: Cli, args: list[str], text: str) -> None:
    said = cli(*args)
    assert said.code == 2
    assert text in said.err
    assert cli.core.calls() == []


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["ack", "web9", "--reason", "x", "--for", "1h"], "'web9' selects no check"),
        (["resume", "99"], "there is no order 99 in force; `monitord orders` lists them"),
        (["marker", "deploy 42", "--on", "web9"], "'web9' selects no check"),
        (["forget", "web1/site"], "web1/site still reports; remove it from the configuration"),
        (["run-check", "web9/x"], "no check is called 'web9/x'"),
        (["run-check", "web1/bug"], "/v1/run-check failed; the daemon's log tells why"),
        (["remediate", "web9/x"], "no check is called 'web9/x'"),
        (["incident", "7", "close", "--reason", "x"], "there is no incident 7"),
    ],
)
def test_what_the_core_refuses_is_one_line_and_exit_1(cli: Cli, args: list[str], text: str) -> None:
    said = cli(*args)
    assert said.code == 1
    assert said.err.splitlines()[-1].startswith(f"monitord: {text}")


def test_a_marker_is_about_everything_unless_told_otherwise(cli: Cli) -> None:
    assert ", about everything\n" in cli("marker", "deploy 42").out
    said = cli("marker", "deploy 43", "--on", "web1")
    assert said.out.startswith("marker 3 at 20")
    first, second = cli.core.calls("mark")
    assert (first["text"], first["selector"]) == ("deploy 42", "*")
    assert (second["text"], second["selector"]) == ("deploy 43", "web1")


def test_a_halt_is_of_everything_unless_told_otherwise(cli: Cli) -> None:
    said = cli("halt", "--reason", "storm", "--until", "2100-01-01", "--now")
    assert "step 1 on web1 killed" in said.out
    assert [call["call"] for call in cli.core.calls()] == ["halt", "halt-now"]
    assert cli.core.calls("halt")[0]["selector"] == "*"


def test_maintenance_begins_when_it_is_said_to(cli: Cli) -> None:
    said = cli(
        *["maintenance", "web1", "--reason", "disk", "--from", "2099-01-01 22:00", "--for", "3h"],
        "--until-ok",
        "--json",
    )
    assert said.code == 0
    (call,) = cli.core.calls("maintenance")
    local = datetime(2099, 1, 2, 1, 0).astimezone()
    assert as_datetime(Instant(call["expires"])) == local


def test_an_incident_is_closed_in_the_person_s_name(cli: Cli) -> None:
    assert (
        cli("incident", "1", "close", "--reason", "replaced", "--cure", "more memory").out
        == "incident 1 is closed\n"
    )
    assert cli.core.calls("close") == [
        {"call": "close", "incident": 1, "by": ME, "reason": "replaced", "cure": "more memory"}
    ]


def test_an_incident_is_handed_on_in_the_person_s_name(cli: Cli) -> None:
    said = cli("incident", "1", "next", "--reason", "it is the database")
    assert said.out == "incident 1 is handed on to L2: lee, vendor acme\n"
    (call,) = cli.core.calls("next")
    assert call == {"call": "next", "incident": 1, "by": ME, "reason": "it is the database"}


def test_handing_on_needs_a_reason(cli: Cli) -> None:
    assert "say why, it is kept: next --reason" in cli("incident", "1", "next").err


def test_a_check_run_by_hand_exits_as_a_plugin_does(cli: Cli) -> None:
    said = cli("run-check", "web1/site")
    assert said.code == 2
    assert "no answer within 5 s" in said.out


def test_a_dry_run_shows_plan_and_verdicts_and_starts_nothing(cli: Cli) -> None:
    said = cli("remediate", "web1/site", "--dry-run")
    assert said.code == 0
    assert "systemctl restart" in said.out
    assert "ran 3 min ago; again after 10 min" in said.out
    assert [call["dry_run"] for call in cli.core.calls("remediate")] == [True]


def test_a_remediation_shows_its_plan_before_it_starts(cli: Cli) -> None:
    code, shown = cli.on_terminal("n\n", "remediate", "web1/site")
    assert code == 1
    assert "systemctl restart" in shown
    assert [call["dry_run"] for call in cli.core.calls("remediate")] == [True]
    said = cli("remediate", "web1/site")
    assert "attempt 5 started" in said.out


def test_reload_and_plan_print_what_changes(cli: Cli) -> None:
    assert cli("plan").out == "added: web1/load\n"
    assert cli("reload").out == "added: web1/load\n"
    assert len(cli.core.calls("reload")) == 1


def test_a_reload_of_broken_files_lists_each_mistake(cli: Cli) -> None:
    broken = cli.core.state / "broken"
    broken.touch()
    try:
        said = cli("reload")
    finally:
        broken.unlink()
    assert said.code == 1
    assert said.err.splitlines() == [
        "monitord: the configuration has 1 mistake; mend the files; nothing was changed",
        "monitord.yaml:3:1: every: '5' is not a duration",
    ]


@pytest.mark.parametrize(
    "args",
    [
        ["ack", "web1", "--reason", "x", "--for", "1h"],
        ["maintenance", "web1", "--reason", "x", "--for", "1h"],
        ["reload"],
        ["plan"],
        ["run-check", "web1/site"],
        ["remediate", "web1/site"],
        ["forget", "web1/site"],
        ["marker", "deploy 42"],
        ["explain", "web1/site"],
        ["incident", "1", "close", "--reason", "x"],
        ["watch"],
    ],
)
def test_what_needs_a_core_says_how_to_start_one(offline: Cli, args: list[str]) -> None:
    said = offline(*args)
    assert said.code == 1
    assert said.err.splitlines()[-1].startswith("monitord: no core on ")
    assert "start one with `monitord run`" in said.err


def test_without_a_core_a_halt_is_the_file_and_resume_removes_it(offline: Cli) -> None:
    said = offline("halt", "--reason", "storm", "--for", "1h")
    assert said.code == 0
    path = offline.core.state / "HALT"
    assert path.read_text() == "storm\n"
    assert str(path) in said.out
    assert offline("resume").code == 0
    assert not path.exists()
    assert "there is no" in offline("resume").out


def test_without_a_core_a_part_cannot_be_halted(offline: Cli) -> None:
    said = offline("halt", "web1", "--reason", "storm", "--for", "1h")
    assert said.code == 1
    assert "the file HALT stops everything, not a selection" in said.err
    assert not (offline.core.state / "HALT").exists()
    assert "order 4 cannot be ended" in offline("resume", "4").err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-01-31", datetime(2027, 1, 31).astimezone()),
        ("2027-01-31 18:00", datetime(2027, 1, 31, 18, 0).astimezone()),
        ("2027-01-31T18:00:00Z", datetime(2027, 1, 31, 18, 0, tzinfo=UTC)),
    ],
)
def test_a_date_is_read_in_this_machine_s_zone_unless_it_names_one(
    text: str, expected: datetime
) -> None:
    assert when.moment(text, start=START) == expected


def test_a_time_of_day_is_the_next_one() -> None:
    local = START.astimezone()
    later = (local + timedelta(hours=1)).strftime("%H:%M")
    earlier = (local - timedelta(hours=1)).strftime("%H:%M")
    assert timedelta(0) < when.moment(later, start=START) - START <= timedelta(hours=1)
    assert timedelta(hours=22) < when.moment(earlier, start=START) - START < timedelta(hours=24)


@pytest.mark.parametrize("text", ["", "2027", "25:00", "tomorrow", "31.1.2027", "18"])
def test_what_is_no_point_in_time_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no point in time"):
        when.moment(text, start=START)


def test_approving_and_denying_go_to_the_core_in_the_caller_s_name(cli: Cli) -> None:
    said = cli("approve", "1", "--yes")
    assert said.code == 0
    assert "attempt 1 runs" in said.out
    assert "attempt 1 of incident 1" in said.out  # what is approved is shown first
    refused = cli("deny", "1", "--reason", "moved", "--yes")
    assert refused.code == 1
    assert "only one that waits" in refused.err


def test_a_wrong_attempt_and_a_promotion_go_to_the_core_with_their_reasons(cli: Cli) -> None:
    said = cli("attempt", "1", "wrong", "--reason", "it dropped the cache", "--yes")
    assert said.code == 0
    assert "not undone: restart-nginx has no undo" in said.out
    assert cli("attempt", "1", "wrong").code == 2
    promoted = cli("promote", "restart-nginx", "-r", "proven", "--yes")
    assert "restart-nginx is in auto now" in promoted.out
    assert "attempt 1 of incident 1" in cli("attempt", "1").out


def test_a_promotion_shows_its_record_and_the_checks_it_changes_before_it_is_one(cli: Cli) -> None:
    shown = cli("promote", "restart-nginx", "-r", "proven", "--preview")
    assert [line.rstrip() for line in shown.out.splitlines()] == [
        "restart-nginx: approve → auto",
        "record: 23 of 24 attempts verified (95 % between 80% and 99%)",
        "CHECK      MODE     THEN",
        "web1/api   approve  stays",
        "web1/site  approve  auto",
    ]
    assert cli.core.calls() == []
    code, asked = cli.on_terminal("n\n", "promote", "restart-nginx", "-r", "proven")
    assert (code, cli.core.calls()) == (1, [])
    assert "Promote it, in your name? [y/N]" in asked
    done = cli("promote", "restart-nginx", "-r", "proven", "--yes")
    assert done.out == f"{shown.out}restart-nginx is in auto now\n"
