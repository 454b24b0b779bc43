"""One session with a network device over SSH: lines typed one by one, each answer read and judged.

The connection is made as every other of ours, so that a host key is never learnt here; netmiko,
which is imported only when a device is spoken to, then knows the family's ways with terminals.
Blocking, for worker threads; all waiting ends with the one deadline. It keeps nothing.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import paramiko

from monitord.errors import NotReachedError
from monitord.model.catalog import SshLogin
from monitord.model.dialect import Dialect
from monitord.model.result import Cause
from monitord.model.text import block, one_line
from monitord.transports.ssh_connect import Deadline, bound, connect

LIMIT = 1 << 20
"""Bytes that a device may say in one session."""
_WIDTH, _HEIGHT = 511, 1000


@dataclass(frozen=True, slots=True)
class Said:
    """What came of the lines: a transcript, and the refusal or the silence that ended it.

    After a refusal nothing more was typed. `lost` means that nobody can know what took effect.
    """

    transcript: str
    refused: str = ""
    lost: str = ""


class _EndedError(Exception):
    """The session is over before its work: the text says why."""


class _Watched:
    """A channel as netmiko reads it, which ends with the deadline, a flood, or the far side."""

    def __init__(self, channel: paramiko.Channel, deadline: Deadline) -> None:
        self._channel, self._deadline = channel, deadline
        self._seen = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def recv_ready(self) -> bool:
        if self._deadline.passed:
            raise _EndedError("no answer within the time")
        if self._channel.recv_ready():
            return True
        if self._channel.closed or self._channel.eof_received:
            raise _EndedError("the device ended the session")
        return False

    def recv(self, size: int) -> bytes:
        data = self._channel.recv(size)
        self._seen += len(data)
        if self._seen > LIMIT:
            raise _EndedError(f"more than {LIMIT} bytes were said (ask for less)")
        return data

    def sendall(self, data: bytes) -> None:
        self._channel.settimeout(self._deadline.left)
        try:
            self._channel.sendall(data)
        except OSError as error:
            raise _EndedError(f"the connection broke: {error or 'closed'}") from error


class _Opened(paramiko.SSHClient):
    """A client that is connected already: netmiko asks it to connect, and only opens a shell."""

    def __init__(self, transport: paramiko.Transport, deadline: Deadline) -> None:
        super().__init__()
        self.set_missing_host_key_policy(paramiko.RejectPolicy())
        self._transport, self._deadline = transport, deadline

    def connect(self, *_: Any, **__: Any) -> None:
        """Stay as it is: reached, its key compared, logged in."""

    def invoke_shell(self, *_: Any, **__: Any) -> Any:
        """Give the device's command line."""
        channel = self._transport.open_session(timeout=self._deadline.left)
        channel.settimeout(self._deadline.left)
        bound(channel, self._deadline)
        channel.get_pty("vt100", _WIDTH, _HEIGHT)
        channel.invoke_shell()
        return _Watched(channel, self._deadline)


class Session:
    """A device that has shown its prompt; nothing was asked of it yet."""

    def __init__(self, connection: Any, dialect: Dialect, deadline: Deadline) -> None:
        self._connection, self._dialect, self._deadline = connection, dialect, deadline
        self._first = connection.find_prompt(pattern=f"(?m:^{dialect.prompt_of('')}$)")
        name = dialect.name_in(self._first)
        self._expected = f"(?m:^{dialect.prompt_of(name)}$)"
        self._prompt = self._first
        for line in dialect.opening:
            self._answer(line)

    def ask(self, line: str) -> Said:
        """Type one command; the transcript is its answer alone."""
        try:
            answer = self._answer(line)
        except _EndedError as error:
            return Said("", lost=str(error))
        return Said(answer, refused=self._dialect.refused(answer))

    def carry_out(self, commands: tuple[str, ...], configure: tuple[str, ...], save: bool) -> Said:
        """Type the lines until the device refuses one; leave its configuration again."""
        told: list[str] = []
        try:
            refused = self._commands(commands, told) if commands else ""
            if configure:
                refused = self._configure(configure, told)
            if save and not refused:
                refused = self._typed(self._dialect.save, told, must=self._dialect.saved)
        except _EndedError as error:
            return Said("\n".join(told), lost=str(error))
        return Said("\n".join(told), refused)

    def _commands(self, lines: tuple[str, ...], told: list[str]) -> str:
        for line in lines:
            if refused := self._typed(line, told):
                return refused
            if self._prompt != self._first:
                return f"{line}: it left the prompt {self._first} for {self._prompt}"
        return ""

    def _configure(self, lines: tuple[str, ...], told: list[str]) -> str:
        dialect = self._dialect
        refused = self._typed(dialect.enter, told)
        if not refused and dialect.configuring not in self._prompt:
            refused = f"{dialect.enter}: it stayed at the prompt {self._prompt}"
        for number, line in enumerate(() if refused else lines):
            if refused := self._typed(line, told):
                refused += f" ({number} of {len(lines)} lines were taken before)"
                break
            if dialect.configuring not in self._prompt:
                return f"{line}: it left the configuration for {self._prompt}"
        if dialect.configuring in self._prompt:
            left = self._typed(dialect.abandon if refused else dialect.leave, told)
            refused = refused or left
        return refused

    def _typed(self, line: str, told: list[str], *, must: str = "") -> str:
        """Type a line and note it; give why it counts as refused, or nothing."""
        told.append(f"{self._prompt} {line}")
        answer = self._answer(line)
        if answer:
            told.append(answer)
        refused = self._dialect.refused(answer)
        if must and not refused and not re.search(must, answer):
            refused = one_line(answer, 200) or "no word that it was done"
        return f"{line}: {refused}" if refused else ""

    def _answer(self, line: str) -> str:
        connection = self._connection
        connection.read_timeout_override = self._deadline.left
        with _ended():
            heard = connection.send_command(
                line, expect_string=self._expected, strip_prompt=False, strip_command=True
            )
        answer, _, prompt = str(heard).rstrip().rpartition("\n")
        self._prompt = prompt.strip()
        return block(answer, LIMIT)

    def close(self) -> None:
        """End the session at once; also from another thread."""
        client = self._connection.remote_conn_pre
        if client is not None:
            client.close()
        self._connection.disconnect()  # nothing is sent any more; netmiko forgets it


def open_session(
    address: str,
    login: SshLogin,
    known_hosts: str,
    dialect: Dialect,
    deadline: Deadline,
    password: str = "",
) -> Session:
    """Log in to a device and wait for its prompt.

    Raises:
        NotReachedError: netmiko is missing, the device cannot be reached, its key is not the known
            one, it lets us not in, or it shows no prompt; nothing was asked of it.
    """
    kind = _netmiko(dialect)
    place = f"{login.user}@{address}"
    transport = connect(address, login, known_hosts, deadline, password)
    connection = kind(
        host=address, username=login.user, device_type=dialect.device_type, ssh_strict=True,
        auto_connect=False, read_timeout_override=deadline.left,
    )  # fmt: skip
    connection._build_ssh_client = lambda: _Opened(transport, deadline)  # noqa: SLF001 - what its own drivers replace
    try:
        with _ended():
            connection._open()  # noqa: SLF001 - the half of connecting that auto_connect left out
            return Session(connection, dialect, deadline)
    except BaseException as error:
        transport.close()
        connection.disconnect()
        if not isinstance(error, _EndedError):
            raise
        late = deadline.passed
        why = "it showed no prompt in time" if late else f"it showed no prompt: {error}"
        text = f"{place}: logged in, but {why} (does its command line speak {dialect.name}?)"
        raise NotReachedError(text, cause=Cause.TIMEOUT if late else Cause.TRANSPORT) from error


def _netmiko(dialect: Dialect) -> Any:
    try:
        from netmiko.ssh_dispatcher import ssh_dispatcher
    except ImportError:
        text = "netmiko, which network devices need, is missing: pip install 'monitord[network]'"
        raise NotReachedError(text, cause=Cause.MISSING) from None
    return ssh_dispatcher(dialect.device_type)


@contextmanager
def _ended() -> Iterator[None]:
    """Turn what netmiko raises about a silent or strange device into one error."""
    from netmiko.exceptions import NetmikoBaseException

    try:
        yield
    except NetmikoBaseException as error:
        raise _EndedError(f"no prompt came back: {one_line(str(error), 120)}") from error
    except (ValueError, paramiko.SSHException, OSError, EOFError) as error:
        raise _EndedError(str(error) or "closed") from error
