"""`monitord trust`: a host key is taken only from what vouches for it, never from the host."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from socketserver import BaseRequestHandler, UDPServer
from typing import Any

import dns.flags
import dns.message
import dns.resolver
import dns.rrset
import pytest
from typer.testing import CliRunner

from monitord.cli.app import app
from monitord.cli.trusting import published
from monitord.errors import MonitordError
from tests.world.peers import Sshd

Trust = Callable[..., Any]


@pytest.fixture
def known(tmp_path: Path) -> Path:
    return tmp_path / "known"


@pytest.fixture
def trust(sshd: Sshd, tmp_path: Path, known: Path) -> Trust:
    login = f"{{ssh: {{user: u, key: /k, port: {sshd.port}, known_hosts: {known}}}}}"
    main = tmp_path / "monitord.yaml"
    main.write_text(f"hosts: {{web1: {{address: 127.0.0.1, login: {login}}}}}\n")

    def _trust(*words: str) -> Any:
        command = ["--config", str(main), "trust", "web1", "--json", "--yes", *words]
        done = CliRunner().invoke(app, command)
        if not done.stdout.startswith("{"):
            return done.exit_code, {"said": done.output}
        return done.exit_code, json.loads(done.stdout)["hosts"][0]

    return _trust


def fingerprint(sshd: Sshd) -> str:
    argv = ["ssh-keygen", "-lf", str(sshd.folder / "host_key.pub")]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()[1]


def test_without_a_source_nothing_is_trusted_and_the_command_is_named(
    trust: Trust, sshd: Sshd, known: Path
) -> None:
    code, row = trust()
    assert (code, row["trusted"]) == (1, False)
    assert row["keys"] == [f"ssh-ed25519 {fingerprint(sshd)}"]
    assert row["next"].startswith("monitord trust web1 --expect SHA256:")
    assert not known.exists()


def test_an_expected_fingerprint_is_taken_and_another_is_not(
    trust: Trust, sshd: Sshd, known: Path
) -> None:
    code, row = trust("--expect", "SHA256:somethingelse")
    assert (code, row["trusted"], known.exists()) == (1, False, False)
    assert "nothing was written" in row["said"]
    code, row = trust("--expect", fingerprint(sshd))
    assert (code, row["trusted"]) == (0, True)
    assert known.read_text() == sshd.known_hosts.read_text()
    assert trust()[0] == 0


def test_a_list_and_a_known_hosts_file_vouch(
    trust: Trust, sshd: Sshd, tmp_path: Path, known: Path
) -> None:
    listed = tmp_path / "list"
    listed.write_text(f"db1 SHA256:x\nweb1 {fingerprint(sshd)}\n")
    assert trust("--fingerprints", str(listed))[0] == 0
    known.unlink()
    assert trust("--known-hosts", str(sshd.known_hosts))[0] == 0
    assert len(known.read_text().splitlines()) == 1


def test_a_changed_key_is_never_taken_without_rekey(trust: Trust, sshd: Sshd, known: Path) -> None:
    trust("--expect", fingerprint(sshd))
    before = known.read_text()
    known.write_text(before + "other ssh-ed25519 AAAA\n")
    sshd.change_host_key()
    code, row = trust("--expect", fingerprint(sshd))
    assert (code, "CHANGED" in row["said"]) == (1, True)
    assert row["next"].startswith("monitord trust web1 --rekey --expect SHA256:")
    code, row = trust("--rekey", "--expect", fingerprint(sshd))
    assert (code, row["trusted"]) == (0, True)
    assert before not in known.read_text()
    assert "other ssh-ed25519 AAAA" in known.read_text()
    assert trust()[0] == 0


def certify(sshd: Sshd, folder: Path, *, principals: str, days: str = "+1d") -> Path:
    """Have a CA of the test's own sign the server's key; gives the CA's public key."""
    authority, key = folder / "ca", sshd.folder / "host_key.pub"
    sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "web1", "-h"]
    for argv in (
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(authority)],
        [*sign, "-n", principals, "-V", f"-1d:{days}", str(key)],
    ):
        subprocess.run(argv, check=True, capture_output=True)
    config = sshd.folder / "sshd_config"
    certificate = sshd.folder / "host_key-cert.pub"
    config.write_text(f"{config.read_text()}\nHostCertificate {certificate}\n")
    sshd.stop()
    sshd.start()
    return authority.with_suffix(".pub")


@pytest.mark.parametrize(
    ("principals", "days", "trusted"),
    [("web1", "+1d", True), ("db1", "+1d", False), ("web1", "-1h", False)],
)
def test_a_ca_vouches_for_the_hosts_and_the_time_of_its_certificate(
    trust: Trust, sshd: Sshd, tmp_path: Path, principals: str, days: str, *, trusted: bool
) -> None:
    authority = certify(sshd, tmp_path, principals=principals, days=days)
    assert trust("--ca", str(authority))[1]["trusted"] is trusted


def test_another_ca_vouches_for_nothing(trust: Trust, sshd: Sshd, tmp_path: Path) -> None:
    certify(sshd, tmp_path, principals="web1")
    other = sshd.folder / "key.pub"
    file = tmp_path / "authorities"
    file.write_text(f"@cert-authority * {other.read_text()}")
    assert trust("--ca", str(file))[1]["trusted"] is False


class _Dns(BaseRequestHandler):
    """A resolver that has one SSHFP record, and says or says not that DNSSEC proves it."""

    proven = False

    def handle(self) -> None:
        data, sock = self.request
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA | (dns.flags.AD if self.proven else 0)
        digest = hashlib.sha256(b"key").hexdigest()
        name = query.question[0].name
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", "SSHFP", f"4 2 {digest}"))
        sock.sendto(answer.to_wire(), self.client_address)


@pytest.fixture
def resolver() -> Iterator[Any]:
    with UDPServer(("127.0.0.1", 0), _Dns) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        asking = dns.resolver.Resolver(configure=False)
        asking.nameservers, asking.port = ["127.0.0.1"], server.server_address[1]
        yield asking
        server.shutdown()
        thread.join()


def test_sshfp_records_count_only_with_dnssec_or_on_a_person_s_word(
    resolver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = (2, hashlib.sha256(b"key").digest())
    with pytest.raises(MonitordError, match="does not say that DNSSEC proves them"):
        published("web1.example.com", unvalidated=False, resolver=resolver)
    assert published("web1.example.com", unvalidated=True, resolver=resolver) == [record]
    monkeypatch.setattr(_Dns, "proven", True)
    assert published("web1.example.com", unvalidated=False, resolver=resolver) == [record]
