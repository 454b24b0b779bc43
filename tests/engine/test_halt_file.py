"""The file HALT halts whatever it is, and ends when its order does."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitord.engine import halt_file
from monitord.errors import CommandRefusedError
from monitord.model.ids import Instant


def test_nothing_there_halts_nothing(tmp_path: Path) -> None:
    assert not halt_file.exists(tmp_path)


def test_a_folder_and_a_dangling_link_halt_too(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "HALT").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "HALT").symlink_to("/nonexistent")
    assert halt_file.exists(tmp_path / "one")
    assert halt_file.exists(tmp_path / "two")


def test_what_cannot_be_removed_is_named(tmp_path: Path) -> None:
    (tmp_path / "HALT").mkdir()
    with pytest.raises(CommandRefusedError, match="cannot be removed"):
        halt_file.remove(tmp_path)


def test_a_full_disk_leaves_an_empty_file_that_halts(tmp_path: Path) -> None:
    (tmp_path / "HALT").symlink_to("/dev/full")
    halt_file.write(tmp_path, "kim", "smoke", Instant(5))
    assert halt_file.exists(tmp_path)


def test_the_orders_file_ends_with_it_and_no_sooner(tmp_path: Path) -> None:
    halt_file.write(tmp_path, "kim", "a change\nuntil (µs since the epoch) 1", Instant(100))
    halt_file.expire(tmp_path, Instant(99))
    assert halt_file.exists(tmp_path)
    halt_file.expire(tmp_path, Instant(100))
    assert not halt_file.exists(tmp_path)


def test_a_file_made_by_hand_stays(tmp_path: Path) -> None:
    (tmp_path / "HALT").write_text("fire\n")
    halt_file.expire(tmp_path, Instant(1 << 60))
    assert halt_file.exists(tmp_path)
