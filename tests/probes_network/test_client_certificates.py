"""A server that wants to know who asks: with our certificate, without one, with a wrong one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from monitord.model.result import Cause, Status
from monitord.probes.network.tls import TlsSpec
from tests.probes_network.ask import ask
from tests.probes_network.authority import Chain, Pair, Server, issue, pem, private

OWN: Pair = issue("Our Clients", 900, authority=True)
CLIENT = issue("probe", 90, OWN)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("clients")
    (made / "authority").write_bytes(pem(OWN))
    (made / "client").write_bytes(pem(CLIENT))
    (made / "key").write_bytes(private(CLIENT))
    (made / "both").write_bytes(private(CLIENT) + pem(CLIENT))
    return made


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with Server("-Verify", "1", "-verify_return_error", "-CAfile", f"{folder}/authority") as peer:
        yield peer


@pytest.mark.parametrize("own", [("both", ""), ("client", "key")])
def test_with_our_certificate_the_page_comes(
    server: Server, folder: Path, own: tuple[str, str]
) -> None:
    result = ask("http", page(server, folder, *own))
    assert result.status is Status.OK, result.summary


def test_without_one_and_with_a_stranger_s_it_does_not(
    server: Server, folder: Path, tmp_path: Path
) -> None:
    result = ask("http", page(server, folder))
    assert result.status is Status.CRITICAL
    Chain(tmp_path)
    stranger = page(server, tmp_path, "chain", "key")
    assert ask("http", stranger).status is Status.CRITICAL


@pytest.mark.parametrize("own", [("client", ""), ("none", ""), ("client", "none")])
def test_a_certificate_that_cannot_be_used_is_ours(
    server: Server, folder: Path, own: tuple[str, str]
) -> None:
    result = ask("http", page(server, folder, *own))
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)
    assert f"tls.certificate {folder}/{own[0]} with tls.key" in result.summary


def test_a_key_alone_is_a_mistake() -> None:
    with pytest.raises(ValidationError, match="name the certificate too"):
        TlsSpec(key="/etc/k")


def page(server: Server, folder: Path, certificate: str = "", key: str = "") -> dict[str, object]:
    tls = {
        "ca": str(server.made.root),
        "certificate": str(folder / certificate) if certificate else "",
        "key": str(folder / key) if key else "",
    }
    return {"url": f"https://127.0.0.1:{server.port}/", "tls": tls}
