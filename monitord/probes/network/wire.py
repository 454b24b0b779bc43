"""One connection of a dialogue in which TLS may begin late; bounded reads, closed at once.

It connects, reads, writes and encrypts; what is said it does not judge. TLS runs over memory, not
by the event loop, so that the chain a server sent can be read.
"""

import asyncio
import ssl
from collections.abc import Sequence

from monitord.model.result import Cause
from monitord.probes.credentials import quote
from monitord.probes.network.connect import (
    CONNECTING,
    LOOKING_UP,
    SHAKING_HANDS,
    WAITING,
    explain,
    is_literal,
)
from monitord.probes.network.resolver import UnreachedError, resolve
from monitord.probes.network.tls import BadAuthorityError, TlsSpec, context_for

_LONGEST = 8192  # bytes of a line: mail servers write less
_CHUNK = 16384


class Wire:
    """A connection. `phase` is what has not happened yet, for whoever cuts it off."""

    def __init__(self, host: str, port: int, family: int = 0) -> None:
        self.host = host
        self.port = port
        self.phase = CONNECTING
        self.secure: ssl.SSLObject | None = None
        self.refused: ssl.SSLCertVerificationError | None = None
        self._family = family
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._read = b""

    async def connect(self) -> None:
        """Open the TCP connection.

        Raises:
            UnreachedError: there is none.
        """
        address = self.host
        if not is_literal(address):
            self.phase = LOOKING_UP
            address = (await resolve(self.host, self._family))[0]
        self.phase = CONNECTING
        try:
            self._reader, self._writer = await asyncio.open_connection(address, self.port)
        except OSError as error:
            raise explain(error) from error
        self.phase = WAITING

    async def encrypt(self, spec: TlsSpec) -> None:
        """Go on in TLS.

        Raises:
            UnreachedError: no handshake, or a certificate that is refused (then `refused` is set).
        """
        if self._read:
            # Whoever stands between could have put it there, to be taken as said under TLS.
            raise UnreachedError(f"speaks before TLS could begin: {quote(self._read)}")
        self.phase = SHAKING_HANDS
        try:
            context = await context_for(spec)
        except BadAuthorityError as error:
            raise UnreachedError(str(error), Cause.MISSING) from error
        name = spec.server_name or self.host
        secure = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        while True:
            try:
                secure.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._feed()
            except ssl.SSLError as error:
                if isinstance(error, ssl.SSLCertVerificationError):
                    self.refused = error
                await self._flush()
                raise explain(error) from error
            else:
                break
        await self._flush()
        self.secure = secure
        self.phase = WAITING

    async def write(self, data: bytes) -> None:
        """Send all of it."""
        if self.secure is None:
            self._outgoing.write(data)
        else:
            self.secure.write(data)
        await self._flush()

    async def line(self) -> bytes:
        """Give the next line without its end.

        Raises:
            UnreachedError: the other side closed, or the line has no end.
        """
        while b"\n" not in self._read:
            if len(self._read) > _LONGEST:
                raise UnreachedError(f"a line without end: {quote(self._read)}")
            await self._more()
        line, _, self._read = self._read.partition(b"\n")
        return line.rstrip(b"\r")

    async def some(self) -> bytes:
        """Give what comes next, at least a byte."""
        if not self._read:
            await self._more()
        data, self._read = self._read, b""
        return data

    async def _more(self) -> None:
        if self.secure is None:
            data = await self._received()
        else:
            data = await self._deciphered(self.secure)
        if not data:
            said = f" after {quote(self._read)}" if self._read else " without a word"
            raise UnreachedError(f"connection closed{said}")
        self._read += data

    async def _deciphered(self, secure: ssl.SSLObject) -> bytes:
        while True:
            try:
                return secure.read(_CHUNK)
            except ssl.SSLWantReadError:
                await self._flush()
                await self._feed()
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as error:
                raise explain(error) from error

    async def _feed(self) -> None:
        data = await self._received()
        if not data:
            when = "during the TLS handshake" if self.secure is None else "without an end of TLS"
            raise UnreachedError(f"connection closed {when}")
        self._incoming.write(data)

    async def _received(self) -> bytes:
        if self._reader is None:
            return b""
        try:
            return await self._reader.read(_CHUNK)
        except OSError as error:
            raise explain(error) from error

    async def _flush(self) -> None:
        data = self._outgoing.read()
        if not data or self._writer is None:
            return
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise explain(error) from error

    def chain(self) -> Sequence[bytes]:
        """Give the certificates (DER) that the server sent, its own first; none without TLS."""
        if self.secure is None:
            return ()
        # Public only from Python 3.13 on; the same function below it.
        sent = getattr(self.secure, "get_unverified_chain", None)
        if sent is not None:
            return tuple(sent())
        inner = self.secure._sslobj  # type: ignore[attr-defined] # noqa: SLF001 - see above
        return tuple(
            ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in inner.get_unverified_chain()
        )

    def encryption(self) -> tuple[str, int]:
        """Give the version of TLS and the bits of the cipher's key."""
        if self.secure is None:
            return "", 0
        cipher = self.secure.cipher()
        return self.secure.version() or "", cipher[2] if cipher else 0

    def drop(self) -> None:
        """Close at once: a polite end would wait for a peer that may never answer."""
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None
