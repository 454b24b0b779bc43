"""An http step: one request, once, with a record of its own beside the runner's.

Nothing on the far side fences it: if we die between the record and the answer, its outcome is
unknown, and that is what is said. Blocking, for a worker thread.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection, InvalidURL
from urllib.parse import quote, urlsplit

from monitord.executor import records
from monitord.model.effect import HttpCall
from monitord.transports.runner import KEEP, End, Ending, Record

_SAFE = "%/:=&?~+!$,;'@()*[]"  # as written: what is already encoded is not encoded again


def call(effect: HttpCall, headers: Mapping[str, str], record: Record, seconds: float) -> Ending:
    """Send the request; `headers` hold the secrets' values. The exit code is the HTTP status.

    Raises:
        RefusedByExecutorError: this step was begun before.
        NotBegunError: no record of it can be made.
    """
    records.begin(record)
    ending = _send(effect, headers, seconds)
    records.keep(record, ending)
    return ending


def _send(effect: HttpCall, headers: Mapping[str, str], seconds: float) -> Ending:
    """Connect, send, and hear the answer; only what was never sent can be said to have failed."""
    end = time.monotonic() + seconds
    parts = urlsplit(effect.url)
    make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = make(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.connect()
    except OSError as error:
        return Ending(End.FINISHED, f"no connection: {error}")
    clock = threading.Timer(max(0.0, end - time.monotonic()), _cut, [connection])
    clock.daemon = True
    clock.start()
    try:
        return _exchange(connection, effect, headers)
    except (InvalidURL, ValueError) as error:
        return Ending(End.FINISHED, f"not sent: {error}")
    except (OSError, HTTPException) as error:
        late = time.monotonic() >= end
        why = f"no answer within {seconds:g} s" if late else f"the connection broke: {error!r}"
        return Ending(End.LOST, f"{why}; it may have taken effect")
    finally:
        clock.cancel()
        connection.close()


def _cut(connection: HTTPConnection) -> None:
    """End a connection whose far side drips: a time limit per read never comes."""
    with contextlib.suppress(OSError):  # it ended by itself just now
        connection.sock.shutdown(socket.SHUT_RDWR)


def _exchange(connection: HTTPConnection, effect: HttpCall, headers: Mapping[str, str]) -> Ending:
    parts = urlsplit(effect.url)
    target = quote(parts.path or "/", safe=_SAFE)
    if parts.query:
        target = f"{target}?{quote(parts.query, safe=_SAFE)}"
    body = effect.body.encode() or None
    connection.request(effect.method, target, body, dict(headers))
    answer = connection.getresponse()
    said = b""
    try:
        while len(said) < KEEP and (more := answer.read1(KEEP - len(said))):
            said += more
    except (OSError, HTTPException) as error:  # the status alone decides
        said += f"\n[the answer broke off: {error!r}]".encode()
    return Ending(End.FINISHED, "", answer.status, output=said[:KEEP])
