"""Targets that misbehave: each must cost a probe its deadline and nothing else.

    with hostile("silent") as target:       # target.port, target.url, target.connections
    @pytest.mark.parametrize("manner", sorted(MANNERS))
    with tls_web(valid_for=timedelta(days=5)) as web:    # web.url (https), web.certificate

`MANNERS` names all of them; `silent` is at the same time a server that hangs in a TLS handshake.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Manner = Callable[[socket.socket, threading.Event], None]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@dataclass
class Target:
    """A misbehaving server on 127.0.0.1. `connections` counts those that it has accepted."""

    port: int
    scheme: str = "http"
    certificate: Path | None = None
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """The address of its root page."""
        return f"{self.scheme}://127.0.0.1:{self.port}/"


def _silent(connection: socket.socket, over: threading.Event) -> None:
    """Accepts and says nothing."""
    over.wait()


def _drip(connection: socket.socket, over: threading.Event) -> None:
    """Sends one byte of an answer each second."""
    for byte in HEAD + b"Content-Length: 1000000\r\n\r\n" + b"." * 1_000_000:
        connection.sendall(bytes([byte]))
        if over.wait(1):
            return


def _endless_body(connection: socket.socket, over: threading.Event) -> None:
    """Sends a body that never ends, as fast as it is read."""
    connection.sendall(HEAD + b"\r\n")
    while not over.is_set():
        connection.sendall(b"all work and no play\n" * 1000)


def _endless_header(connection: socket.socket, over: threading.Event) -> None:
    """Sends header lines for ever."""
    connection.sendall(HEAD)
    while not over.is_set():
        connection.sendall(b"X-Padding: " + b"x" * 1000 + b"\r\n")


def _huge_header(connection: socket.socket, over: threading.Event) -> None:
    """Sends one header line of 10 MB, then a regular end."""
    connection.sendall(HEAD + b"X-Huge: " + b"x" * 10_000_000 + b"\r\n")
    connection.sendall(b"Content-Length: 2\r\n\r\nok")


def _garbage(connection: socket.socket, over: threading.Event) -> None:
    """Answers with bytes that are no protocol, terminal codes among them."""
    connection.sendall(
        b"\x00\xff\xfe\x1b[2J\x1b]0;owned\x07" + bytes(range(256)) * 16 + b"\r\n\r\n"
    )


def _cut_short(connection: socket.socket, over: threading.Event) -> None:
    """Promises 1,000 bytes, sends 10 and closes."""
    connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n0123456789")


def _closes_at_once(connection: socket.socket, over: threading.Event) -> None:
    """Accepts and closes."""


def _resets(connection: socket.socket, over: threading.Event) -> None:
    """Begins to answer, then resets the connection."""
    connection.sendall(HEAD)
    # Linger of 0 s: close() sends RST in place of FIN.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def _circles(connection: socket.socket, over: threading.Event) -> None:
    """Redirects to itself for ever."""
    port = connection.getsockname()[1]
    connection.recv(65536)
    location = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{port}/\r\n"
    connection.sendall(location.encode() + b"Content-Length: 0\r\nConnection: close\r\n\r\n")


MANNERS: Mapping[str, Manner] = {
    "silent": _silent,
    "drip": _drip,
    "endless_body": _endless_body,
    "endless_header": _endless_header,
    "huge_header": _huge_header,
    "garbage": _garbage,
    "cut_short": _cut_short,
    "closes_at_once": _closes_at_once,
    "resets": _resets,
    "circles": _circles,
}


@contextlib.contextmanager
def hostile(manner: str) -> Iterator[Target]:
    """Serve in one of MANNERS until the block ends; one thread per connection."""
    with _serve(MANNERS[manner], Target(0)) as target:
        yield target


@contextlib.contextmanager
def tls_web(
    *, valid_for: dt.timedelta, name: str = "localhost", body: bytes = b"ok"
) -> Iterator[Target]:
    """Serve HTTPS with a self-made certificate for `name` and 127.0.0.1.

    It ends `valid_for` from now, which may be negative: then it has expired. `certificate` is the
    PEM file to trust.
    """
    with tempfile.TemporaryDirectory(prefix="tls-") as folder:
        certificate = write_certificate(Path(folder), valid_for=valid_for, name=name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

        def answer(connection: socket.socket, over: threading.Event) -> None:
            with context.wrap_socket(connection, server_side=True) as secure:
                secure.recv(65536)
                length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                secure.sendall(HEAD + length.encode() + body)

        with _serve(answer, Target(0, "https", certificate)) as target:
            yield target


def write_certificate(folder: Path, *, valid_for: dt.timedelta, name: str = "localhost") -> Path:
    """Write key and self-signed certificate into one PEM file in `folder`; return its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    alternatives = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + min(valid_for, dt.timedelta()) - dt.timedelta(days=30))
        .not_valid_after(now + valid_for)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / f"{name}.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@contextlib.contextmanager
def _serve(manner: Manner, target: Target) -> Iterator[Target]:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        target.port = server.getsockname()[1]
        acceptor = threading.Thread(target=_accept, args=(server, manner, target), daemon=True)
        acceptor.start()
        try:
            yield target
        finally:
            target.over.set()
            # Closing alone does not wake a thread that waits in accept().
            server.shutdown(socket.SHUT_RDWR)
            acceptor.join(timeout=5)


def _accept(server: socket.socket, manner: Manner, target: Target) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        target.connections += 1
        threading.Thread(
            target=_mistreat, args=(connection, manner, target.over), daemon=True
        ).start()


def _mistreat(connection: socket.socket, manner: Manner, over: threading.Event) -> None:
    # A caller that gives up is what we wait for here.
    with connection, contextlib.suppress(OSError):
        manner(connection, over)
