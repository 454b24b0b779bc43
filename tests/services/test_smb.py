"""A real Samba, healthy and broken."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from monitord.model.result import Cause, Result, Status
from tests.probes_service.asking import ask
from tests.world.hostile import hostile
from tests.world.process import Peer, answers, find_program, free_port

PASSWORD = "zee-9-robben"  # noqa: S105 - of a server that lives for seconds


class Samba(Peer):
    """It serves the share `public` to the user nobody."""

    name = "smbd"

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        program, tool = find_program("smbd"), find_program("smbpasswd")
        assert program, "make services installs it"
        assert tool, "make services installs it"
        self.folder.chmod(0o755)
        self.share = self.folder / "public"
        for part in ("private", "lock", "public"):
            (self.folder / part).mkdir()
        self.share.chmod(0o755)
        (self.share / "probe.txt").write_text("alive\n", encoding="utf-8")
        (self.share / "closed.txt").write_text("closed\n", encoding="utf-8")
        (self.share / "closed.txt").chmod(0o600)
        config = self.folder / "smb.conf"
        places = "".join(
            f"{name} = {self.folder}/lock\n"
            for name in ("lock directory", "state directory", "cache directory", "pid directory",
                         "ncalrpc dir")
        )  # fmt: skip
        config.write_text(
            f"[global]\n{places}private dir = {self.folder}/private\nsmb ports = {self.port}\n"
            "interfaces = lo\nbind interfaces only = yes\ndisable netbios = yes\n"
            "load printers = no\nserver role = standalone server\nlogging = file\n"
            f"log file = {self.folder}/smbd.log\n[public]\npath = {self.share}\n",
            encoding="utf-8",
        )
        subprocess.run(
            [tool, "-c", str(config), "-a", "-s", "nobody"],
            input=f"{PASSWORD}\n{PASSWORD}\n", text=True, check=True, capture_output=True,
            timeout=60,
        )  # fmt: skip
        self.argv = [program, "--foreground", "--no-process-group", f"--configfile={config}"]

    def is_ready(self) -> bool:
        return answers(self.port)


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    with Samba() as peer:
        yield peer


def look(port: int, **given: Any) -> Result:
    usual = {"share": "public", "file": "probe.txt", "user": "nobody", "password": PASSWORD}
    return ask("smb", port=port, **{"within": 20, **usual, **given})


@pytest.mark.parametrize("encrypt", [False, True])
def test_a_file_is_read(samba: Samba, encrypt: bool) -> None:
    result = look(samba.port, contains="alive", encrypt=encrypt, critical="15s")
    assert result.status is Status.OK, result.summary
    assert result.summary.startswith(r"\\127.0.0.1\public: probe.txt read in ")
    assert [one.name for one in result.measurements] == ["time", "size"]


@pytest.mark.parametrize(
    ("given", "told"),
    [({"file": "gone.txt"}, "there is no file gone.txt"),
     ({"file": "no/such/probe.txt"}, r"there is no file no\such\probe.txt"),
     ({"share": "secret"}, "there is no such share"),
     ({"file": "closed.txt"}, "nobody may not read closed.txt"),
     ({"contains": "well"}, 'probe.txt has no "well"; it begins "alive"'),
     ({"critical": "0.000001"}, "took")],
)  # fmt: skip
def test_what_is_wrong_is_told(samba: Samba, given: dict[str, Any], told: str) -> None:
    result = look(samba.port, **given)
    assert result.status is Status.CRITICAL
    assert told in result.summary


def test_a_refused_login_is_our_own_matter(samba: Samba) -> None:
    result = look(samba.port, password="wrong-horse-7")
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN), result.summary
    assert "refuses the login of nobody" in result.summary
    assert "wrong-horse" not in result.summary


def test_nobody_listens() -> None:
    result = look(free_port())
    assert result.summary == r"\\127.0.0.1\public: connection refused"


@pytest.mark.parametrize("manner", ["silent", "garbage", "closes_at_once", "drip"])
def test_a_server_that_misbehaves_costs_the_deadline(manner: str) -> None:
    with hostile(manner) as target:
        result = look(target.port, within=3)
    assert result.status is Status.CRITICAL, result.summary
