"""A certificate authority with an intermediate, and openssl s_server that shows what it signed."""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.world.process import Peer, answers, find_program, free_port

Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def issue(
    name: str, days: float, by: Pair | None = None, *, authority: bool = False, serves: str = ""
) -> Pair:
    """Make a certificate for `name` that ends in `days`, signed by itself or `by` another."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by[0].subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=400))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        held = [x509.DNSName(serves or name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(held), critical=False)
    return builder.sign(by[1] if by else key, hashes.SHA256()), key


def pem(*pairs: Pair) -> bytes:
    return b"".join(each[0].public_bytes(serialization.Encoding.PEM) for each in pairs)


def private(pair: Pair) -> bytes:
    return pair[1].private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


class Chain:
    """Root, intermediate and leaf as files in a folder: `root`, `chain`, `key`."""

    def __init__(
        self, folder: Path, *, leaf: float = 90, middle: float = 400, serves: str = "*.shop.test"
    ) -> None:
        root = issue("Test Root", 900, authority=True)
        between = issue("Test Middle", middle, root, authority=True)
        own = issue("shop.test", leaf, between, serves=serves)
        self.root, self.chain, self.key = folder / "root", folder / "chain", folder / "key"
        self.root.write_bytes(pem(root))
        self.chain.write_bytes(pem(own, between))
        self.key.write_bytes(private(own))


class Server(Peer):
    """openssl s_server with a chain; `options` are its own words, such as -tls1_2."""

    name = "s_server"

    def __init__(self, *options: str, leaf: float = 90, middle: float = 400) -> None:
        super().__init__()
        self.port = free_port()
        self.made = Chain(self.folder, leaf=leaf, middle=middle)
        self.argv = [
            find_program("openssl") or "openssl", "s_server", "-accept", f"127.0.0.1:{self.port}",
            "-cert", str(self.made.chain), "-cert_chain", str(self.made.chain),
            "-key", str(self.made.key), "-quiet", "-naccept", "99", "-www", *options,
        ]  # fmt: skip

    def is_ready(self) -> bool:
        """Whether it accepts."""
        return answers(self.port)
