"""Codes a column of numbers: decimals as integers, differences, bytes by weight, deflated.

What is kept: whole numbers up to 2^61 exactly; decimals to five digits of the smaller ones among
them (the lowest decile), so that noise far below what a chart shows does not fill the disk. Pure.
"""

import math
import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from itertools import accumulate
from operator import sub

_HEAD = struct.Struct("<hBBq")  # places (or _WHOLE), order, bytes a number, base
_PLANE = struct.Struct("<I")  # its length; the highest bit: deflated
_DEFLATED = 1 << 31
_WHOLE = 32_767  # instead of places: the numbers as IEEE 754 doubles
_DIGITS = 5
_MOST_PLACES = 300
_LARGEST = 2**61  # so that differences still fit into 64 bits
_WORTH_IT = 32  # bytes: shorter planes are stored as they are


def pack(values: Sequence[float]) -> bytes:
    """Give the column as bytes; values must be finite."""
    places, whole = _scaled(values)
    if places == _WHOLE:
        doubles = array("d", values)
        return _HEAD.pack(_WHOLE, 0, 8, 0) + _planes(_little(doubles), 8)
    order, base, coded = _least(whole)
    most = max(coded, default=0)
    width = (most.bit_length() + 7) // 8
    raw = _little(array("Q", coded)) if width else b""
    return _HEAD.pack(places, order, width, base) + _planes(raw, width)


def unpack(data: bytes, count: int) -> list[float]:
    """Give the `count` numbers of a column.

    Raises:
        ValueError: it is none of ours.
    """
    try:
        places, order, width, base = _HEAD.unpack_from(data)
        raw = _joined(data, width, count)
    except (struct.error, zlib.error, IndexError) as error:
        raise ValueError(f"no column of numbers: {error}") from error
    if places == _WHOLE:
        doubles = array("d", raw)
        _swap(doubles)
        return doubles.tolist()
    whole = _whole(raw, order, base, count)
    if places == 0:
        return [float(number) for number in whole]
    if places > 22:  # noqa: PLR2004 - 10**22 is the last power of ten that a double holds exactly
        return [float(f"{number}e-{places}") for number in whole]
    scale = 10.0**places
    return [number / scale for number in whole]


def pack_whole(values: Sequence[int]) -> bytes:
    """Give a column of whole numbers (below 2^61) as bytes."""
    order, base, coded = _least(list(values))
    width = (max(coded, default=0).bit_length() + 7) // 8
    raw = _little(array("Q", coded)) if width else b""
    return _HEAD.pack(0, order, width, base) + _planes(raw, width)


def unpack_whole(data: bytes, count: int) -> list[int]:
    """Give the `count` whole numbers of a column; ValueError as for `unpack`."""
    try:
        _places, order, width, base = _HEAD.unpack_from(data)
        return _whole(_joined(data, width, count), order, base, count)
    except (struct.error, zlib.error, IndexError) as error:
        raise ValueError(f"no column of numbers: {error}") from error


def _scaled(values: Sequence[float]) -> tuple[int, list[int]]:
    """Give decimal places and the numbers as integers of that unit; _WHOLE: it cannot be done."""
    if max(map(abs, values), default=0.0) >= _LARGEST:
        return _WHOLE, []
    if all(map(float.is_integer, values)):
        return 0, list(map(int, values))
    sizes = sorted(abs(value) for value in values if value)
    smaller = sizes[len(sizes) // 10]
    places = _DIGITS - 1 - math.floor(math.log10(smaller))
    places = min(max(places, 0), _MOST_PLACES)
    if math.log10(sizes[-1]) + places >= math.log10(_LARGEST):
        return _WHOLE, []
    scale = 10.0**places
    whole = [round(value * scale) for value in values]
    common = math.gcd(*whole)
    while places and common and common % 10 == 0:  # 12.5 needs one place, not four
        common //= 10
        places -= 1
        whole = [number // 10 for number in whole]
    return places, whole


def _least(whole: list[int]) -> tuple[int, int, list[int]]:
    """Give order (0: from the mean, 1: from the one before), base and numbers of that, unsigned."""
    if not whole:
        return 0, 0, []
    mean = sum(whole) // len(whole)
    apart = [number - mean for number in whole]
    steps = list(map(sub, whole[1:], whole))
    if sum(map(abs, steps)) < sum(map(abs, apart)):
        return 1, whole[0], [_unsigned(0), *map(_unsigned, steps)]
    return 0, mean, list(map(_unsigned, apart))


def _unsigned(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


def _whole(raw: bytes, order: int, base: int, count: int) -> list[int]:
    coded = array("Q", raw or bytes(8 * count))
    _swap(coded)
    signed = [(code >> 1) if not code & 1 else -((code + 1) >> 1) for code in coded]
    if order == 0:
        return [base + number for number in signed]
    signed[:1] = [base] if signed else []
    return list(accumulate(signed))


def _planes(raw: bytes, width: int) -> bytes:
    """Give the bytes by their weight: the heavy ones are alike, and deflate well."""
    parts = []
    for weight in range(width):
        plane = raw[weight::8]
        small = zlib.compress(plane, 6, -15) if len(plane) >= _WORTH_IT else plane
        if len(small) < len(plane):
            parts += [_PLANE.pack(len(small) | _DEFLATED), small]
        else:
            parts += [_PLANE.pack(len(plane)), plane]
    return b"".join(parts)


def _joined(data: bytes, width: int, count: int) -> bytes:
    raw = bytearray(8 * count)
    at = _HEAD.size
    for weight in range(width):
        (length,) = _PLANE.unpack_from(data, at)
        size = length & ~_DEFLATED
        at += _PLANE.size
        plane = data[at : at + size]
        if length & _DEFLATED:
            plane = zlib.decompress(plane, -15)
        if len(plane) != count:
            raise ValueError(f"no column of numbers: {len(plane)} of {count} bytes")
        raw[weight::8] = plane
        at += size
    return bytes(raw) if width else b""


def _little(numbers: "array[int] | array[float]") -> bytes:
    _swap(numbers)
    return numbers.tobytes()


def _swap(numbers: "array[int] | array[float]") -> None:
    """Turn between this machine's order of bytes and the files', which is little-endian."""
    if sys.byteorder == "big":
        numbers.byteswap()
