"""One SSH connection, made: reach the host, know its key, be let in; all by one deadline.

A jump host is reached in the same way, and the next one through a channel of it.

Host keys are never learnt here: an unknown or a changed one is refused with what a person does
about it. Nothing is run and nothing is kept.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paramiko

from monitord.errors import NotReachedError
from monitord.model.catalog import Hop, SshLogin
from monitord.model.result import Cause
from monitord.model.text import one_line
from monitord.transports import certificates

SYSTEM_HOSTS = Path("/etc/ssh/ssh_known_hosts")
_KEEPALIVE = 30  # seconds: a NAT keeps the way open
_UNACKNOWLEDGED = 20_000  # ms after which the kernel gives up a peer that is gone without a word
_PORT = 22
_PROHIBITED = 1  # SSH_OPEN_ADMINISTRATIVELY_PROHIBITED (RFC 4254, 5.1)


class Deadline:
    """A point on the monotonic clock by which all must be done."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; never below 1 ms, so that it may be used as a time limit."""
        return max(0.001, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether nothing is left."""
        return time.monotonic() >= self._end


class _Answered(threading.Event):
    """The answer to a request on a channel: whoever waits for it gives up at the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def wait(self, timeout: float | None = None) -> bool:
        if super().wait(self._deadline.left if timeout is None else timeout):
            return True
        raise paramiko.SSHException("no answer to a request")


def bound(channel: paramiko.Channel, deadline: Deadline) -> None:
    """Have requests on a channel (a command, a shell, a terminal) wait no longer than this.

    paramiko waits without end for the answer to one, whatever the channel's time limit is: a host
    that hangs between opening a channel and beginning a command would keep our thread for ever.
    """
    channel.event = _Answered(deadline)


def connect(
    address: str,
    login: SshLogin,
    known_hosts: str,
    deadline: Deadline,
    password: str = "",
    *,
    through: tuple[Hop, paramiko.Transport] | None = None,
) -> paramiko.Transport:
    """Give a connection that is logged in; with a password that is used, and no key.

    `through` is the last jump host and the connection to it; what it passes on is encrypted from
    here to the host, whose own key is compared as always.

    Raises:
        NotReachedError: it cannot be had; `cause` is transport, resolver, timeout or login.
    """
    place = f"{login.user}@{address}" + (f":{login.port}" if login.port != _PORT else "")
    sock: socket.socket | paramiko.Channel
    if through is None:
        sock = _reach(address, login.port, place, deadline)
    else:
        hop, carrier = through
        place += f" through {hop.host}"
        sock = passed_on(carrier, address, login.port, place, deadline)
    try:
        transport = paramiko.Transport(sock)
    except BaseException:
        sock.close()
        raise
    try:
        with _told(place, deadline):
            asked = f"ssh {through[0].login.user}@{through[0].address} " if through else ""
            _negotiate(transport, address, login.port, known_hosts, deadline, asked)
            if password:
                transport.auth_timeout = deadline.left
                transport.auth_password(login.user, password)
            else:
                _log_in(transport, login, place, deadline)
    except BaseException:
        transport.close()
        raise
    transport.set_keepalive(_KEEPALIVE)
    return transport


def _reach(address: str, port: int, place: str, deadline: Deadline) -> socket.socket:
    try:
        sock = socket.create_connection((address, port), timeout=deadline.left)
    except TimeoutError:
        raise NotReachedError(f"{place}: no answer to connect", cause=Cause.TIMEOUT) from None
    except socket.gaierror as error:
        unknown = error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", -5)}
        cause = Cause.TRANSPORT if unknown else Cause.RESOLVER
        raise NotReachedError(f"{place}: {error.strerror}", cause=cause) from None
    except OSError as error:
        raise NotReachedError(
            f"{place}: {error.strerror or error}", cause=Cause.TRANSPORT
        ) from None
    # Without it each command waits for a delayed acknowledgement: 47 ms instead of 3.4 (measured).
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED)
    return sock


def passed_on(
    carrier: paramiko.Transport, address: str, port: int, place: str, deadline: Deadline
) -> paramiko.Channel:
    """Have a jump host connect to an address.

    Raises:
        NotReachedError: it does not; whether it must not or cannot is told.
    """
    try:
        return carrier.open_channel(
            "direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=deadline.left
        )
    except paramiko.ChannelException as error:
        forbidden = error.code == _PROHIBITED
        why = "it must not pass on (AllowTcpForwarding, PermitOpen)" if forbidden else error.text
        cause = Cause.LOGIN if forbidden else Cause.TRANSPORT
        text = f"{place}: the jump host does not connect to it: {one_line(why, 120)}"
        raise NotReachedError(text, cause=cause) from error
    except (paramiko.SSHException, OSError, EOFError) as error:
        cause = Cause.TIMEOUT if deadline.passed else Cause.TRANSPORT
        why = "no answer to connect" if deadline.passed else f"the jump host broke off: {error}"
        raise NotReachedError(f"{place}: {why}", cause=cause) from error


@contextlib.contextmanager
def _told(place: str, deadline: Deadline) -> Iterator[None]:
    """Turn what paramiko raises into one error with its cause."""
    try:
        yield
    except paramiko.AuthenticationException as error:
        text = f"{place}: the login was refused: {error}"
        raise NotReachedError(text, cause=Cause.LOGIN) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        if deadline.passed:
            text, cause = f"{place}: reached, but the login took too long", Cause.TIMEOUT
        else:
            text, cause = f"{place}: reached, but it does not speak SSH: {error}", Cause.TRANSPORT
        raise NotReachedError(text, cause=cause) from error


def _negotiate(
    transport: paramiko.Transport,
    address: str,
    port: int,
    known_hosts: str,
    deadline: Deadline,
    asked: str,
) -> None:
    """Agree on keys, asking for the kind of host key that we know, and compare it.

    `asked` is the command, if any, by which somebody asks from where the host is reached.
    """
    name = address if port == _PORT else f"[{address}]:{port}"
    known, files = _known_keys(name, known_hosts)
    options = transport.get_security_options()
    wanted = [kind for kind in options.key_types if _kind(kind) in known]
    if wanted:
        options.key_types = tuple(wanted)
    transport.banner_timeout = deadline.left
    transport.start_client(timeout=deadline.left)
    if deadline.passed:
        raise paramiko.SSHException("negotiation")
    offered = transport.get_remote_server_key()
    expected = known.get(offered.get_name())
    if expected is not None and expected.asbytes() == offered.asbytes():
        return
    raise NotReachedError(_distrust(name, offered, known, files, asked), cause=Cause.LOGIN)


def _kind(algorithm: str) -> str:
    """Give the kind of key behind a signature algorithm (RSA has three)."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm


def _known_keys(name: str, known_hosts: str) -> tuple[dict[str, paramiko.PKey], list[str]]:
    """Read the keys of one host, by kind, and the files that were looked at."""
    own = Path(known_hosts or "~/.ssh/known_hosts").expanduser()
    files = [own] if known_hosts else [own, SYSTEM_HOSTS]
    keys: dict[str, paramiko.PKey] = {}
    for file in files:
        if not file.exists():
            continue
        try:
            found = paramiko.HostKeys(str(file)).lookup(name)
        except (OSError, UnicodeDecodeError, paramiko.SSHException) as error:
            raise NotReachedError(f"{file} cannot be read: {error}", cause=Cause.LOGIN) from error
        keys = {**dict(found.items() if found else ()), **keys}
    return keys, [str(file) for file in files]


def _distrust(
    name: str,
    offered: paramiko.PKey,
    known: dict[str, paramiko.PKey],
    files: list[str],
    asked: str,
) -> str:
    print_ = offered.fingerprint
    kind = offered.get_name()
    if known:
        return (
            f"CRITICAL: the host key of {name} has CHANGED: it offers {kind} {print_}, {files[0]}"
            " knows another. Somebody may stand in between, or the host was set up anew. Ask who"
            f" runs it; only then: ssh-keygen -R '{name}' -f {files[0]}, and add the new key"
        )
    host, _, port = name.removeprefix("[").partition("]:")
    scan = f"ssh-keyscan -p {port} {host}" if port else f"ssh-keyscan {host}"
    return (
        f"the host key of {name} is unknown ({kind} {print_}; looked in {', '.join(files)})."
        f" Compare it on the host (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then trust it:"
        f" {asked}{scan} >> {files[0]}"
    )


def _log_in(transport: paramiko.Transport, login: SshLogin, place: str, deadline: Deadline) -> None:
    keys = [_key_file(login.key, place)] if login.key else list(_agent_keys(place))
    refusal: paramiko.AuthenticationException | None = None
    for key in keys:
        transport.auth_timeout = deadline.left
        try:
            transport.auth_publickey(login.user, key)
        except paramiko.AuthenticationException as error:
            refusal = error
            if deadline.passed or not transport.is_active():
                break
        if transport.is_authenticated():
            return
    cure = f"put the public key into ~{login.user}/.ssh/authorized_keys there"
    if login.key:
        cure = certificates.why_refused(Path(login.key).expanduser(), login.user) or cure
    raise NotReachedError(
        f"{place}: the host takes none of our keys ({_tried(login, keys)}): {refusal}; {cure}",
        cause=Cause.TIMEOUT if deadline.passed else Cause.LOGIN,
    )


def _tried(login: SshLogin, keys: list[paramiko.PKey]) -> str:
    return f"{login.key}, {keys[0].fingerprint}" if login.key else f"{len(keys)} of the agent"


def _key_file(path: str, place: str) -> paramiko.PKey:
    try:
        return paramiko.PKey.from_path(os.path.expanduser(path))  # noqa: PTH111 - paramiko takes a text
    except paramiko.PasswordRequiredException:
        text = (
            f"{place}: the key {path} has a passphrase; load it into an agent and leave `key` out"
        )
        raise NotReachedError(text, cause=Cause.LOGIN) from None
    except (
        OSError,
        ValueError,
        TypeError,
        paramiko.SSHException,
        paramiko.UnknownKeyType,  # type: ignore[attr-defined] # the stubs lack it
    ) as error:
        text = f"{place}: the key {path} cannot be read: {error}"
        raise NotReachedError(text, cause=Cause.LOGIN) from error


def _agent_keys(place: str) -> tuple[paramiko.PKey, ...]:
    keys: tuple[paramiko.PKey, ...] = tuple(paramiko.Agent().get_keys())
    if not keys:
        text = f"{place}: no `key` is given and no SSH agent holds one (SSH_AUTH_SOCK)"
        raise NotReachedError(text, cause=Cause.LOGIN)
    return keys
