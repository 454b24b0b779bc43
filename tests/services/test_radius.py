"""A real FreeRADIUS server: whom it lets in, whom not, and whom it does not know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from monitord.model.result import Cause, Result, Status
from monitord.probes.service.radius import RadiusSpec
from tests.probes_network.chronyd import free_udp_port
from tests.probes_network.clean import is_clean
from tests.probes_service.asking import ask
from tests.probes_service.test_snmp import answering
from tests.world.process import Peer, find_program

SECRET = "schleuse-9"  # noqa: S105 - of the server that this test starts
KIM = {"user": "kim", "password": "uferweg"}


class Freeradius(Peer):
    name = "freeradius"

    def __init__(self) -> None:
        super().__init__()
        self.port = free_udp_port()
        users = self.folder / "users"
        users.write_text(
            'kim Cleartext-Password := "uferweg"\n'
            'old Auth-Type := Reject\n    Reply-Message := "locked\\033[2J"\n',
            encoding="utf-8",
        )
        (self.folder / "radiusd.conf").write_text(
            f"prefix = /usr\nlibdir = /usr/lib/freeradius\nlogdir = {self.folder}\n"
            f"run_dir = {self.folder}\nraddbdir = {self.folder}\n"
            "security {\n status_server = yes\n reject_delay = 0\n}\n"
            f"client here {{\n ipaddr = 127.0.0.1\n secret = {SECRET}\n}}\n"
            "modules {\n pap {\n }\n"
            f" files {{\n  filename = {users}\n }}\n}}\n"
            "server default {\n"
            f" listen {{\n  type = auth\n  ipaddr = 127.0.0.1\n  port = {self.port}\n }}\n"
            " authorize {\n  files\n  pap\n }\n"
            " authenticate {\n  Auth-Type PAP {\n   pap\n  }\n }\n}\n",
            encoding="utf-8",
        )
        program = find_program("freeradius") or "freeradius"
        self.argv = [program, "-f", "-l", "stdout", "-d", str(self.folder)]

    def is_ready(self) -> bool:
        return ask("radius", port=self.port, secret=SECRET, within=1).status is Status.OK


@pytest.fixture(scope="module")
def server() -> Iterator[Freeradius]:
    with Freeradius() as peer:
        yield peer


def look(server: Freeradius, **given: Any) -> Result:
    return ask("radius", **{"port": server.port, "secret": SECRET, "within": 3, **given})


def test_it_lives_and_lets_in_whom_it_should(server: Freeradius) -> None:
    assert "lives, answered in" in look(server).summary
    result = look(server, **KIM)
    assert result.status is Status.OK, result.summary
    assert "accepted in" in result.summary
    kept_out = look(server, user="kim", password="falsch", expect="reject")
    assert kept_out.status is Status.OK, kept_out.summary


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"user": "kim", "password": "falsch"}, "reject, expected accept"),
        ({"user": "old", "password": "uferweg"}, 'reject, expected accept, it says "locked'),
        ({**KIM, "expect": "reject"}, "a user that must be kept out is let in"),
        ({**KIM, "critical": "0.000001"}, "took"),
    ],
)
def test_a_wrong_answer_is_critical(server: Freeradius, given: dict[str, Any], said: str) -> None:
    result = look(server, **given)
    assert result.status is Status.CRITICAL
    assert said in result.summary
    assert is_clean(result.summary)
    assert "falsch" not in result.summary


def test_another_secret_is_met_with_silence(server: Freeradius) -> None:
    result = look(server, secret="anders", within=2, **KIM)
    assert result.status is Status.CRITICAL
    assert "we are none of its clients, or the secret differs" in result.summary


def test_where_nobody_listens() -> None:
    result = ask("radius", port=free_udp_port(), secret=SECRET)
    assert result.status is Status.CRITICAL
    assert result.summary.endswith("nobody listens on this UDP port")


@pytest.mark.parametrize(
    "packet", [b"", b"\x02", b"\x02\x00\xff\xff" + b"\0" * 16, b"\x02\x00\x00\x14" + b"\xff" * 40]
)
def test_nonsense_is_no_acceptance(packet: bytes) -> None:
    with answering(packet) as port:
        result = ask("radius", port=port, secret=SECRET, within=0.5, **KIM)
    assert result.status in {Status.CRITICAL, Status.UNKNOWN}
    assert result.cause in {None, Cause.LOGIN}
    assert is_clean(result.summary)


@pytest.mark.parametrize(
    ("given", "said"),
    [({"user": "x"}, "belong together"), ({"expect": "reject"}, "needs the user")],
)
def test_what_cannot_be_asked_is_refused_at_loading(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        RadiusSpec.model_validate({"secret": "x", **given})
