"""`monitord notify`: a test is a row in the asker's name, and rows are counted."""

from __future__ import annotations

import json

from tests.api.fake_rows import ME
from tests.cli.conftest import Cli


def count(text: str, person: str) -> dict[str, object]:
    """Give a person's line of the JSON answer."""
    (row,) = [one for one in json.loads(text)["people"] if one["person"] == person]
    return dict(row)


def test_a_test_says_by_which_way_it_went_and_is_counted(cli: Cli) -> None:
    before = count(cli("notify", "--json").out, "kim")["tests"]
    said = cli("notify", "--test", "kim")
    assert (said.code, said.out) == (0, "kim was told by email\n")
    row = count(cli("notify", "--json").out, "kim")
    assert (row["tests"], row["pages"]) == (int(str(before)) + 1, 0)
    (act,) = cli("audit", "--rows", "1", "--json").json["rows"]
    assert (act["actor"], act["act"], act["subject"]) == (ME, "notify-test", "person kim")


def test_without_a_core_it_still_counts_and_tests_nothing(offline: Cli) -> None:
    said = offline("notify", "--json")
    assert (said.code, said.json["people"]) == (0, [])
    assert "this is from the database" in said.err
    said = offline("notify", "--test", "kim")
    assert (said.code, said.out, "start one with" in said.err) == (1, "", True)


def test_a_misspelt_person_has_the_nearest_and_a_way_that_is_none_the_ways(cli: Cli) -> None:
    said = cli("notify", "--test", "kimm")
    assert (said.code, "there is no person kimm" in said.err, "kim" in said.err) == (1, True, True)
    said = cli("notify", "--test", "kim", "--way", "3")
    assert (said.code, said.err) == (1, "monitord: kim has no way 3; their ways are none\n")
    said = cli("notify", "--way", "3")
    assert (said.code, "belongs to a test" in said.err) == (2, True)
