"""SNMP probes against Debian's snmpd: single objects, logins, silence, and hostile answers.

What must wait for silence is heavy: it takes its deadline, each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Result, Status
from monitord.probes import PROBES
from monitord.probes.snmp.rates import Sample, growth
from monitord.probes.snmp.told import Told
from monitord.probes.snmp.value import SnmpSpec, judge
from tests.probes_network.chronyd import free_udp_port
from tests.probes_network.clean import is_clean
from tests.probes_service.asking import ask, ask_all
from tests.probes_service.snmp_agent import AUTH, COMMUNITY, PRIV, USER, Snmpd
from tests.world.needs import need

V3: dict[str, Any] = {"user": USER, "auth_password": AUTH, "priv_password": PRIV}


@pytest.fixture(scope="module")
def agent() -> Iterator[Snmpd]:
    need("snmpd")
    with Snmpd() as peer:
        yield peer


@pytest.mark.parametrize("login", [{"community": COMMUNITY}, V3], ids=["2c", "3"])
def test_a_real_agent_answers_both_versions(agent: Snmpd, login: dict[str, Any]) -> None:
    result = ask("snmp", port=agent.port, oid="sysName", equals="branch-switch", **login)
    assert result.status is Status.OK, result.summary
    result = ask("snmp", port=agent.port, oid="sysName", regex="^core", name="its name", **login)
    assert result.status is Status.CRITICAL
    assert result.summary == 'its name: is "branch-switch", expected /^core/'


def test_an_uptime_reads_as_a_time(agent: Snmpd) -> None:
    result = ask("snmp", port=agent.port, oid="sysUpTime", scale=0.01, unit="s",
                 warning="600:", **V3)  # fmt: skip
    assert result.status is Status.WARNING
    assert "(at least 600 s)" in result.summary


def test_an_object_that_is_not_there_is_unknown(agent: Snmpd) -> None:
    result = ask("snmp", port=agent.port, oid="1.3.6.1.4.1.99999.1.0", **V3)
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)
    assert "has no object 1.3.6.1.4.1.99999.1.0, or hides it" in result.summary


@pytest.mark.parametrize(
    ("login", "said"),
    [
        ({**V3, "user": "nobody"}, "knows no such user"),
        ({**V3, "auth_password": "falsch-falsch"}, "auth_password or auth is wrong"),
        ({**V3, "auth": "sha512"}, "auth_password or auth is wrong"),
        ({**V3, "priv_password": None}, "does not let us read this"),
        pytest.param(
            {**V3, "priv_password": "falsch-falsch"}, "is priv_password wrong?",
            marks=pytest.mark.heavy,
        ),
        pytest.param(
            {"community": "falsch"}, "silent to this community, or to our address",
            marks=pytest.mark.heavy,
        ),
    ],
)  # fmt: skip
def test_a_wrong_login_is_ours_and_says_which(
    agent: Snmpd, login: dict[str, Any], said: str
) -> None:
    result = ask("snmp", port=agent.port, oid="sysName", **login)
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN), result.summary
    assert said in result.summary
    assert "falsch" not in result.summary


def test_users_of_one_name_with_other_passwords_do_not_disturb_each_other(agent: Snmpd) -> None:
    wrong = {**V3, "auth_password": "falsch-falsch"}
    for _ in range(2):
        assert ask("snmp", port=agent.port, oid="sysName", **wrong).cause is Cause.LOGIN
        assert ask("snmp", port=agent.port, oid="sysName", **V3).status is Status.OK


@pytest.mark.heavy
def test_an_agent_that_was_replaced_under_its_address_is_known_again() -> None:
    need("snmpd")
    with Snmpd(engine="one") as peer:
        port = peer.port
        assert ask("snmp", port=port, oid="sysName", **V3).status is Status.OK
        peer.stop()
        peer.start()  # the same, booted: its clock began anew
        assert ask("snmp", port=port, oid="sysName", **V3).status is Status.OK
        peer.stop()
        text = peer.config.read_text(encoding="utf-8").replace("engineID one", "engineID another")
        peer.config.write_text(text, encoding="utf-8")
        shutil.rmtree(peer.folder / "kept")
        peer.start()
        looks = [ask("snmp", port=port, oid="sysName", **V3) for _ in range(2)]
    assert looks[-1].status is Status.OK, [one.summary for one in looks]


@pytest.mark.heavy
@pytest.mark.parametrize("login", [{"community": COMMUNITY}, V3], ids=["2c", "3"])
def test_where_nobody_listens_it_is_critical(login: dict[str, Any]) -> None:
    result = ask("snmp", port=free_udp_port(), oid="sysName", **login)
    assert result.status is Status.CRITICAL
    assert result.summary.endswith("/udp: nobody listens on this UDP port")


@contextlib.contextmanager
def answering(packet: bytes) -> Iterator[int]:
    """A UDP port that gives everybody the same packet, or is silent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                said, sender = server.recvfrom(65536)
                if said == b"end":
                    return
                if packet:
                    server.sendto(packet, sender)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"end", server.getsockname())
        thread.join(5)


@pytest.mark.heavy
@pytest.mark.parametrize("login", [{"community": COMMUNITY}, V3], ids=["2c", "3"])
@pytest.mark.parametrize(
    "packet",
    [b"", b"\0" * 1400, b"\x1b[2J\n", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80" * 700],
    ids=["silent", "zeros", "text", "endless", "nested"],
)
def test_nonsense_is_no_answer(packet: bytes, login: dict[str, Any]) -> None:
    with answering(packet) as port:
        result = ask("snmp", port=port, oid="sysName", within=2, **login)
    assert result.status in {Status.CRITICAL, Status.UNKNOWN}
    assert is_clean(result.summary)
    if not packet:
        assert "a firewall drops UDP, no agent runs, or it does not know our" in result.summary


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "needs a community"),
        ({"version": 1, "community": "x"}, "version 1 is not spoken"),
        ({"user": "u"}, "version 3 needs user and auth_password"),
        ({"user": "u", "auth_password": "x", "community": "x"}, "keep one of them"),
        ({"user": "u", "auth_password": "x", "auth": "MD5"}, "write sha256"),
        ({"user": "u", "auth_password": "x", "priv": "DES"}, "write aes"),
        ({"community": "x", "oid": "ifInOctets"}, "is not an OID"),
        ({"community": "x", "rate": True, "equals": 1}, "rate judges a number"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_at_loading(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SnmpSpec.model_validate({"oid": "sysName", **given})


def test_a_password_that_the_protocol_forbids_is_told() -> None:
    result = ask("snmp", port=1, oid="sysName", user="u", auth_password="short")
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)
    assert "auth_password is shorter than the 8 characters" in result.summary


def judged(said: Told | None, memory: dict[str, Any] | None = None, **given: Any) -> Result:
    spec = SnmpSpec.model_validate({"community": "x", "oid": "1.3.6.1.1", "name": "it", **given})
    return judge(spec, said, Told("10000", 10000), Target("h", "h", {"": memory or {}}))


@pytest.mark.parametrize(
    ("said", "given", "status", "text"),
    [
        (Told("7", 7), {"equals": 7}, Status.OK, "it: 7"),
        (Told("7", 7), {"equals": 8}, Status.CRITICAL, 'it: is "7", expected "8"'),
        (Told("215", 215), {"scale": 0.1, "unit": "°C", "critical": 20}, Status.CRITICAL,
         "it: 21.5 °C (limit 20 °C)"),
        (Told("0.93"), {"warning": 0.5}, Status.WARNING, "it: 0.93 (limit 0.5)"),
        (Told("on fire"), {"warning": 0.5}, Status.UNKNOWN, 'it: is "on fire", which is no number'),
        (Told("nan"), {"critical": 1}, Status.UNKNOWN, 'it: is "nan", which is no number'),
    ],
)  # fmt: skip
def test_verdicts(said: Told, given: dict[str, Any], status: Status, text: str) -> None:
    result = judged(said, **given)
    assert (result.status, result.summary) == (status, text)


@pytest.mark.parametrize(
    ("before", "now", "bits", "grew"),
    [
        (100, 150, 32, 50),
        (2**32 - 10, 5, 32, 15),
        (2**20, 5, 32, None),
        (2**64 - 10, 5, 64, None),
        (None, 5, 64, None),
        ("x", 5, 64, None),
    ],
)
def test_a_counter_wraps_or_was_set_back(
    before: object, now: int, bits: int, grew: int | None
) -> None:
    assert growth(before, Told(str(now), now, bits)) == grew


def test_a_rate_is_judged_from_the_second_look_on_and_not_over_a_restart() -> None:
    count = Told("5000", 5000, 32)
    first = judged(count, rate=True, critical=1)
    assert first.status is Status.OK
    assert first.memory == {"uptime": 10000, "counters": {"value": 5000}}
    before = {"uptime": 9000, "counters": {"value": 4000}}
    second = judged(count, before, rate=True, critical=99)
    assert (second.status, second.measurements[0].value) == (Status.CRITICAL, 100)
    assert second.summary == "it: 100 a second (limit 99 a second)"
    restarted = judged(count, {"uptime": 10001, "counters": {"value": 4000}}, rate=True, critical=1)
    assert restarted.summary == "it: counted from now on"
    assert Sample(1, {}).rates({"uptime": "x", "counters": 7}) == {}


@pytest.mark.heavy
def test_a_thousand_looks_leave_nothing_behind(agent: Snmpd) -> None:
    probe = PROBES["snmp"]
    assert isinstance(probe, NetworkProbe)
    specs = [
        SnmpSpec.model_validate({"port": agent.port, "oid": "sysName", **login})
        for login in ({"community": COMMUNITY}, V3)
    ]
    target = Target("h", "127.0.0.1", {}, 5)

    async def looks(count: int) -> None:
        for number in range(count):
            (result,) = await probe.probe(specs[number % 2], target)
            assert result.status is Status.OK, result.summary

    def weight() -> tuple[int, int, int]:
        gc.collect()
        resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return len(gc.get_objects()), resident, len(list(Path("/proc/self/fd").iterdir()))

    asyncio.run(looks(400))  # what it keeps for a while, it keeps by now
    before = weight()
    asyncio.run(looks(1000))
    after = weight()
    assert after[0] - before[0] < 500  # objects
    assert (after[1] - before[1]) * 4096 < 8 << 20
    assert after[2] <= before[2]


def test_the_library_is_not_imported_until_somebody_asks() -> None:
    program = "import sys, monitord.probes; sys.exit('pysnmp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.heavy
def test_all_kinds_tell_a_silent_agent_alike() -> None:
    for kind in ("snmp_interfaces", "snmp_ups", "snmp_sensors"):
        (result,) = ask_all(kind, port=free_udp_port(), community="x").values()
        assert result.summary.endswith("nobody listens on this UDP port")
