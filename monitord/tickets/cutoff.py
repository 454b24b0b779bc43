"""A deadline for blocking network libraries, whose own time-outs count from each byte anew.

It ends the connection from a timer's thread when the time is up: the blocked call then fails at
once. It decides nothing else; who uses it asks `fired` to tell a cut-off from another failure.
"""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class Cutoff:
    """After `seconds`, shuts down the socket that `watch` was last given."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.fired = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True

    def watch(self, connection: socket.socket) -> None:
        """Guard this connection, by a descriptor of our own: TLS takes the given one over."""
        with self._lock:
            self._drop()
            # Not connection.dup(): a TLS socket, kept from an earlier exchange, refuses that.
            self._socket = socket.fromfd(connection.fileno(), connection.family, connection.type)
            if self.fired:
                self._shut(self._socket)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._drop()

    def _fire(self) -> None:
        with self._lock:
            self.fired = True
            if self._socket is not None:
                self._shut(self._socket)

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @staticmethod
    def _shut(connection: socket.socket) -> None:
        # It may have ended by itself a moment ago, which is all that is wanted.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
