"""`monitord sla`: the levels and clocks as a person and as a program reads them."""

from __future__ import annotations

from tests.cli.conftest import Cli


def test_the_clocks_of_open_incidents_are_a_table(cli: Cli) -> None:
    said = cli("sla")
    assert (said.code, said.err) == (0, "")
    rows = [line.split() for line in said.out.splitlines() if "web1/site" in line]
    assert [row[:6] for row in rows] == [
        ["1", "P3", "web1/site", "default", "respond", "4h"],
        ["1", "P3", "web1/site", "default", "resolve", "2d"],
    ]


def test_a_program_gets_the_same_as_json(cli: Cli) -> None:
    (incident,) = cli("sla", "--json").json["incidents"]
    assert [clock["promise"] for clock in incident["clocks"]] == ["respond", "resolve"]


def test_a_service_that_is_not_there_is_one_line(cli: Cli) -> None:
    said = cli("sla", "shop")
    assert (said.code, said.out) == (1, "")
    assert said.err == "monitord: there is no service shop; there are: none is configured\n"


def test_without_a_core_and_without_its_configuration_it_says_what_is_missing(
    offline: Cli,
) -> None:
    said = offline("sla")
    assert said.code == 1
    assert "service levels stand in the configuration" in said.err
    assert len(said.err.splitlines()) == 1
