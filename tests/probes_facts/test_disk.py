"""How full is too full, per mount; what a sudden read-only and a dead server mean."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitord.model.facts import Facts, Section
from monitord.model.result import Cause, Status
from monitord.probes.host.disk import DiskSpec
from monitord.transports.facts_local import gather
from tests.probes_facts.judging import GIB, disk, judged
from tests.world.needs import requires


@pytest.mark.parametrize(
    ("used", "status", "summary"),
    [
        (50, Status.OK, "/var: 50 % used, 50 GiB free"),
        (90, Status.OK, "/var: 90 % used, 10 GiB free"),
        (91.5, Status.WARNING, "/var: 91.5 % used (limit 90 %), 8.5 GiB free"),
        (96, Status.CRITICAL, "/var: 96 % used (limit 95 %), 4.0 GiB free"),
        (100, Status.CRITICAL, "/var: 100 % used (limit 95 %), 0 B free"),
    ],
)
def test_used_space(used: float, status: Status, summary: str) -> None:
    (result,) = judged("disk", Facts("h", disks=(disk("/var", used=used),))).values()
    assert (result.status, result.summary, result.item) == (status, summary, "/var")


def test_each_mount_is_an_item_with_its_measurements() -> None:
    disks = (disk("/"), disk("/var", used=99), disk("/srv", inodes=0, inodes_used=0))
    results = judged("disk", Facts("h", disks=disks))
    assert {item: result.status for item, result in results.items()} == {
        "/": Status.OK,
        "/var": Status.CRITICAL,
        "/srv": Status.OK,
    }
    told = {m.name: m for m in results["/var"].measurements}
    assert (told["used"].value, told["used"].unit) == (99, "%")
    assert (told["used"].warning, told["used"].critical) == ("90", "95")
    assert (told["available"].value, told["available"].maximum) == (GIB, 100 * GIB)
    assert "inodes" in told
    assert [m.name for m in results["/srv"].measurements] == ["used", "available"]


def test_the_reserve_of_root_counts_as_used() -> None:
    """As df does: what an ordinary user cannot write is not free."""
    reserved = disk("/", used=94, available=int(0.5 * GIB))
    (result,) = judged("disk", Facts("h", disks=(reserved,))).values()
    assert result.summary == "/: 99.5 % used (limit 95 %), 512 MiB free"


def test_inodes_run_out_before_the_space() -> None:
    (result,) = judged("disk", Facts("h", disks=(disk("/", inodes_used=960),))).values()
    assert result.status is Status.CRITICAL
    assert result.summary == "/: 96 % of the inodes used, 40 left (limit 95 %), 50 GiB free"


def test_a_limit_on_free_space_and_one_switched_off() -> None:
    given = {"warning": None, "critical": None, "warning_free": "20G", "critical_free": "5G"}
    for used, status in ((50, 0), (85, 1), (96, 2)):
        (result,) = judged("disk", Facts("h", disks=(disk("/", used=used),)), given).values()
        assert result.status == status
    assert result.summary == "/: too little free (at least 5.0 GiB), 4.0 GiB free"


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({}, ["/", "/srv/a", "/srv/b"]),
        ({"mounts": ["/srv/*"]}, ["/srv/a", "/srv/b"]),
        ({"exclude_mounts": ["/srv/*"]}, ["/", "/run/user/0"]),
        ({"exclude_fstypes": ["ext4"]}, ["/srv/b"]),
        ({"mounts": ["/run/user/0"]}, ["/run/user/0"]),
    ],
)
def test_what_is_looked_at(given: dict[str, Any], seen: list[str]) -> None:
    disks = (disk("/"), disk("/run/user/0"), disk("/srv/a"), disk("/srv/b", fstype="xfs"))
    assert list(judged("disk", Facts("h", disks=disks), given)) == seen


def test_a_named_mount_that_is_not_there_is_critical() -> None:
    results = judged("disk", Facts("h", disks=(disk("/"),)), {"mounts": ["/", "/data", "/x*"]})
    assert results["/data"].status is Status.CRITICAL
    assert results["/data"].summary == "/data: is not mounted"
    assert list(results) == ["/", "/data"]


def test_nothing_to_look_at_is_unknown() -> None:
    (result,) = judged("disk", Facts("h", disks=(disk("/"),)), {"mounts": ["/x*"]}).values()
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)


def test_a_mount_whose_server_is_gone_is_critical_and_hides_no_other() -> None:
    errors = {"disk:/home": "stat gave no answer within 5 s", "disk:/run/user/9": "x"}
    results = judged("disk", Facts("h", disks=(disk("/"),), errors=errors))
    assert list(results) == ["/", "/home"]
    assert results["/home"].status is Status.CRITICAL
    assert results["/home"].summary == "/home: does not answer: stat gave no answer within 5 s"


def test_facts_that_could_not_be_told_are_unknown() -> None:
    (result,) = judged("disk", Facts("h", errors={"disk": "permission\ndenied"})).values()
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)
    assert result.summary == "the host cannot tell disk: permission\\ndenied"
    (result,) = judged("disk", Facts("h")).values()
    assert result.cause is Cause.MISSING


def test_a_filesystem_that_becomes_read_only_stays_critical() -> None:
    rw, ro = Facts("h", disks=(disk("/"),)), Facts("h", disks=(disk("/", read_only=True),))
    memory = {"/": judged("disk", rw)["/"].memory}
    for _ in range(3):
        result = judged("disk", ro, memory=memory)["/"]
        assert result.status is Status.CRITICAL
        why = "an error of the disk makes the kernel do so (dmesg tells which)"
        assert result.summary == f"/: has become read-only: {why}, 50 GiB free"
        memory = {"/": result.memory}
    assert judged("disk", rw, memory=memory)["/"].status is Status.OK


def test_one_that_was_never_writable_is_as_it_should_be() -> None:
    ro = Facts("h", disks=(disk("/cd", read_only=True),))
    first = judged("disk", ro)["/cd"]
    again = judged("disk", ro, memory={"/cd": first.memory})["/cd"]
    assert first.status is again.status is Status.OK
    assert judged("disk", ro, {"read_only": "always"})["/cd"].status is Status.CRITICAL
    memory = {"/cd": {"writable": True}}
    assert judged("disk", ro, {"read_only": "ignore"}, memory)["/cd"].status is Status.OK


def test_a_hostile_mount_point_is_one_harmless_line() -> None:
    (result,) = judged(
        "disk", Facts("h", disks=(disk("/a\n\x1b[2Jb \u202e" + "x" * 900),))
    ).values()
    assert result.item.startswith("/a\\n\\x1b[2Jb \\u202exx")
    assert len(result.item) <= 200
    assert "\n" not in result.summary


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"critical": "full"}, "'full' is not a threshold"),
        ({"critical_free": "lots"}, "'lots' is not a size"),
        ({"read_only": "maybe"}, "'changed', 'always' or 'ignore'"),
        ({"mount": "/"}, "Extra inputs"),
    ],
)
def test_what_a_user_cannot_mean_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DiskSpec.model_validate(given)
    assert sentence in str(caught.value)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real ext4 of 64 MB on a loop device."""
    image, place = tmp_path / "image", tmp_path / "small disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True)
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@requires("root")
def test_a_real_disk_that_fills_up_and_turns_read_only(small_disk: Path) -> None:
    def look(memory: dict[str, Any]) -> Any:
        facts = gather("me", (Section("disk"),))
        return judged("disk", facts, {"mounts": [str(small_disk)]}, memory)[str(small_disk)]

    first = look({})
    assert first.status is Status.OK
    with contextlib.suppress(OSError), (small_disk / "big").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * (1 << 20))
    full = look({first.item: first.memory})
    assert full.status is Status.CRITICAL
    assert full.summary == f"{small_disk}: 100 % used (limit 95 %), 0 B free"
    (small_disk / "big").unlink()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    dead = look({first.item: full.memory})
    assert dead.status is Status.CRITICAL
    assert "has become read-only" in dead.summary
