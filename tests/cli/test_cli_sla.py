"""`monitord sla`: the levels and clocks as a person and as a program reads them."""

from __future__ import annotations

from datetime import timedelta

from monitord.clock import SystemClock, after
from tests.api.fake_rows import ME
from tests.cli.conftest import Cli


def test_the_clocks_of_open_incidents_are_a_table(cli: Cli) -> None:
    said = cli("sla")
    assert (said.code, said.err) == (0, "")
    rows = [line.split() for line in said.out.splitlines() if "web1/site" in line]
    assert [row[:6] for row in rows] == [
        ["1", "P3", "web1/site", "gold", "respond", "4h"],
        ["1", "P3", "web1/site", "gold", "resolve", "2d"],
    ]


def test_a_program_gets_the_same_as_json(cli: Cli) -> None:
    (incident,) = cli("sla", "--json").json["incidents"]
    assert [clock["promise"] for clock in incident["clocks"]] == ["respond", "resolve"]


def test_a_service_that_is_not_there_is_one_line(cli: Cli) -> None:
    said = cli("sla", "mall")
    assert (said.code, said.out) == (1, "")
    assert said.err == "monitord: there is no service mall; there are: jobs, shop\n"


def test_without_a_core_and_without_its_configuration_it_says_what_is_missing(
    offline: Cli,
) -> None:
    said = offline("sla")
    assert said.code == 1
    assert "service levels stand in the configuration" in said.err
    assert len(said.err.splitlines()) == 1


def test_clocks_are_paused_for_a_day_unless_an_end_is_said(cli: Cli) -> None:
    before = SystemClock().now()
    said = cli("incident", "1", "pause", "--vendor", "acme", "--reason", "their ticket 9")
    assert said.out.startswith("incident 1: vendor acme holds it until 2")
    call = cli.core.calls("pause")[-1]
    assert (call["vendor"], call["reason"]) == ("acme", "their ticket 9")
    assert 0 <= call["expires"] - after(before, timedelta(days=1)) < 60_000_000
    assert cli("incident", "1", "answered").out == "incident 1: its vendor has answered\n"
    assert cli("incident", "1", "resume").out == "incident 1: its clocks go on\n"
    assert cli("incident", "7", "resume").err.startswith("monitord: no incident 7 is open")


def test_a_deadline_is_said_and_taken_back(cli: Cli) -> None:
    words = ("--reason", "audit", "--by", "ACME")
    said = cli("incident", "1", "deadline", "2100-01-31T18:00:00+01:00", *words)
    assert said.out == "incident 1 is due 2100-01-31T17:00:00Z\n"
    assert cli.core.calls("deadline")[-1]["whose"] == "ACME"
    said = cli("incident", "1", "deadline", "none", "--reason", "no audit")
    assert said.out == "incident 1 has no deadline any more\n"


def test_a_correction_needs_another_person_and_can_be_taken_back(cli: Cli) -> None:
    times = ("--from", "2026-11-20T10:00:00+00:00", "--to", "2026-11-20T11:00:00+00:00")
    words = ("sla", "correct", "web1/site", *times, "--as", "up", "--reason", "seen by hand")
    assert "left out: approved_by" in cli(*words).err
    assert "another person must approve" in cli(*words, "--approved-by", "lee").err
    assert "zoe is nobody of people" in cli(*words, "--approved-by", "zoe").err
    said = cli(*words, "--approved-by", "ann")
    assert said.out == "correction 1: web1/site was up, approved by ann\n"
    (row,) = cli("sla", "corrections", "--json").json["corrections"]
    assert (row["by"], row["approved_by"], row["revoked"]) == (ME, "ann", None)
    assert cli("sla", "revoke", "1", "--reason", "wrong hour").out == "correction 1 is revoked\n"
    assert "revoked correction 1" in cli("sla", "revoke", "1", "--reason", "again").err
    assert "seen by hand" in cli("sla", "corrections").out


def test_what_was_never_there_is_not_corrected(cli: Cli) -> None:
    times = ("--from", "2026-11-20T10:00:00+00:00", "--as", "up", "--reason", "x")
    sure = (*times, "--approved-by", "ann")
    until = ("--to", "2026-11-20T11:00:00+00:00")
    assert (
        "there is no service or check web1/sites"
        in cli("sla", "correct", "web1/sites", *sure, *until).err
    )
    future = ("--to", "2100-11-20T11:00:00+00:00")
    assert "only a time that has passed" in cli("sla", "correct", "web1/site", *sure, *future).err
