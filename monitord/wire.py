"""The words between core and executor: length-prefixed JSON frames over a Unix socket.

A frame is a 4-byte big-endian length and UTF-8 JSON: a request `{"id", "do", …}`, its answer
`{"id", "ok": …}` or `{"id", "error": {"type", "text", "cause"}}`. The core connects and asks; the
executor answers in any order. Nothing is interpreted here.
"""

import asyncio
import json
import struct
from typing import Any

_LENGTH = struct.Struct(">I")
LONGEST = 64 * 1024 * 1024
"""Bytes: a longer frame is a fault of the peer and ends the connection ."""


def pack(message: dict[str, Any]) -> bytes:
    """Give the frame of a message."""
    body = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
    return _LENGTH.pack(len(body)) + body


async def read_frame(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """Read one frame; None at the end of the stream.

    Raises:
        ValueError: the frame is longer than LONGEST or is not a JSON object.
    """
    try:
        head = await reader.readexactly(_LENGTH.size)
        (length,) = _LENGTH.unpack(head)
        if length > LONGEST:
            raise ValueError(f"a frame of {length} bytes is over the limit of {LONGEST}")
        message = json.loads(await reader.readexactly(length))
    except asyncio.IncompleteReadError:
        return None
    if not isinstance(message, dict):
        raise ValueError("a frame is not a JSON object")  # noqa: TRY004 - one error type per peer fault
    return message
