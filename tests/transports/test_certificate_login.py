"""A login by a certificate of an SSH CA: taken where it is right, and told why where it is not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from monitord.errors import NotReachedError
from monitord.model.catalog import SshLogin
from monitord.transports.ssh import Ssh
from tests.world.peers import Sshd


def _keygen(*words: str) -> None:
    subprocess.run(["ssh-keygen", "-q", *words], check=True, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca"
    _keygen("-t", "ed25519", "-N", "", "-f", str(path))
    return path


@pytest.fixture(scope="module")
def trusting(authority: Path) -> Iterator[Sshd]:
    with Sshd(extra=f"TrustedUserCAKeys {authority}.pub\nAuthorizedKeysFile none") as running:
        yield running


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    _keygen("-t", "ed25519", "-N", "", "-f", str(path))
    return path


def _run(sshd: Sshd, key: Path) -> bytes:
    login = SshLogin(sshd.user, str(key), sshd.port)
    with closing(Ssh()) as ssh:
        known = str(sshd.known_hosts)
        return ssh.run(sshd.address, login, known, b"echo in", timeout=60).stdout


def test_a_certificate_lets_in(trusting: Sshd, authority: Path, key: Path) -> None:
    sign = ["-s", str(authority), "-I", "monitord", "-n", trusting.user, "-V", "-5m:+1h"]
    _keygen(*sign, f"{key}.pub")
    assert _run(trusting, key) == b"in\n"


@pytest.mark.parametrize(
    ("names", "valid", "says"),
    [
        ("{user}", "-2h:-1h", r"its certificate has expired \(20\d\d-.* UTC\); sign it anew"),
        ("{user}", "+1h:+2h", r"is valid from 20\d\d-.* on; is a clock wrong\?"),
        (
            "other",
            "-5m:+1h",
            r"its certificate is for other, not for {user} \(ssh-keygen -n {user}",
        ),
    ],
)
def test_a_certificate_that_lets_nobody_in_tells_why(
    trusting: Sshd, authority: Path, key: Path, names: str, valid: str, says: str
) -> None:
    names, says = (text.replace("{user}", trusting.user) for text in (names, says))
    _keygen("-s", str(authority), "-I", "monitord", "-n", names, "-V", valid, f"{key}.pub")
    with pytest.raises(NotReachedError, match=says) as caught:
        _run(trusting, key)
    assert caught.value.cause == "login"


def test_a_certificate_of_another_ca_leads_to_the_hosts_setting(
    trusting: Sshd, key: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    _keygen("-t", "ed25519", "-N", "", "-f", str(other))
    _keygen("-s", str(other), "-I", "x", "-n", trusting.user, "-V", "-5m:+1h", f"{key}.pub")
    with pytest.raises(NotReachedError, match=r"in force: does the host trust the CA"):
        _run(trusting, key)


@pytest.mark.parametrize("text", ["", "ssh-ed25519 AAAA", "nonsense\n", "\x00" * 40])
def test_a_file_that_is_no_certificate_is_told_as_that(
    trusting: Sshd, key: Path, text: str
) -> None:
    Path(f"{key}-cert.pub").write_text(text)
    with pytest.raises(NotReachedError, match=r"key-cert\.pub|cannot be read"):
        _run(trusting, key)


def test_without_a_certificate_the_cure_is_the_hosts_list(trusting: Sshd, key: Path) -> None:
    with pytest.raises(NotReachedError, match=r"put the public key into ~.*authorized_keys"):
        _run(trusting, key)
