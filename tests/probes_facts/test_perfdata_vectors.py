"""Other parsers' own cases hold, but for what docs/decisions/perfdata.md decides otherwise."""

from __future__ import annotations

import math
from typing import Any

import pytest

from monitord.model.facts import PluginOutput
from monitord.model.ranges import Range, parse_range
from monitord.model.result import Measurement, Status
from monitord.probes.limits import severity
from monitord.probes.nagios import NagiosSpec, judge, parse_status
from monitord.probes.perfdata import Perfdatum, parse_output, parse_perfdata
from monitord.probes.units import to_measurement
from tests.world.needs import VECTORS
from tests.world.vectors import vector

pytestmark = pytest.mark.requires("vectors")
FILES = ("telegraf", "sensu", "icinga2_facts", "monitoring_plugins_ranges")
DATA: dict[str, Any] = (
    {name: vector(f"perfdata/{name}.json") for name in FILES} if VECTORS.is_dir() else {}
)
INFINITY = {"inf": math.inf, "-inf": -math.inf}


def cases(name: str, key: str = "cases") -> list[Any]:
    return list(DATA[name][key]) if DATA else []


def test_all_cases_are_there() -> None:
    assert [len(DATA["telegraf"][k]) for k in ("cases", "threshold_cases", "exit_state_cases")] == [
        8,
        5,
        4,
    ]
    assert len(DATA["sensu"]["cases"]) == 13
    assert len(DATA["icinga2_facts"]["cases"]) == 51
    ranges = DATA["monitoring_plugins_ranges"]
    assert [len(ranges[k]) for k in ("range_cases", "threshold_cases", "state_word_cases")] == [
        11,
        5,
        16,
    ]
    assert sum(len(case["checks"]) for case in ranges["range_cases"]) == 16
    assert sum(len(case["checks"]) for case in ranges["threshold_cases"]) == 11


def as_range(told: dict[str, Any] | None) -> tuple[float, float, bool] | None:
    if told is None:
        return None
    start, end = (float(INFINITY.get(told[edge], told[edge])) for edge in ("start", "end"))
    return start, end, told["alert"] == "inside"


def plain(limit: Range | None) -> tuple[float, float, bool] | None:
    return None if limit is None else (limit.start, limit.end, limit.inside)


# -- Telegraf: units and ranges as written ---------------------------------------------------


@pytest.mark.parametrize("case", cases("telegraf"), ids=lambda case: case["name"])
def test_telegraf(case: dict[str, Any]) -> None:
    said = parse_output(case["input"])
    assert [_telegraf(item) for item in said.perfdata] == [
        (
            wanted["label"],
            wanted["value"],
            wanted["unit"],
            as_range(wanted["warn"]),
            as_range(wanted["crit"]),
            wanted["min"],
            wanted["max"],
        )
        for wanted in case["expected"]
    ]
    assert said.text == case["service_output"]
    assert said.long_text == (case["long_service_output"] or "")


def _telegraf(item: Perfdatum) -> tuple[Any, ...]:
    limits = (plain(item.warning), plain(item.critical))
    return (item.label, item.value, item.unit, *limits, item.minimum, item.maximum)


@pytest.mark.parametrize("case", cases("telegraf", "threshold_cases"), ids=lambda c: c["input"])
def test_telegraf_thresholds(case: dict[str, Any]) -> None:
    if case["expected"] == "rejected":
        with pytest.raises(ValueError, match="is not a threshold"):
            parse_range(case["input"])
    else:
        assert plain(parse_range(case["input"])) == as_range(case["expected"])


@pytest.mark.parametrize("case", cases("telegraf", "exit_state_cases"), ids=lambda c: c["name"])
def test_telegraf_exit_states(case: dict[str, Any]) -> None:
    """A plugin that could not even be run: the reason is the output (code 127, as a shell says)."""
    error = case["run_error"]
    said = error or case.get("stderr", "")
    output = PluginOutput(0 if error is None else 127, "", said)
    (result,) = judge(NagiosSpec(command=("check_x",)), output)
    assert result.status == case["expected_state"]
    assert case.get("expected_output", "") in result.summary


# -- Sensu: labels and values ----------------------------------------------------------------


@pytest.mark.parametrize("case", cases("sensu"), ids=lambda case: case["name"])
def test_sensu(case: dict[str, Any]) -> None:
    told = [(item.label, item.value) for item in parse_output(case["input"]).perfdata]
    assert told == [(wanted["label"], wanted["value"]) for wanted in case["expected"]]


# -- Icinga: base units; of its own ways, those that lose a limit are not followed ------------

SYMBOLS = {
    "": "", "seconds": "s", "bytes": "B", "bits": "b", "ampere-seconds": "As", "amperes": "A",
    "decibel-milliwatts": "dBm", "degrees-celsius": "C", "degrees-fahrenheit": "F",
    "degrees-kelvin": "K", "grams": "g", "liters": "l", "lumens": "lm", "ohms": "O", "volts": "V",
    "watt-hours": "Wh", "watts": "W",
}  # fmt: skip
KEPT_RANGES = {"test=123456;1000:2000;0:3000;3000;4000": ("1000:2000", "3000")}
"""Icinga drops ranges in limits; ours are ranges, so they stay."""


@pytest.mark.parametrize("case", cases("icinga2_facts"), ids=lambda case: case["input"])
def test_icinga(case: dict[str, Any]) -> None:
    items, rejected = parse_perfdata(case["input"])
    if case["expected"] == "rejected":
        assert items == ()
        assert rejected == (case["input"],)
        return
    assert rejected == ()
    told = [to_measurement(item) for item in items]
    assert len(told) == len(case["expected"])
    for measurement, wanted in zip(told, case["expected"], strict=True):
        _same(measurement, wanted, counter=case.get("counter", False))
        limits = KEPT_RANGES.get(case["input"]) or (_text(wanted["warn"]), _text(wanted["crit"]))
        assert (measurement.warning, measurement.critical) == limits


def _same(told: Measurement, wanted: dict[str, Any], *, counter: bool) -> None:
    assert told.name == wanted["label"]
    assert told.value == pytest.approx(wanted["value"], rel=1e-12)
    assert told.unit == ("c" if counter else SYMBOLS[wanted["unit"]])
    for bound, value in (("min", told.minimum), ("max", told.maximum)):
        assert value == (None if wanted[bound] is None else pytest.approx(wanted[bound]))


def _text(limit: float | None) -> str:
    return "" if limit is None else f"{limit:.12g}"


# -- Monitoring Plugins: ranges, pairs, words ------------------------------------------------


@pytest.mark.parametrize(
    "case", cases("monitoring_plugins_ranges", "range_cases"), ids=lambda case: case["input"]
)
def test_ranges(case: dict[str, Any]) -> None:
    if case["expected"] == "rejected":
        with pytest.raises(ValueError, match="starts above its end"):
            parse_range(case["input"])
        return
    limit = parse_range(case["input"])
    assert plain(limit) == as_range(case["expected"])
    for check in case["checks"]:
        assert limit.alerts(check["value"]) is check["alert"], check


@pytest.mark.parametrize("case", cases("monitoring_plugins_ranges", "threshold_cases"))
def test_pairs_of_limits(case: dict[str, Any]) -> None:
    pair = [case[name] and parse_range(case[name]) for name in ("warning", "critical")]
    for name, limit in zip(("expected_warning", "expected_critical"), pair, strict=True):
        assert plain(limit) == as_range(case[name])
    for check in case["checks"]:
        broken = severity(check["value"], *pair)
        status = Status.OK if broken is None else broken[0]
        assert status.name == check["state"], check


@pytest.mark.parametrize(
    "case", cases("monitoring_plugins_ranges", "state_word_cases"), ids=lambda case: case["input"]
)
def test_words_for_a_status(case: dict[str, Any]) -> None:
    assert parse_status(case["input"]) == case["expected"]
