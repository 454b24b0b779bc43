"""Sensors of a machine: a folder as the kernel lays them out, read by the real script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitord.model.result import Cause, Result, Status
from tests.probes_facts.looking import Watch, shell


class Sysfs:
    """Files of sensors below a folder that stands for /sys."""

    def __init__(self, base: Path) -> None:
        self.base = base

    def chip(self, number: int, name: str, **files: int | str) -> None:
        """Write a chip; None of its files is there that is not given."""
        folder = self.base / "class" / "hwmon" / f"hwmon{number}"
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in {"name": name, **files}.items():
            (folder / file).write_text(f"{text}\n")

    def watch(self, **given: Any) -> Watch:
        """Give one check that reads here."""

        def run(text: str) -> Any:
            return shell("dash")(text.replace("base=/sys", f"base={self.base}"))

        return Watch("temperature", given, run)

    def looks(self, **given: Any) -> dict[str, Result]:
        """Look once."""
        return self.watch(**given).looks()


@pytest.fixture
def sysfs(tmp_path: Path) -> Sysfs:
    return Sysfs(tmp_path)


def test_each_sensor_is_an_item(sysfs: Sysfs) -> None:
    sysfs.chip(0, "coretemp", temp1_input=45000, temp1_label="Package id 0", temp1_crit=100000)
    sysfs.chip(1, "it87", fan1_input=900, fan1_min=300, temp2_input=31000)
    found = sysfs.looks()
    assert {item: one.summary for item, one in found.items()} == {
        "coretemp Package id 0": "coretemp Package id 0: 45 °C",
        "it87 temp2": "it87 temp2: 31 °C",
        "it87 fan1": "it87 fan1: 900 turns a minute",
    }
    assert {one.status for one in found.values()} == {Status.OK}


@pytest.mark.parametrize(
    ("files", "status", "limit"),
    [
        ({"temp1_input": 76000}, Status.WARNING, "limit 75 °C"),
        ({"temp1_input": 90000}, Status.CRITICAL, "limit 90 °C"),
        ({"temp1_input": 90000, "temp1_crit": 105000}, Status.WARNING, "limit 75 °C"),
        ({"temp1_input": 90000, "temp1_max": 95000, "temp1_crit": 105000}, Status.OK, "90 °C"),
        ({"temp1_input": 96000, "temp1_max": 95000, "temp1_crit": 105000}, Status.WARNING, "95"),
        ({"temp1_input": 105000, "temp1_max": 95000, "temp1_crit": 105000}, Status.CRITICAL, "105"),
        ({"temp1_input": 50000, "temp1_max": 0, "temp1_crit": -1}, Status.OK, "50 °C"),
        ({"temp1_input": 50000, "temp1_max": 127000}, Status.OK, "50 °C"),
    ],
)
def test_a_chips_own_limits_come_first(
    sysfs: Sysfs, files: dict[str, int], status: Status, limit: str
) -> None:
    sysfs.chip(0, "chip", **files)
    (result,) = sysfs.looks().values()
    assert (result.status, limit in result.summary) == (status, True), result.summary


def test_a_fan_that_stops_is_critical_and_one_that_never_ran_is_none(sysfs: Sysfs) -> None:
    sysfs.chip(0, "it87", fan1_input=0, fan2_input=1200, fan2_min=300)
    watch = sysfs.watch()
    assert {one.status for one in watch.looks().values()} == {Status.OK}
    sysfs.chip(0, "it87", fan2_input=0)
    for _ in range(2):  # that it has turned is remembered
        found = watch.looks()
        assert found["it87 fan1"].status is Status.OK
        assert found["it87 fan2"].status is Status.CRITICAL
    sysfs.chip(0, "it87", fan2_input=200)
    assert "200 turns a minute (at least 300)" in watch.looks()["it87 fan2"].summary


def test_zones_count_only_where_no_chip_tells(sysfs: Sysfs) -> None:
    zone = sysfs.base / "class" / "thermal" / "thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "temp").write_text("91000\n")
    (zone / "type").write_text("cpu-thermal\n")
    (result,) = sysfs.looks().values()
    assert result.summary.startswith("thermal cpu-thermal: 91 °C (limit 90 °C)")
    sysfs.chip(0, "chip", temp1_input=40000)
    assert list(sysfs.looks()) == ["chip temp1"]


def test_a_sensor_that_tells_nothing_or_nonsense_is_none(sysfs: Sysfs) -> None:
    sysfs.chip(0, "chip", temp1_input="", temp2_input="x", temp3_input=-128000, temp4_input=40000)
    assert list(sysfs.looks()) == ["chip temp4"]


def test_without_sensors_all_is_well_unless_one_is_wanted(sysfs: Sysfs) -> None:
    (none,) = sysfs.looks().values()
    assert none.summary == "temperature: no sensors here (a virtual machine?)"
    (wanted,) = sysfs.looks(sensors=["coretemp*"]).values()
    assert (wanted.status, wanted.cause) == (Status.UNKNOWN, Cause.MISSING)


def test_sensors_are_chosen_by_pattern(sysfs: Sysfs) -> None:
    sysfs.chip(0, "acpitz", temp1_input=200)
    sysfs.chip(1, "nvme", temp1_input=40000, temp1_label="Composite")
    assert list(sysfs.looks(exclude=["acpitz*"])) == ["nvme Composite"]
    assert list(sysfs.looks(sensors=["nvme*"])) == ["nvme Composite"]
