"""The `smb` probe: logs in to a file server (Samba, Windows), opens a share, reads a probe file.

A refused login is UNKNOWN: the password may be ours to mend. It reads one file and writes nothing.
"""

import asyncio
import struct
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from monitord.errors import BusyError, SecretError
from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Library, SecretText, Spec
from monitord.model.text import one_line
from monitord.probes import blocking
from monitord.probes.credentials import quote, reveal
from monitord.probes.network.connect import explain, patience
from monitord.probes.network.latency import Latency, judge_latency, show
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.verdict import Finding, verdict

_ALONE = 30.0  # seconds: where only the caller knows the deadline
_MARGIN = 0.2  # seconds that the library has less than we, so that its thread ends first
_READ = 65_536  # bytes of the file: one message of the protocol, which any server grants


def _share(text: str) -> str:
    if not text or any(sign in '\\/:*?"<>|' or ord(sign) < ord(" ") for sign in text):
        raise ValueError(f"{text!r} is not the name of a share (write public, without slashes)")
    return text


def _file(text: str) -> str:
    path = text.replace("/", "\\").strip("\\")
    if not path or ".." in path.split("\\"):
        raise ValueError(f"{text!r} is not a file below the share (write folder/probe.txt)")
    return path


class SmbSpec(Spec):
    """A share of a file server, by reading a file in it. SMB 2 and 3; SMB 1 is not spoken."""

    example: ClassVar[str] = """\
smb:
  share: public
  file: monitoring/probe.txt
  user: EXAMPLE\\monitor
  password: !secret env:SMB_PASSWORD
  contains: alive
  critical: 5s
"""
    library: ClassVar[Library | None] = Library("smbprotocol", "smb")
    rhythm: ClassVar[Mapping[str, str | int]] = {
        "every": "2m", "retry_every": "30s", "attempts": 3, "timeout": "15s"
    }  # fmt: skip

    share: Annotated[str, AfterValidator(_share)] = Field(
        description="The share's name.", examples=["public"]
    )
    file: Annotated[str, AfterValidator(_file)] = Field(
        description="A file in it, which the user may read.", examples=["monitoring/probe.txt"]
    )
    user: str = Field(description="Who logs in.", examples=["monitor", "EXAMPLE\\monitor"])
    password: SecretText = Field(
        description="The user's password.", examples=["!secret env:SMB_PASSWORD"]
    )
    contains: str = Field("", description="A text that the file must contain.", examples=["alive"])
    encrypt: bool = Field(default=False, description="Whether the server must encrypt (SMB 3).")
    port: int = Field(445, ge=1, le=65535, description="The server's port.")
    warning: Latency | None = Field(
        None, description="WARNING when all of it takes longer, in seconds.", examples=["1s"]
    )
    critical: Latency | None = Field(
        None, description="CRITICAL when all of it takes longer, in seconds.", examples=["5s"]
    )


@dataclass(frozen=True, slots=True)
class _Login:
    host: str
    user: str
    password: str
    within: float


async def probe(spec: SmbSpec, target: Target) -> Sequence[Result]:
    """Log in, open, read; see NetworkProbe for the contract."""
    thing = rf"\\{one_line(target.address, 80)}\{one_line(spec.share, 60)}"
    within = patience(target.timeout) or _ALONE
    began = perf_counter()
    try:
        password = reveal(spec.password)
        login = _Login(target.address, spec.user, password, max(within - _MARGIN, within / 2))
        async with asyncio.timeout(within):
            said = await blocking.run(lambda: read_file(spec, login))
    except UnreachedError as error:
        return [error.result(thing)]
    except (SecretError, BusyError) as error:
        cause = Cause.MISSING if isinstance(error, SecretError) else Cause.PROBE
        return [Result.unknown(f"{thing}: {error}", cause)]
    except TimeoutError:
        return [Result.critical(f"{thing}: no answer within {show(within)}")]
    return [judge(spec, thing, said, perf_counter() - began, password)]


def judge(spec: SmbSpec, thing: str, said: bytes, took: float, password: str) -> Result:
    """Hold what the file says, and the seconds that it took, against the spec."""
    findings: list[Finding | None] = [judge_latency(spec, took)]
    name = one_line(spec.file, 80)
    if spec.contains and spec.contains.encode() not in said:
        wanted, begins = one_line(spec.contains, 60), quote(said, (password,), 60)
        text = f'{name} has no "{wanted}"; it begins {begins}'
        findings.append((Status.CRITICAL, text))
    warning, critical = (limit.text if limit else "" for limit in (spec.warning, spec.critical))
    measured = (
        Measurement("time", took, "s", warning, critical, 0.0),
        Measurement("size", len(said), "B", minimum=0),
    )
    return verdict(thing, findings, f"{name} read in {show(took)}, {len(said)} B", measured)


def read_file(spec: SmbSpec, login: _Login) -> bytes:
    """Give the file's first bytes. It blocks, for `login.within` seconds at most.

    Raises:
        UnreachedError: with the sentence, and whose fault it is.
    """
    from smbprotocol.connection import Connection
    from smbprotocol.exceptions import SMBException
    from smbprotocol.session import Session
    from spnego.exceptions import SpnegoError

    connection = Connection(uuid.uuid4(), login.host, spec.port)
    ended = threading.Event()

    def end() -> None:
        # The library waits without limit for most answers: the closed connection ends that wait.
        ended.set()
        if connection.transport is not None:
            connection.transport.close()

    timer = threading.Timer(login.within, end)
    timer.daemon = True
    timer.start()
    try:
        connection.connect(timeout=login.within)
        session = Session(
            connection, login.user, login.password, require_encryption=spec.encrypt,
            auth_protocol="ntlm",
        )  # fmt: skip
        session.connect()
        return _read(spec, session, login)
    except (SMBException, SpnegoError, OSError, ValueError, struct.error) as error:
        if ended.is_set():
            raise UnreachedError(f"no answer within {show(login.within)}") from None
        raise _worded(error, spec, login) from error
    finally:
        timer.cancel()
        connection.disconnect(close=False)


def _read(spec: SmbSpec, session: object, login: _Login) -> bytes:
    from smbprotocol.open import (
        CreateDisposition,
        CreateOptions,
        FileAttributes,
        FilePipePrinterAccessMask,
        ImpersonationLevel,
        Open,
        ShareAccess,
    )
    from smbprotocol.tree import TreeConnect

    tree = TreeConnect(session, rf"\\{login.host}\{spec.share}")
    tree.connect()
    opened = Open(tree, spec.file)
    opened.create(
        ImpersonationLevel.Impersonation,
        FilePipePrinterAccessMask.GENERIC_READ,
        FileAttributes.FILE_ATTRIBUTE_NORMAL,
        ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE,
        CreateDisposition.FILE_OPEN,
        CreateOptions.FILE_NON_DIRECTORY_FILE,
    )
    size = min(int(opened.end_of_file), _READ)
    return bytes(opened.read(0, size)) if size else b""


def _worded(error: Exception, spec: SmbSpec, login: _Login) -> UnreachedError:
    from smbprotocol import exceptions as smb
    from spnego.exceptions import SpnegoError

    if isinstance(error.__cause__, OSError):
        return explain(error.__cause__)
    user, name = one_line(login.user, 60), one_line(spec.file, 80)
    if isinstance(error, smb.LogonFailure | smb.SMBAuthenticationError | SpnegoError):
        return UnreachedError(f"refuses the login of {user}", Cause.LOGIN)
    if isinstance(error, smb.BadNetworkName):
        return UnreachedError("there is no such share")
    if isinstance(error, smb.ObjectNameNotFound | smb.ObjectPathNotFound):
        return UnreachedError(f"there is no file {name}")
    if isinstance(error, smb.AccessDenied):
        return UnreachedError(f"{user} may not read {name}")
    said = one_line(str(error).splitlines()[0] if str(error) else type(error).__name__, 120)
    return UnreachedError(f"is no SMB 2 or 3 server, or a broken one: {said}")


KIND = NetworkProbe("smb", SmbSpec, probe)
"""The `smb` probe: see SmbSpec."""
