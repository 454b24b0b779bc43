"""A table of hostile words: nothing in it is a formula, and each row is one row."""

from __future__ import annotations

import csv
import io

import pytest

from monitord.model.table import csv_of
from tests.world.needs import requires
from tests.world.vectors import vector

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("  @SUM(1)", "'@SUM(1)"),
        ("\t=1", "'=1"),
        ("-2+3", "'-2+3"),
        ("a=1", "a=1"),
        ("two\nlines", r"two\nlines"),
        (-2, "-2"),
        (0.5, "0.5"),
        (None, ""),
        ('say "x", y', 'say "x", y'),
    ],
)
def test_a_cell_is_what_it_says_and_no_formula(cell: str | float | None, shown: str) -> None:
    (_, (found,)) = csv.reader(io.StringIO(csv_of(["a"], [[cell]]) or "\n"))
    assert found == shown


@requires("vectors")
def test_no_hostile_string_begins_like_a_formula() -> None:
    words = [str(case.get("text", case)) for case in vector("fuzz/hostile_strings.json")["cases"]]
    words += [sign + word for word in words[:50] for sign in DANGEROUS]
    read = list(csv.reader(io.StringIO(csv_of(["a", "b"], [[word, 1] for word in words]))))
    assert len(read) == len(words) + 1
    assert [row for row in read if len(row) != 2 or row[0].startswith(DANGEROUS)] == []
