"""People and rotations: what is written is what is in force, and gaps are told with their line."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
import yaml

from monitord.config import json_schema
from monitord.config.compare import compare
from monitord.decisions.oncall import on_call
from monitord.model.ids import EPOCH
from monitord.model.oncall import Every, Way
from monitord.secrets import SecretRef
from tests.config.conftest import Load
from tests.config.kinds import KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "oncall.md").read_text(encoding="utf-8")
PEOPLE = "people: {kim: {ways: [{email: k@example.com}]}, ann: {ways: [{email: a@example.com}]}}\n"


def test_the_example_of_the_page_is_what_it_says(load: Load) -> None:
    (text,) = re.findall(r"```yaml\n# monitord.yaml\n(.*?)```", PAGE, re.DOTALL)
    catalog = load(text)
    kim = catalog.people["kim"]
    assert (kim.login, kim.zone, kim.tiers) == ("kim.w", "Europe/Berlin", ("L2",))
    assert kim.ways == (
        Way("apprise", SecretRef("env", "KIM_PUSH"), min_priority="P2"),
        Way("email", "kim@example.com", 22 * 3600, 6 * 3600),
    )
    assert catalog.people["ann"].login == "ann"
    (linux,) = catalog.rotations["linux"].layers
    assert (linux.start, linux.every) == (
        datetime(2026, 11, 30, 8),  # noqa: DTZ001 - a time on the wall
        Every(length=timedelta(weeks=1)),
    )
    low, high = catalog.rotations["desk"].layers
    assert low.hours is catalog.calendars["office"]
    assert high.hours is not None
    assert [len(day) for day in high.hours.week] == [0, 0, 0, 0, 1, 0, 0]
    assert catalog.warnings == ()


def test_the_published_schema_takes_the_example_and_no_other_way() -> None:
    (text,) = re.findall(r"```yaml\n# monitord.yaml\n(.*?)```", PAGE, re.DOTALL)
    schema = json_schema(KINDS)
    main = {**schema, "anyOf": [{"$ref": "#/$defs/main"}]}
    tree = yaml.load(re.sub(r"!secret ", "", text), Loader=yaml.BaseLoader)  # noqa: S506 - texts only
    jsonschema.validate(tree, main)
    tree["people"]["kim"]["ways"][0]["fax"] = "1"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tree, main)


@pytest.mark.parametrize(
    ("turns", "start", "length"),
    [
        ("", "2024-01-01T09:00", timedelta(weeks=1)),
        ("on: thu", "2024-01-04T09:00", timedelta(weeks=1)),
        ("on: thu, start: 2026-11-29, at: 17:30", "2026-12-03T17:30", timedelta(weeks=1)),
        ("start: 2026-11-29, every: 2w", "2026-11-29T09:00", timedelta(weeks=2)),
        ("every: 12h, at: 20:00, start: 2026-11-29", "2026-11-29T20:00", timedelta(hours=12)),
        ("every: daily", "2024-01-01T09:00", timedelta(days=1)),
        ("every: monthly", "2024-01-01T09:00", timedelta()),
    ],
)
def test_the_first_hand_over_is_where_it_was_written(
    load: Load, turns: str, start: str, length: timedelta
) -> None:
    members = "members: [kim, ann]"
    catalog = load(f"{PEOPLE}rotations: {{r: {{{', '.join(filter(None, [members, turns]))}}}}}")
    (layer,) = catalog.rotations["r"].layers
    assert (layer.start.isoformat(timespec="minutes"), layer.every.length) == (start, length)
    assert layer.every.months == (1 if "monthly" in turns else 0)


def test_a_layer_takes_from_its_rotation_what_it_leaves_out(load: Load) -> None:
    text = """rotations:
  r:
    every: daily
    at: 07:00
    timezone: Europe/Berlin
    layers: [{members: kim}, {members: ann, at: 19:00, every: weekly, on: tue, timezone: UTC}]
"""
    first, second = load(PEOPLE + text).rotations["r"].layers
    assert (first.zone, first.every.length, first.start.hour) == (
        "Europe/Berlin", timedelta(days=1), 7,
    )  # fmt: skip
    assert (second.zone, second.every.length) == ("UTC", timedelta(weeks=1))
    assert (second.start.weekday(), second.start.hour) == (1, 19)


def test_a_time_that_nobody_covers_is_a_warning_with_its_line(load: Load, tmp_path: Path) -> None:
    text = PEOPLE + 'rotations:\n  r: {members: [kim], hours: {"mon-sun": "00:00-23:00"}}'
    (warning,) = load(text).warnings
    place, _, told = warning.partition(": ")
    assert place == f"{tmp_path}/main.yaml:3"
    assert re.fullmatch(
        r"rotations: r: nobody is on call from \w{3} [\d-]{10} 23:\d\d to \w{3} [\d-]{10} 00:00"
        r" \(UTC\), and 2[78] more in four weeks \(add a layer, or say in cover: .*\)",
        told,
    )
    covered = text.replace("hours:", 'cover: {mon-fri: "08:00-18:00"}, hours:')
    assert load(covered).warnings == ()


def test_somebody_without_a_way_is_a_warning(load: Load) -> None:
    (warning,) = load("people: {kim: }").warnings
    assert warning.endswith(":1: people: kim: no ways: nothing can be told to them")


def test_mails_that_no_server_carries_are_a_warning_where_a_policy_tells_people(
    load: Load,
) -> None:
    text = PEOPLE + "policies: {p: {steps: [{tier: L1, tell: person/kim}]}}\n"
    warnings = load(text).warnings
    assert warnings
    assert all("no email backend carries their mails (add one to tickets:)" in w for w in warnings)
    assert load(PEOPLE).warnings == ()


def test_a_rotation_answers_for_any_time(load: Load) -> None:
    rotation = load(PEOPLE + "rotations: {r: {members: [kim, ann]}}").rotations["r"]
    assert len(on_call(rotation, (), EPOCH)) == 1


def test_a_reload_tells_what_changes_and_not_what_only_moved(load: Load) -> None:
    old = load(PEOPLE + "rotations: {r: {members: [kim, ann]}, s: {members: kim}}")
    moved = "# a line more\n" + PEOPLE + "rotations: {r: {members: [kim, ann]}, s: {members: kim}}"
    assert compare(old, load(moved)).lines == ()
    text = PEOPLE.replace("a@", "b@") + "rotations: {r: {members: [ann, kim]}, t: {members: kim}}"
    assert compare(old, load(text)).lines == (
        "~ person ann: changed",
        "+ rotation t",
        "- rotation s",
        "~ rotation r: changed",
    )
