"""Columns, chunks and frames: what is written is read back; what is damaged is a gap."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.history import numbers
from monitord.history.frames import chunk, frame, frames, number_of, payload_at
from monitord.history.samples import TICK, Row, Samples, extend, pack, pack_row
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Measurement

FINITE = st.floats(allow_nan=False, allow_infinity=False)
KEYS = [StateKey(f"web{n}/site") for n in range(4)]


@given(st.lists(st.integers(-(2**60), 2**60)))
def test_whole_numbers_are_kept_exactly(values: list[int]) -> None:
    assert numbers.unpack_whole(numbers.pack_whole(values), len(values)) == values


@given(st.lists(st.integers(-(2**53), 2**53).map(float), max_size=50))
def test_measurements_that_are_whole_are_kept_exactly(values: list[float]) -> None:
    assert numbers.unpack(numbers.pack(values), len(values)) == values


@given(st.lists(FINITE, max_size=200))
def test_any_numbers_come_back_within_the_grain(values: list[float]) -> None:
    found = numbers.unpack(numbers.pack(values), len(values))
    sizes = sorted(abs(value) for value in values if value) or [0.0]
    grain = sizes[len(sizes) // 10] / 10_000  # five digits of the smaller ones
    assert len(found) == len(values)
    assert all(
        abs(a - b) <= grain * 0.501 + abs(a) * 1e-15 + 1e-300
        for a, b in zip(values, found, strict=True)
    )


@pytest.mark.parametrize("values", [[12.5, 99.9, 0.1], [0.0, 0.25], [3.1415, 2.7182]])
def test_short_decimals_come_back_as_written(values: list[float]) -> None:
    assert numbers.unpack(numbers.pack(values), len(values)) == values


ROWS = st.builds(
    Row,
    at=st.integers(0, 2**50).map(Instant),
    status=st.integers(0, 3),
    fresh=st.integers(0, 10**12),
    attempt=st.integers(0, 2**40),
    summary=st.text(max_size=600),
    measurements=st.lists(
        st.builds(
            Measurement,
            st.text(max_size=12),
            st.one_of(st.integers(-(2**50), 2**50).map(float), st.just(float("nan"))),
            st.sampled_from(["s", "B", "%", "c", ""]),
        ),
        max_size=4,
        unique_by=lambda one: one.name.encode(errors="replace"),
    ),
)


@given(st.lists(ROWS, max_size=30))
@settings(max_examples=60)
def test_any_results_come_back_from_rows_and_from_columns(rows: list[Row]) -> None:
    came, packed = Samples(), Samples()
    for row in rows:
        extend(came, pack_row(row))
    extend(packed, pack(came))
    assert packed == came
    assert came.times == [row.at // TICK for row in rows]
    assert came.statuses == [row.status for row in rows]
    assert came.attempts == [row.attempt for row in rows]
    seen = [
        (place, name, value)
        for name, column in packed.columns.items()
        for place, value in zip(column.places, column.values, strict=True)
    ]
    put = [
        (place, one.name.encode(errors="replace").decode(), one.value)
        for place, row in enumerate(rows)
        for one in row.measurements
        if one.value == one.value  # a NaN is no data
    ]
    assert sorted(seen) == sorted(put)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_chunk_are_an_error_of_value(data: bytes) -> None:
    samples = Samples()
    try:
        extend(samples, data)
    except ValueError:
        assert samples == Samples()


def read(path: Path) -> tuple[dict[int, list[bytes]], list[int]]:
    """Give what a file still holds by key, and the places of damage."""
    damaged: list[int] = []
    found: dict[int, list[bytes]] = {}
    descriptor = os.open(path, os.O_RDONLY)
    try:
        for one in frames(descriptor, damaged.append):
            for number, place in one.entries():
                assert place in one.find(number)
                whole = payload_at(descriptor, place)
                if whole is None or whole[0] != number:
                    damaged.append(place)
                else:
                    found.setdefault(number, []).append(whole[1])
    finally:
        os.close(descriptor)
    return found, damaged


PAYLOADS = st.lists(st.tuples(st.sampled_from(KEYS), st.binary(max_size=40)), max_size=6)
FILES = st.lists(PAYLOADS, min_size=1, max_size=4)


def framed(part: list[tuple[StateKey, bytes]]) -> bytes:
    return frame([(number_of(key), chunk(number_of(key), payload)) for key, payload in part])


def written(path: Path, parts: list[list[tuple[StateKey, bytes]]]) -> dict[int, list[bytes]]:
    expected: dict[int, list[bytes]] = {}
    data = b""
    for part in parts:
        data += framed(part)
        for key, payload in part:
            expected.setdefault(number_of(key), []).append(payload)
    path.write_bytes(data)
    return expected


def part_of(some: list[bytes], whole: list[bytes]) -> bool:
    rest = iter(whole)
    return all(any(each == other for other in rest) for each in some)


@given(FILES)
@settings(max_examples=50)
def test_what_is_written_in_frames_is_found(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[tuple[StateKey, bytes]]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "whole"
    expected = written(path, parts)
    assert read(path) == (expected, [])


@given(FILES, st.data())
@settings(max_examples=150, deadline=None)
def test_a_file_cut_anywhere_gives_a_part_of_what_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    parts: list[list[tuple[StateKey, bytes]]],
    data: st.DataObject,
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut"
    expected = written(path, parts)
    size = path.stat().st_size
    cut = data.draw(st.integers(0, size - 1))
    os.truncate(path, cut)
    found, _ = read(path)
    assert all(payloads == expected[key][: len(payloads)] for key, payloads in found.items())
    last = len(framed(parts[-1]))
    if cut >= size - last:  # all frames before the last are whole
        assert sum(map(len, found.values())) >= sum(map(len, parts[:-1]))


@given(FILES, st.data())
@settings(max_examples=150, deadline=None)
def test_a_flipped_bit_costs_one_chunk_at_most(
    tmp_path_factory: pytest.TempPathFactory,
    parts: list[list[tuple[StateKey, bytes]]],
    data: st.DataObject,
) -> None:
    path = tmp_path_factory.getbasetemp() / "flip"
    expected = written(path, parts)
    raw = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    path.write_bytes(raw)
    found, damaged = read(path)
    assert damaged
    assert all(part_of(payloads, expected[key]) for key, payloads in found.items())
    lost = sum(map(len, expected.values())) - sum(map(len, found.values()))
    assert lost <= 1
