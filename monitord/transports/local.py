"""Children of this machine: started with posix_spawn, watched by pidfd, bounded and ended in time.

It runs one argv in a session of its own with a cleared environment, and gives what it left. It does
not judge; a child that hangs, floods or leaves children costs its deadline and nothing else.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psutil

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PLUGINS = "/usr/lib/nagios/plugins:/usr/lib64/nagios/plugins:/usr/lib/monitoring-plugins"
LIMIT = 65_536
"""Bytes kept of each stream."""
_FLOOD = 64  # times the limit: who writes more is ended, reading it would cost us a core
_LAST_WORDS = 0.5  # seconds for a killed child to go; one stuck in the kernel is left behind
_ROUNDS = 5  # looks for descendants that were started between a look and the stop
_NOT_FOUND = 127  # what a shell says
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Ran:
    """What a child left. `exit_code` is negative for a signal; streams are cut at their limit.

    `flooded` is the number of bytes after which it was ended for writing more, or 0.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False
    truncated: bool = False
    flooded: int = 0


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give the whole environment of a child: nothing of ours but the home directory."""
    home = os.environ.get("HOME", "/")
    return {"PATH": f"{PATH}:{PLUGINS}", "HOME": home, "LC_ALL": "C", **(more or {})}


async def run(
    argv: Sequence[str],
    *,
    timeout: float,  # noqa: ASYNC109 - the deadline kills the child; cancelling alone would not
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    limit: int = LIMIT,
    watch: Callable[[bytes], None] | None = None,
    whole: bool = False,
) -> Ran:
    """Run `argv` (no shell) for `timeout` seconds at most; its process group ends with it.

    `whole`: where it is ended by us, so are its descendants in sessions of their own. Not for what
    starts steps: those outlive it.

    `limit` bounds each stream; a child that writes 64 times as much is ended. `watch` is called
    with standard output so far whenever more came.
    """
    try:
        child = _Child(argv, environment(env), stdin, limit, watch, whole=whole)
    except OSError as error:
        return Ran(_NOT_FOUND, b"", f"{argv[0]}: {error.strerror}".encode())
    loop = asyncio.get_running_loop()
    clock = loop.call_later(timeout, child.expire)
    try:
        return await child.ended
    finally:
        clock.cancel()
        child.end()


class _Child:
    """One process on its way: its pipes, its pidfd and the future of its end."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        stdin: bytes,
        limit: int,
        watch: Callable[[bytes], None] | None,
        *,
        whole: bool,
    ) -> None:
        self._whole = whole
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[Ran] = self._loop.create_future()
        self._limit, self._watch = limit, watch
        self._kept = (bytearray(), bytearray())
        self._seen = 0
        self._expired = False
        self._flooded = 0
        self._reaped = False
        self._pid, self._pipes = _spawn(argv, env, stdin)
        self._pidfd = os.pidfd_open(self._pid)
        self._loop.add_reader(self._pidfd, self._exited)
        for stream, pipe in enumerate(self._pipes):
            self._loop.add_reader(pipe, self._read, stream)

    def _read(self, stream: int) -> bool:
        """Take one chunk; False at the end of the stream or when there is nothing now."""
        try:
            data = os.read(self._pipes[stream], _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self._pipes[stream])
            return False
        kept = self._kept[stream]
        kept += data[: self._limit - len(kept)]
        self._seen += len(data)
        if self._watch and stream == 0:
            self._watch(bytes(kept))
        if self._seen > self._limit * _FLOOD:
            self._flooded = self._limit * _FLOOD
            self.end()
            return False
        return True

    def end(self) -> None:
        """End it before its time: the process group, and with `whole` all that descends from it."""
        strays = _frozen(self._pid) if self._whole and not self._reaped else ()
        self.kill()
        for stray in strays:
            with contextlib.suppress(psutil.Error):
                stray.kill()

    def kill(self) -> None:
        """End the process group; what a child that is gone has left elsewhere is out of reach."""
        if not self._reaped:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)

    def expire(self) -> None:
        """The deadline: kill, and do not wait long for the body."""
        self._expired = True
        self.end()
        self._loop.call_later(_LAST_WORDS, self._finish, -signal.SIGKILL)

    def _exited(self) -> None:
        # Kill what the group still holds before the leader is reaped: until then its id is ours.
        self.kill()
        for stream in (0, 1):
            while not self.ended.done() and self._read(stream):
                pass
        _, status = os.waitpid(self._pid, 0)
        self._reaped = True
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._finish(os.waitstatus_to_exitcode(status))

    def _finish(self, code: int) -> None:
        if self.ended.done():
            return
        for pipe in self._pipes:
            self._loop.remove_reader(pipe)
            os.close(pipe)
        truncated = self._seen > sum(map(len, self._kept))
        out, err = map(bytes, self._kept)
        self.ended.set_result(Ran(code, out, err, self._expired, truncated, self._flooded))


def _frozen(pid: int) -> set[psutil.Process]:
    """Stop a process with all that descends from it, so that none starts another; give them."""
    found: set[psutil.Process] = set()
    with contextlib.suppress(psutil.Error):  # it has just ended by itself
        leader = psutil.Process(pid)
        leader.suspend()
        for _ in range(_ROUNDS):
            fresh = set(leader.children(recursive=True)) - found
            for one in fresh:
                with contextlib.suppress(psutil.Error):  # ended meanwhile, or another user's
                    one.suspend()
            found |= fresh
            if not fresh:
                break
    return found


def _spawn(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> tuple[int, list[int]]:
    """Start the child in a new session; give its pid and our ends of its output."""
    source = os.memfd_create("stdin") if stdin else os.open("/dev/null", os.O_RDONLY)
    ours, theirs = [], []
    try:
        if stdin:
            _write_all(source, stdin)
        for _ in range(2):
            reader, writer = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(reader, False)
            ours.append(reader)
            theirs.append(writer)
        moves = [(os.POSIX_SPAWN_DUP2, fd, to) for to, fd in enumerate((source, *theirs))]
        everything = set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}
        pid = os.posix_spawnp(
            argv[0],
            list(argv),
            env,
            file_actions=moves,
            setsid=True,
            setsigmask=(),
            setsigdef=everything,
        )
    except BaseException:
        for fd in ours:
            os.close(fd)
        raise
    finally:
        for fd in (source, *theirs):
            os.close(fd)
    return pid, ours


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
