"""Disks, judged on answers of smartctl as it prints them; a fake one on PATH, as a host has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitord.model.result import Cause, Result, Status
from tests.probes_facts.looking import Watch, shell


class Disks:
    """A smartctl that tells what is set, and fails where nothing is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tools = folder / "bin"
        tools.mkdir()
        (tools / "smartctl").write_text(
            f'#!/bin/sh\nfor last; do :; done\n[ "$last" != --scan-open ] || '
            f'{{ cat {folder}/scan; exit; }}\ncat "{folder}/${{last##*/}}"\n'
        )
        (tools / "smartctl").chmod(0o755)
        (tools / "sudo").write_text('#!/bin/sh\nshift\nexec "$@"\n')
        (tools / "sudo").chmod(0o755)
        self.path = f"{tools}:/usr/bin:/bin"

    def hold(self, **disks: dict[str, Any] | str) -> None:
        """Set what each disk tells."""
        (self.folder / "scan").write_text(
            "".join(f"/dev/{name} -d sat # /dev/{name}, ATA device\n" for name in disks)
        )
        for name, told in disks.items():
            text = told if isinstance(told, str) else json.dumps(told)
            (self.folder / name).write_text(text)

    def watch(self, **given: Any) -> Watch:
        """Give one check of them."""
        return Watch("smart", given, shell("dash", path=self.path))

    def look(self, **given: Any) -> Result:
        """Look once, where there is one disk."""
        (result,) = self.watch(**given).looks().values()
        return result


@pytest.fixture
def disks(tmp_path: Path) -> Disks:
    made = Disks(tmp_path)
    made.hold(sda=ata())
    return made


def ata(*, passed: bool = True, heat: int = 31, **raw: int) -> dict[str, Any]:
    numbers = {"reallocated": 5, "pending": 197, "uncorrectable": 198}
    return {
        "smartctl": {"version": [7, 3], "exit_status": 0 if passed else 8},
        "model_name": "ACME 4TB",
        "smart_status": {"passed": passed},
        "temperature": {"current": heat},
        "ata_smart_attributes": {
            "table": [
                {"id": number, "name": name, "raw": {"value": raw.get(name, 0)},
                 "when_failed": "now" if not passed and name == "reallocated" else ""}
                for name, number in numbers.items()
            ]
        },
    }  # fmt: skip


def nvme(**log: int) -> dict[str, Any]:
    return {
        "smartctl": {"exit_status": 0},
        "model_name": "ACME SSD",
        "smart_status": {"passed": True},
        "temperature": {"current": 40},
        "nvme_smart_health_information_log": {"critical_warning": 0, "percentage_used": 3, **log},
    }


def test_each_disk_is_an_item(disks: Disks) -> None:
    disks.hold(sda=ata(), nvme0=nvme())
    found = disks.watch().looks()
    assert {item: (one.status, one.summary) for item, one in found.items()} == {
        "/dev/sda": (Status.OK, "/dev/sda: is well (ACME 4TB)"),
        "/dev/nvme0": (Status.OK, "/dev/nvme0: is well (ACME SSD)"),
    }


@pytest.mark.parametrize(
    ("told", "status", "says"),
    [
        (ata(passed=False), Status.CRITICAL, "will fail (reallocated): replace it now"),
        (ata(reallocated=8), Status.WARNING, "8 sectors reallocated (limit 0): watch whether"),
        (ata(pending=1), Status.WARNING, "1 sectors that cannot be read wait"),
        (ata(heat=61), Status.WARNING, "61 °C (limit 60 °C)"),
        (ata(heat=71), Status.CRITICAL, "71 °C (limit 70 °C)"),
        (nvme(critical_warning=1), Status.CRITICAL, "its spare blocks are nearly used up"),
        (nvme(critical_warning=8), Status.CRITICAL, "it has become read-only"),
        (nvme(percentage_used=81), Status.WARNING, "81 % of its rated life are used (limit 80 %)"),
        (nvme(percentage_used=101), Status.CRITICAL, "101 % of its rated life"),
        (nvme(media_errors=2), Status.WARNING, "2 sectors uncorrectable"),
    ],
)
def test_what_a_disk_tells_of_its_end(
    disks: Disks, told: dict[str, Any], status: Status, says: str
) -> None:
    disks.hold(sda=told)
    result = disks.look()
    assert (result.status, says in result.summary) == (status, True), result.summary


def test_bad_sectors_that_grow_are_critical(disks: Disks) -> None:
    disks.hold(sda=ata(reallocated=8))
    watch = disks.watch(bad_sectors=10)
    assert watch.looks()["/dev/sda"].status is Status.OK
    disks.hold(sda=ata(reallocated=9))
    result = watch.looks()["/dev/sda"]
    assert result.status is Status.CRITICAL
    assert "9 sectors reallocated, 1 more since the last look" in result.summary


def test_the_newest_self_test_counts(disks: Disks) -> None:
    failed = {"status": {"passed": False, "string": "Completed: read failure"}}
    good = {"status": {"passed": True}}
    disks.hold(sda={**ata(), "ata_smart_self_test_log": {"standard": {"table": [failed, good]}}})
    assert "its last self-test failed: Completed: read failure" in disks.look().summary
    disks.hold(sda={**ata(), "ata_smart_self_test_log": {"standard": {"table": [good, failed]}}})
    assert disks.look().status is Status.OK


def test_a_disk_that_is_gone_is_critical_and_a_refusal_ours(disks: Disks) -> None:
    def closed(text: str) -> dict[str, Any]:
        return {"smartctl": {"exit_status": 2, "messages": [{"string": text}]}}

    disks.hold(sda=closed("Smartctl open device: /dev/sda failed: No such device"))
    assert disks.look(devices=["/dev/sda"]).status is Status.CRITICAL
    disks.hold(sda=closed("Smartctl open device: /dev/sda failed: Permission denied"))
    result = disks.look()
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN)


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"smartctl": 3}', "[" * 5000])
def test_an_answer_that_makes_no_sense_is_unknown(disks: Disks, text: str) -> None:
    disks.hold(sda=text)
    assert disks.look().status is Status.UNKNOWN


def test_a_machine_without_disks_of_its_own_is_well(disks: Disks) -> None:
    disks.hold()
    assert disks.look().summary == "smart: no disk tells of itself here (a virtual machine?)"
