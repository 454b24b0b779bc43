"""Calendars, priorities and service levels: what is written is what is in force."""

from datetime import timedelta

from monitord.config.compare import compare
from monitord.decisions.calendars import next_open
from monitord.decisions.sla import of_services
from monitord.model.calendar import ALWAYS, Day, Rule, Span
from monitord.model.ids import EPOCH
from monitord.model.sla import DEFAULT, PRIORITY_TABLE
from tests.config.conftest import Load

HOUR = 3600
MORNING = (Span(8 * HOUR, 12 * HOUR),)


def test_nothing_written_is_the_built_in_calendar_level_and_table(load: Load) -> None:
    catalog = load("hosts: {}")
    assert catalog.calendars == {"24x7": ALWAYS}
    assert catalog.slas == {"default": DEFAULT}
    assert catalog.priorities == PRIORITY_TABLE
    assert of_services(catalog, []) == (DEFAULT,)
    assert "P5" not in DEFAULT.targets


def test_a_calendar_is_read_with_its_rules_in_their_precedence(load: Load) -> None:
    text = """
timezone: Europe/Berlin
calendars:
  office:
    hours: {mon-thu: "08:00-12:00", "sat, sun": "22:00-06:00"}
    dates:
      friday -1: off
      day 1 - 3 / 2: off
      monday 1 september: off
      december 24 - 31: "08:00-12:00"
      2026-12-20 - 2026-12-31: off
      2026-12-24: "08:00-12:00"
    exclude: [other]
    also: 24x7
  other: {timezone: UTC, hours: {daily: ["13:00-14:00", "08:00-12:00"]}}
"""
    found = load(text).calendars
    office, other = found["office"], found["other"]
    assert (office.zone, other.zone) == ("Europe/Berlin", "UTC")
    assert office.week == (*(MORNING,) * 4, (), *((Span(22 * HOUR, 30 * HOUR),),) * 2)
    assert other.week[0] == (*MORNING, Span(13 * HOUR, 14 * HOUR))
    assert (office.exclude, office.also) == ((other,), (ALWAYS,))
    heads = [
        (rule.first.on, rule.first.month, rule.first.day, rule.first.nth) for rule in office.rules
    ]
    dates = [head[0].isoformat() if head[0] else head[1:] for head in heads]
    assert dates == ["2026-12-24", "2026-12-20", (12, 24, 0), (9, 0, 1), (0, 1, 0), (0, 0, -1)]
    assert office.rules[4] == Rule(Day(day=1), Day(day=3), (), 2)


def test_a_priority_left_out_of_a_level_is_the_built_in_one_in_its_calendar(load: Load) -> None:
    text = """
calendars: {office: {hours: {mon: "08:00-12:00"}}}
slas: {gold: {calendar: office, P1: {respond: 5m, calendar: 24x7}, P5: {}, availability: 99.95%}}
services: {shop: {sla: gold}, wiki: {}}
"""
    catalog = load(text)
    gold = catalog.slas["gold"]
    assert gold.targets["P1"].respond == timedelta(minutes=5)
    assert gold.targets["P1"].resolve is None
    assert gold.targets["P1"].calendar is ALWAYS
    assert gold.targets["P2"].respond == DEFAULT.targets["P2"].respond
    assert gold.targets["P2"].calendar == catalog.calendars["office"]
    assert gold.targets["P5"].respond is None
    assert gold.availability == 0.9995
    assert of_services(catalog, ["shop", "wiki"]) == (gold, DEFAULT)


def test_priorities_that_are_written_replace_single_ones(load: Load) -> None:
    table = load("priorities: {high: {critical: P1}, low: {warning: P4}}").priorities
    assert table == {**PRIORITY_TABLE, ("high", "critical"): "P1", ("low", "warning"): "P4"}


def test_a_calendar_that_never_opens_again_is_warned_of(load: Load) -> None:
    catalog = load(
        "calendars: {old: {dates: {2020-01-01: '08:00-12:00'}}, no: {hours: {mon: off}}}"
    )
    assert [warning.split(": ", 1)[1] for warning in catalog.warnings] == [
        "calendars: old does not open within the next 12 years",
        "calendars: no does not open within the next 12 years",
    ]
    assert next_open(catalog.calendars["old"], EPOCH) is None


def test_a_reload_tells_what_changed_of_them(load: Load) -> None:
    old = load('calendars: {a: {hours: {mon: "08:00-12:00"}}}')
    text = """
calendars: {a: {hours: {mon: "08:00-13:00"}}}
slas: {gold: {}, default: {window: year}}
priorities: {high: {critical: P1}}
"""
    assert compare(old, load(text)).lines == (
        "~ calendar a: changed",
        "+ service level gold",
        "~ service level default: changed",
        "~ priorities: changed",
    )
