"""One HTTP/1.1 request and its answer on one fresh connection: the hot path of the core.

It reads what is on the wire within bounds (64 KiB of headers, the spec's share of the body) and
judges nothing. Whatever a target sends, memory stays below those bounds.
"""

import asyncio
from time import perf_counter
from typing import cast

import httptools

from monitord.model.text import one_line
from monitord.probes.credentials import quote
from monitord.probes.network.connect import WAITING, Connection, explain

READING = "no end of the answer"
LIMIT = "limit"
"""What `cut` says when the answer went on past the bytes to be read."""

_HEADERS = 65_536  # bytes of headers, interim answers included
_FINAL = 200
_SWITCHED = 101
_NO_BODY = frozenset({_SWITCHED, 204, 304})
_OVERHEAD = 8  # a chunk of one byte takes six on the wire; extensions and trailers count as well


class Exchange(Connection):
    """Sends one request and collects the answer; `done` resolves when it is whole or hopeless.

    Then either `failed` says why there is no answer, or `status`, `headers` (names in lower case)
    and `body` hold it; `cut` says why the body is not whole. Defaults stand on the class: this is
    made for each check that runs.
    """

    failed = ""
    cut = ""
    status = 0
    size = 0
    connected = 0.0
    ended = 0.0
    certificate: bytes | None = None
    _raw = 0
    _expected = -1
    _chunked = False
    _in_body = False
    _complete = False
    _parser: httptools.HttpResponseParser | None = None

    def __init__(self, wire: bytes, *, bodiless: bool, limit: int) -> None:
        super().__init__()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []
        self._wire = wire
        self._bodiless = bodiless
        self._limit = limit

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request; over TLS, keep the certificate that was shown."""
        self.connected = perf_counter()
        self.phase = WAITING
        self.transport = cast("asyncio.Transport", transport)
        secure = transport.get_extra_info("ssl_object")
        if secure is not None:
            self.certificate = secure.getpeercert(binary_form=True)
        self._parser = httptools.HttpResponseParser(self)
        self.transport.write(self._wire)

    def data_received(self, data: bytes) -> None:
        """Read on, until the answer is whole, broken or over its bounds."""
        parser = self._parser
        if parser is None:
            return
        self.phase = READING
        try:
            if self._in_body:
                self._feed_body(parser, data)
            else:
                self._feed_head(parser, data)
        except httptools.HttpParserUpgrade:
            self._complete = True
        except httptools.HttpParserCallbackError as error:
            self._parser = None
            self.done.set_exception(error)  # a bug of ours must not pass for the target's
            return
        except httptools.HttpParserError as error:
            if not self._complete:
                self._broken(one_line(str(error)).lower(), data)
        if self._complete:
            self._end()

    def _broken(self, why: str, data: bytes) -> None:
        if self._in_body:
            self.cut = f"the body is broken after {self.size} bytes ({why})"
        else:
            self.failed = f"the answer is not valid HTTP ({why}), it said {quote(data)}"
        self._complete = True

    def _feed_head(self, parser: httptools.HttpResponseParser, data: bytes) -> None:
        room = _HEADERS - self._raw
        head = data if len(data) <= room else data[:room]
        self._raw += len(head)
        parser.feed_data(head)
        if self._in_body:
            if len(head) < len(data) and not self._complete:
                self._feed_body(parser, data[room:])
        elif self._raw >= _HEADERS:
            self.failed = f"the answer has more than {_HEADERS // 1024} KiB of headers"
            self._complete = True

    def _feed_body(self, parser: httptools.HttpResponseParser, data: bytes) -> None:
        self._raw += len(data)
        parser.feed_data(data)
        if self._raw > _HEADERS + self._limit * _OVERHEAD and not self._complete:
            self.cut = LIMIT
            self._complete = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep one header; the parser calls this."""
        if not self._in_body:  # trailers tell nothing that anybody asks for
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Learn how the body is bounded; an interim answer (1xx) is dropped."""
        status = self._parser.get_status_code() if self._parser else 0
        if status < _FINAL and status != _SWITCHED:
            self.headers.clear()
            return
        self.status = status
        self._in_body = True
        if self._bodiless or status in _NO_BODY:
            self._complete = True
            return
        for name, value in self.headers:
            if name == b"content-length" and value.isdigit():
                self._expected = int(value[:19])
            elif name == b"transfer-encoding":
                self._chunked = True

    def on_body(self, data: bytes) -> None:
        """Keep a part of the body, up to the limit."""
        if self._complete:
            return
        room = self._limit - self.size
        if len(data) > room:
            data = data[:room]
            self.cut = LIMIT
            self._complete = True
        self.size += len(data)
        self.body.append(data)

    def on_message_complete(self) -> None:
        """Know that the answer is whole; that of an interim answer is not meant."""
        if self._in_body:
            self._complete = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell a body that ends with its connection from one that was cut."""
        self.transport = None
        if self._parser is None:
            return
        how = str(explain(exc)) if isinstance(exc, OSError) else "connection closed"
        if not self._in_body:
            after = "within the headers" if self._raw else "without an answer"
            self.failed = f"{how} {after}"
        elif self._expected >= 0:
            self.cut = f"{how} after {self.size} of {self._expected} bytes"
        elif self._chunked or exc is not None:
            self.cut = f"{how} after {self.size} bytes, before the end"
        self._end()

    def _end(self) -> None:
        self.ended = perf_counter()
        self._parser = None  # it refers to us: a cycle would be left to the garbage collector
        if not self.done.done():
            self.done.set_result(None)
        self.drop()
