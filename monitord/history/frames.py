"""Frames: chunks of many keys with an index, written one behind the other into a file.

Each chunk and each index has a checksum. What is damaged is skipped and told of, never raised: a
torn or flipped byte costs the chunk it lies in; where an index is hit, its chunks are looked for
one by one. Reading needs no lock: a frame that is not whole yet is not there yet.
"""

import hashlib
import os
import struct
import sys
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from monitord.model.ids import StateKey

_MAGIC = b"\x93MHF1\r\n\x1a"
_FRAME = struct.Struct("<8sQQQI")  # magic, chunks, length of all, place of the index, its CRC
_CRC = struct.Struct("<I")  # of that head
_HEAD = _FRAME.size + _CRC.size
_BIT = b"\xc7mhc"
_CHUNK = struct.Struct("<4sIIQ")  # magic, length of the payload, CRC of key and payload, key
_WINDOW = 64 * 1024  # bytes that are looked through at once
_READ = 1024 * 1024  # bytes of an index that are read at once
_SLICE = 512  # index entries that are read at once when all are wanted
_LONGEST = 64 * 1024 * 1024  # bytes of one chunk; a longer one is damage

Damaged = Callable[[int], None]
"""Called with a place in the file at which something is not as it was written."""


def number_of(key: StateKey) -> int:
    """Give the number that stands for a key in the index."""
    digest = hashlib.blake2b(key.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def chunk(number: int, payload: bytes) -> bytes:
    """Give a chunk's bytes."""
    return _CHUNK.pack(_BIT, len(payload), _sum(number, payload), number) + payload


def frame(chunks: Sequence[tuple[int, bytes]]) -> bytes:
    """Give a frame of (key's number, chunk), those of one key in their order."""
    parts, index, at = [], [], _HEAD
    for number, part in chunks:
        index.append((number, at))
        parts.append(part)
        at += len(part)
    table = index_of(index)
    return b"".join([head_of(len(index), at, table), *parts, table])


def index_of(places: Iterable[tuple[int, int]]) -> bytes:
    """Give the index of (key's number, place in the frame): all numbers sorted, then all places."""
    ordered = sorted(places)
    table = array("Q", [number for number, _ in ordered])
    table.extend(place for _, place in ordered)
    if sys.byteorder == "big":
        table.byteswap()
    return table.tobytes()


def head_of(count: int, index_at: int, table: bytes) -> bytes:
    """Give a frame's head; `index_at` is how far behind the head's begin the index stands."""
    head = _FRAME.pack(_MAGIC, count, index_at + len(table), index_at, zlib.crc32(table))
    return head + _CRC.pack(zlib.crc32(head))


HEAD_LENGTH = _HEAD
"""Bytes before the first chunk of a frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a file; `known` replaces an index that is damaged: (number, place) sorted."""

    descriptor: int
    at: int
    count: int
    index_at: int
    known: tuple[tuple[int, int], ...] | None = None
    table: "array[int] | None" = None  # of a frame that is searched: its index, once it is read

    def find(self, number: int) -> list[int]:
        """Give the places in the file of one key's chunks, in the order they were written."""
        if self.known is not None:
            return [place for each, place in self.known if each == number]
        table = self.table or _table(self)
        if len(table) < 2 * self.count:
            return []  # the writer took back what a full disk had let in only in part
        first = bisect_left(table, number, 0, self.count)
        found = []
        while first < self.count and table[first] == number:
            found.append(self.at + table[self.count + first])
            first += 1
        return found

    def entries(self) -> Iterator[tuple[int, int]]:
        """Give (number, place in the file) of all chunks, sorted, a slice in memory at a time."""
        if self.known is not None:
            yield from self.known
            return
        for first in range(0, self.count, _SLICE):
            many = min(_SLICE, self.count - first)
            numbers = self._part(first, many)
            places = self._part(self.count + first, many)
            yield from zip(numbers, (self.at + place for place in places), strict=False)

    def _part(self, first: int, many: int) -> "array[int]":
        begin = self.at + self.index_at + 8 * first
        return _numbers(os.pread(self.descriptor, 8 * many, begin))


def frames(descriptor: int, damaged: Damaged, *, searched: bool = False) -> Iterator[Frame]:
    """Give the frames of a file, each checked, and between them what is left of damaged ones.

    With `searched` they keep their indexes in memory: for who looks at one after the other.
    """
    size = os.fstat(descriptor).st_size
    at = 0
    while at < size:
        found = _frame_at(descriptor, at, size, searched=searched)
        if found is not None and _index_is_whole(*found):
            yield found[0]
            at += found[1]
            continue
        damaged(at)
        # Not behind the length that a torn frame says: the next one was written into it.
        end = _next_frame(descriptor, at + 1, size)
        yield _salvaged(descriptor, at, end)
        at = end


def payload_at(descriptor: int, at: int) -> tuple[int, bytes] | None:
    """Give number and payload of the chunk at a place; None where none stands unharmed."""
    head = os.pread(descriptor, _CHUNK.size + 2048, at)  # most rows come whole with it
    if len(head) < _CHUNK.size:
        return None
    magic, length, check, number = _CHUNK.unpack_from(head)
    if magic != _BIT or length > _LONGEST:
        return None
    payload = head[_CHUNK.size : _CHUNK.size + length]
    if len(payload) < length:
        rest = length - len(payload)
        payload += os.pread(descriptor, rest, at + _CHUNK.size + len(payload))
    if len(payload) != length or _sum(number, payload) != check:
        return None
    return number, payload


def _frame_at(
    descriptor: int, at: int, size: int, *, searched: bool = False
) -> tuple[Frame, int] | None:
    raw = os.pread(descriptor, _HEAD, at)
    if len(raw) < _HEAD or zlib.crc32(raw[: _FRAME.size]) != _CRC.unpack_from(raw, _FRAME.size)[0]:
        return None
    magic, count, length, index_at, _ = _FRAME.unpack_from(raw)
    if magic != _MAGIC or at + length > size:
        return None
    table = array("Q") if searched else None
    return Frame(descriptor, at, count, index_at, table=table), length


def _index_is_whole(found: Frame, length: int) -> bool:
    """Tell whether the index is as it was written; a frame that is searched keeps it."""
    head = os.pread(found.descriptor, _FRAME.size, found.at)
    if len(head) < _FRAME.size or length != found.index_at + 16 * found.count:
        return False
    check, at, end = 0, found.at + found.index_at, found.at + length
    while at < end:
        part = os.pread(found.descriptor, min(_READ, end - at), at)
        if not part:
            return False
        check = zlib.crc32(part, check)
        at += len(part)
        if found.table is not None and length - found.index_at <= _READ:
            found.table.extend(_numbers(part))
    return bool(check == _FRAME.unpack(head)[4])


def _salvaged(descriptor: int, start: int, end: int) -> Frame:
    """Give a frame of the chunks that stand unharmed in a part of the file."""
    found = []
    at = _next(descriptor, _BIT, start, end)
    while at < end:
        whole = payload_at(descriptor, at)
        step = 1
        if whole is not None and at + _CHUNK.size + len(whole[1]) <= end:
            found.append((whole[0], at))
            step = _CHUNK.size + len(whole[1])
        at = _next(descriptor, _BIT, at + step, end)
    return Frame(descriptor, start, len(found), 0, tuple(sorted(found)))


def _next_frame(descriptor: int, start: int, size: int) -> int:
    at = _next(descriptor, _MAGIC, start, size)
    while at < size and _frame_at(descriptor, at, size) is None:
        at = _next(descriptor, _MAGIC, at + 1, size)
    return at


def _next(descriptor: int, word: bytes, start: int, end: int) -> int:
    """Give where a word stands next; `end` where nowhere."""
    at = start
    while at < end:
        window = os.pread(descriptor, min(_WINDOW, end - at), at)
        found = window.find(word)
        if found >= 0:
            return at + found
        if len(window) < _WINDOW:
            return end
        at += len(window) - len(word) + 1
    return end


def _table(found: Frame) -> "array[int]":
    raw = os.pread(found.descriptor, 16 * found.count, found.at + found.index_at)
    return _numbers(raw)


def _numbers(raw: bytes) -> "array[int]":
    numbers = array("Q", raw[: len(raw) // 8 * 8])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _sum(number: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(number.to_bytes(8, "little")))
