"""YAML is read by a child, forked by a process that was forked before any thread existed.

Parsing 10,000 checks takes a second of one core; a fork of the executor itself, with paramiko's
threads in it, could inherit a lock that nobody ever opens. It reads; it judges nothing.
"""

import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

from monitord import config
from monitord.errors import ConfigError, MonitordError
from monitord.model.kinds import Kinds

_DEADLINE = 120  # seconds that reading may take; a FIFO or a dead mount among the files ends there
_CHUNK = 1 << 20


class ParserLostError(MonitordError):
    """The parsing process is gone; the executor must be started again."""


class Parser:
    """The forked process, seen from the executor. Make it before the event loop and any thread."""

    def __init__(self, path: Path, kinds: Kinds) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            _serve(theirs, path, kinds)
        theirs.close()
        self._socket = ours

    async def parse(self) -> dict[str, Any]:
        """Read and check the files.

        Gives `{"sources": …}`, or `{"problems": [[file, line, column, text], …]}`.

        Raises:
            ParserLostError: the child died or took longer than 120 s.
        """
        reader, writer = os.pipe2(os.O_CLOEXEC)
        try:
            socket.send_fds(self._socket, [b"p"], [writer])
        except OSError as error:
            os.close(reader)
            raise ParserLostError("the parsing process is gone: restart the executor") from error
        finally:
            os.close(writer)
        text = await _read_all(reader)
        if not text:
            raise ParserLostError(f"the configuration was not read within {_DEADLINE} s")
        answer: dict[str, Any] = await asyncio.to_thread(json.loads, text)
        return answer

    def close(self) -> None:
        """Let the process end (it waits for our end of the socket) and reap it."""
        self._socket.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


async def _read_all(fd: int) -> bytes:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb")
    )
    try:
        return await reader.read()
    finally:
        transport.close()


def _serve(requests: socket.socket, path: Path, kinds: Kinds) -> None:
    """Fork one child per request until the executor closes its end; never returns."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends when its executor does
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        try:
            message, fds, _, _ = socket.recv_fds(requests, 1, 1)
        except OSError:
            os._exit(1)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(_DEADLINE)
            _answer(fds[0], path, kinds)
            os._exit(0)
        for fd in fds:
            os.close(fd)


def _answer(fd: int, path: Path, kinds: Kinds) -> None:
    gc.disable()
    try:
        sources = config.read(path)
        config.assemble(sources, kinds)
        answer: dict[str, Any] = {"sources": sources.to_json()}
    except ConfigError as error:
        answer = {"problems": [[p.file, p.line, p.column, p.text] for p in error.problems]}
    except Exception as error:  # noqa: BLE001 - whatever broke must reach the person who asked
        answer = {"problems": [[str(path), 1, 1, f"cannot be read: {error!r}"]]}
    with os.fdopen(fd, "wb") as pipe:
        pipe.write(json.dumps(answer, separators=(",", ":")).encode())
