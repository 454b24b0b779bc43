"""SSH commands over kept connections: a script to /bin/sh on standard input, bounded output back.

Blocking, for worker threads; every wait has the caller's deadline. Connections are shared per
(host, identity), with at most 8 channels each, and few are kept idle. It judges no output.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import paramiko

from monitord.errors import NotReachedError, TransportError
from monitord.log import get_logger
from monitord.model.catalog import Hop, SshLogin
from monitord.model.result import Cause
from monitord.transports.local import LIMIT, PATH, Ran
from monitord.transports.ssh_connect import Deadline, bound, connect

log = get_logger(__name__)

CHANNELS = 8
"""Per connection; sshd refuses the 11th (MaxSessions 10), and two stay for people's own use."""
IDLE_KEPT = 32
"""Connections kept unused; 40 of paramiko's wake up 407 times a second (measured)."""
IDLE_FOR = 150.0
"""Seconds after which an unused connection is closed: two rounds of checks every minute."""
_FLOOD = 64  # times the limit: then the channel is closed instead of read on
_CHUNK = 65_536
_TICK = 0.2  # seconds between two looks at a channel's other stream and its end
COMMAND = (
    f'exec env -i PATH={PATH} LC_ALL=C HOME="$HOME" LOGNAME="$LOGNAME" USER="$LOGNAME" /bin/sh'
)
"""What is asked of a host. The login shell may be any that knows these words; the environment ends
here. A locked login (locked.sh) takes only this."""

# paramiko logs every failed negotiation with a traceback; what failed is told in our own errors.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)

Identity = tuple[str, SshLogin, str, tuple[Hop, ...]]


@dataclass(eq=False, slots=True)
class _Connection:
    """One kept connection; `busy` counts channels, `used` is the monotonic time of the last.

    A `dropped` one gets no new channel and is closed with its last. `carried` counts connections
    that go through it, and `carrier` is the one that this goes through.
    """

    transport: paramiko.Transport
    busy: int = 0
    used: float = field(default_factory=time.monotonic)
    dropped: bool = False
    carried: int = 0
    carrier: "_Connection | None" = None


class Ssh:
    """All connections of this process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Identity, list[_Connection]] = {}
        self._connecting: dict[Identity, threading.Lock] = {}

    def run(
        self,
        address: str,
        login: SshLogin,
        known_hosts: str,
        script: bytes | Callable[[], bytes],
        *,
        timeout: float,
        limit: int = LIMIT,
        watch: Callable[[bytes], None] | None = None,
        via: tuple[Hop, ...] = (),
    ) -> Ran:
        """Run `script` in /bin/sh on the host, for `timeout` seconds with all that belongs to it.

        A function is asked for the script when the channel is open; what it raises calls it off.
        `limit` bounds each stream; `watch` is called with standard output so far. After the
        deadline the channel is closed; what runs detached there goes on. `via` are jump hosts.

        Raises:
            NotReachedError: the host cannot be reached or logged into; nothing was run.
            TransportError: the connection broke; the script may have been run.
        """
        deadline = Deadline(timeout)
        identity = (address, login, known_hosts, via)
        with self._channel(identity, deadline) as channel:
            text = script if isinstance(script, bytes) else script()
            try:
                return _talk(channel, text, deadline, limit, watch)
            except (paramiko.SSHException, OSError, EOFError) as error:
                if deadline.passed:
                    return Ran(-1, b"", b"", timed_out=True)
                said = f"{login.user}@{address}: the connection broke: {error or 'closed'}"
                raise TransportError(said, cause=Cause.TRANSPORT) from error

    @contextlib.contextmanager
    def _channel(self, identity: Identity, deadline: Deadline) -> Iterator[paramiko.Channel]:
        connection, fresh = self._take(identity, deadline)
        try:
            try:
                # A kept one may be dead without knowing it: leave time for a new one.
                within = deadline.left if fresh else deadline.left / 3
                channel = connection.transport.open_session(timeout=within)
            except (paramiko.SSHException, OSError, EOFError) as error:
                self._drop(identity, connection)
                if fresh:
                    text = f"{identity[1].user}@{identity[0]}: no session: {error or 'closed'}"
                    cause = Cause.TIMEOUT if deadline.passed else Cause.TRANSPORT
                    raise NotReachedError(text, cause=cause) from error
                channel = None
            if channel is not None:
                try:
                    yield channel
                finally:
                    channel.close()
                return
        finally:
            self._give_back(connection)
        # A kept connection may have died unnoticed: nothing was sent yet, so once more is safe.
        with self._channel(identity, deadline) as channel:
            yield channel

    def _take(self, identity: Identity, deadline: Deadline) -> tuple[_Connection, bool]:
        """Give a connection with a free channel, a new one where none is; and whether it is new."""
        kept = self._free(identity)
        if kept:
            return kept, False
        with self._lock:
            turn = self._connecting.setdefault(identity, threading.Lock())
        if not turn.acquire(timeout=deadline.left):
            text = f"{identity[1].user}@{identity[0]}: still connecting"
            raise NotReachedError(text, cause=Cause.TIMEOUT)
        try:
            kept = self._free(identity)  # another thread may have connected meanwhile
            if kept:
                return kept, False
            connection = self._made(identity, deadline)
            with self._lock:
                self._kept.setdefault(identity, []).append(connection)
            log.debug("connected", host=identity[0], user=identity[1].user)
            return connection, True
        finally:
            turn.release()

    def _made(self, identity: Identity, deadline: Deadline) -> _Connection:
        """Give a new connection with a place taken, through the jump hosts that it needs."""
        address, login, known_hosts, via = identity
        if not via:
            return _Connection(connect(address, login, known_hosts, deadline), busy=1)
        *before, last = via
        way = (last.address, last.login, last.known_hosts, tuple(before))
        carrier, fresh = self._carrier(way, last, deadline)
        through = (last, carrier.transport)
        try:
            transport = connect(address, login, known_hosts, deadline, through=through)
        except BaseException:
            self._uncarry(carrier)
            if not fresh and not carrier.transport.is_active():
                self._drop(way, carrier)  # it had died unnoticed: once more with a new one
                return self._made(identity, deadline)
            raise
        return _Connection(transport, busy=1, carrier=carrier)

    def _carrier(self, way: Identity, hop: Hop, deadline: Deadline) -> tuple[_Connection, bool]:
        """Give a connection to a jump host that carries one more; whether it is new."""
        try:
            with self._lock:
                kept = self._kept.get(way, ())
                alive = next((one for one in kept if one.transport.is_active()), None)
                if alive is not None:
                    alive.carried += 1
                    return alive, False
            connection, fresh = self._take(way, deadline)
        except NotReachedError as error:
            text = f"the jump host {hop.host}: {error}"
            raise NotReachedError(text, cause=error.cause) from error
        with self._lock:
            connection.carried += 1
        self._give_back(connection)
        return connection, fresh

    def _uncarry(self, connection: _Connection) -> None:
        with self._lock:
            connection.carried -= 1
            connection.used = time.monotonic()
            last = connection.dropped and not connection.busy and not connection.carried
        if last:
            self._end(connection)

    def _end(self, connection: _Connection) -> None:
        connection.transport.close()
        carrier, connection.carrier = connection.carrier, None
        if carrier is not None:
            self._uncarry(carrier)

    def _free(self, identity: Identity) -> _Connection | None:
        with self._lock:
            for connection in self._kept.get(identity, ()):
                if connection.busy < CHANNELS and connection.transport.is_active():
                    connection.busy += 1
                    return connection
        return None

    def _give_back(self, connection: _Connection) -> None:
        with self._lock:
            connection.busy -= 1
            connection.used = time.monotonic()
            last = connection.dropped and not connection.busy and not connection.carried
        if last:
            self._end(connection)

    def _drop(self, identity: Identity, connection: _Connection) -> None:
        with self._lock:
            connection.dropped = True
            if connection in self._kept.get(identity, ()):
                self._kept[identity].remove(connection)

    @contextlib.contextmanager
    def way(self, via: tuple[Hop, ...], seconds: float) -> Iterator[paramiko.Transport]:
        """Log in to all jump hosts, and give the connection to the last while it is wanted.

        Raises:
            NotReachedError: one of them cannot be reached or logged into.
        """
        *before, last = via
        way = (last.address, last.login, last.known_hosts, tuple(before))
        carrier, _ = self._carrier(way, last, Deadline(seconds))
        try:
            yield carrier.transport
        finally:
            self._uncarry(carrier)

    def sweep(self) -> None:
        """Close what died, what is idle too long, and the longest idle above the number kept."""
        now = time.monotonic()
        with self._lock:
            idle = [
                (identity, connection)
                for identity, connections in self._kept.items()
                for connection in connections
                if not connection.busy and not connection.carried
            ]
            idle.sort(key=lambda pair: pair[1].used)
            spare = max(0, len(idle) - IDLE_KEPT)
            closing = [
                (identity, connection)
                for place, (identity, connection) in enumerate(idle)
                if place < spare
                or now - connection.used > IDLE_FOR
                or not connection.transport.is_active()
            ]
            for identity, connection in closing:
                self._kept[identity].remove(connection)
                if not self._kept[identity]:
                    del self._kept[identity]
        for _, connection in closing:
            self._end(connection)

    def close(self) -> None:
        """Close everything."""
        with self._lock:
            connections = [c for kept in self._kept.values() for c in kept]
            self._kept.clear()
        for connection in connections:
            self._end(connection)


def _talk(
    channel: paramiko.Channel,
    script: bytes,
    deadline: Deadline,
    limit: int,
    watch: Callable[[bytes], None] | None,
) -> Ran:
    """Send the script, read both streams to their end, give the exit code."""
    channel.settimeout(deadline.left)
    bound(channel, deadline)
    channel.exec_command(COMMAND)
    channel.sendall(script)
    channel.shutdown_write()
    out, err = bytearray(), bytearray()
    seen = 0
    while not deadline.passed:
        channel.settimeout(min(_TICK, deadline.left))
        try:
            data = channel.recv(_CHUNK)
        except TimeoutError:
            data = None
        while channel.recv_stderr_ready():
            more = channel.recv_stderr(_CHUNK)
            err += more[: limit - len(err)]
            seen += len(more)
        if data:
            out += data[: limit - len(out)]
            seen += len(data)
            if watch:
                watch(bytes(out))
        if data == b"" or seen > limit * _FLOOD:
            break
    else:
        return Ran(-1, bytes(out), bytes(err), timed_out=True, truncated=seen > len(out) + len(err))
    truncated = seen > len(out) + len(err)
    if seen > limit * _FLOOD:
        return Ran(-1, bytes(out), bytes(err), truncated=truncated)
    if not channel.status_event.wait(deadline.left):  # it closed its output and goes on
        return Ran(-1, bytes(out), bytes(err), timed_out=True, truncated=truncated)
    code = channel.recv_exit_status()
    whole = channel.eof_received and channel.transport and channel.transport.is_active()
    if code == -1 and not whole:
        raise EOFError("closed before the command ended")
    return Ran(code, bytes(out), bytes(err), truncated=truncated)
