"""The body of an HTTP answer as UTF-8 bytes: unpacked within bounds, other charsets recoded.

It decides what of a hostile encoding is worth reading. It judges no content.
"""

import re
import zlib
from collections.abc import Mapping

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})")
# Only plain character sets: Python also has codecs that are slow on purpose or no text at all.
_KNOWN = re.compile(
    r"(iso-?8859|latin|windows-?|cp)-?\d{1,4}|utf-?(16|32)(le|be)?|shift_?jis|euc-?(jp|kr)"
    r"|gbk|gb2312|gb18030|big5|koi8-[ru]|iso-2022-jp"
)
_ANY_HEADER = 47  # zlib: 32 recognises gzip and zlib by their headers, 15 is the largest window
_RAW = -15


class BodyError(ValueError):
    """The body cannot be read; the text says why."""


def content(body: bytes, headers: Mapping[bytes, bytes], limit: int) -> tuple[bytes, bool]:
    """Give the text of a body as UTF-8, at most `limit` bytes, and whether more was left.

    Raises:
        BodyError: packed in a way that is not read here, or broken.
    """
    encoding = headers.get(b"content-encoding", b"").strip().lower()
    more = False
    if encoding not in {b"", b"identity"}:
        body, more = _unpacked(body, encoding, limit)
    match = _CHARSET.search(headers.get(b"content-type", b"")[:200])
    charset = match[1].decode().lower() if match else ""
    if _KNOWN.fullmatch(charset):
        try:
            body = body.decode(charset, "replace").encode()
        except LookupError:  # one of those numbers that no codec has
            return body, more
    return body, more


def _unpacked(body: bytes, encoding: bytes, limit: int) -> tuple[bytes, bool]:
    if encoding not in {b"gzip", b"x-gzip", b"deflate"}:
        shown = encoding[:30].decode("ascii", "replace")
        raise BodyError(f"the body is packed as {shown!r}, which was not asked for")
    try:
        return _inflated(body, _ANY_HEADER, limit)
    except zlib.error:
        if encoding == b"deflate":  # some servers send it without the zlib header
            return _unpacked_raw(body, limit)
        raise BodyError("the body is not valid gzip") from None


def _unpacked_raw(body: bytes, limit: int) -> tuple[bytes, bool]:
    try:
        return _inflated(body, _RAW, limit)
    except zlib.error:
        raise BodyError("the body is not valid deflate") from None


def _inflated(body: bytes, window: int, limit: int) -> tuple[bytes, bool]:
    # `max_length` is what makes a bomb harmless: no more than that is ever unpacked.
    unpacker = zlib.decompressobj(window)
    text = unpacker.decompress(body, limit)
    return text, not unpacker.eof and bool(unpacker.unconsumed_tail)
