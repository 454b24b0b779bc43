"""A switch, a UPS and a chassis, told by a real snmpd from tables: healthy, and broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from monitord.model.result import Cause, Result, Status
from tests.probes_service import snmp_tables as tables
from tests.probes_service.asking import ask_all
from tests.probes_service.snmp_agent import AUTH, COMMUNITY, PRIV, USER, Snmpd
from tests.world.needs import need

NOW = 1_000_000  # the switch's sysUpTime: hundredths of a second
BEFORE = NOW - 6000  # a minute earlier
MINUTE_AT_90 = int(1_250_000_000 * 60 * 0.9)  # octets of 10 Gbit/s


@pytest.fixture(scope="module")
def device() -> Iterator[Snmpd]:
    need("snmpd")
    told: tables.Tables = {
        f"{tables.UPTIME}.0": ("timeticks", NOW),
        **tables.port(1, "te1/1", "Uplink core", speed=10000, octets=(2**40 + MINUTE_AT_90, 2**40)),
        **tables.port(2, "te1/2", "Uplink spare", oper=2, speed=10000),
        **tables.port(3, "gi1/3", "printer", oper=2),
        **tables.port(4, "gi1/4", "till", errors=700, discards=1200, octets=(9, 9)),
        **tables.port(5, "gi1/5", "uplink old", admin=2, oper=2),
        **tables.port(6, "gi1/6", "odd\x1b[2J", speed=0, octets=(2**64 - 1, 5)),
        **tables.port(7, "Vlan10"),
        **tables.port(8, "dup"),
        **tables.port(9, "dup"),
        **tables.ups(battery=3, seconds=400, minutes=6, charge=31, source=5, load=91,
                     alarms=(f"{tables.UPS}.6.3.1", f"{tables.UPS}.6.3.2", "1.3.6.1.4.1.318.9")),
        **tables.sensor(11, "Inlet", 8, 235, precision=1),
        **tables.sensor(12, "CPU", 8, 81),
        **tables.sensor(13, "Fan 1", 10, 0),
        **tables.sensor(14, "Rail", 4, 12050, scale=8),
        **tables.sensor(15, "Broken", 8, 0, state=3),
        **tables.sensor(16, "Odd", 8, 2**31 - 1, scale=17),
        **tables.part(21, "PSU A", 6, 3),
        **tables.part(22, "PSU B", 6, 2),
    }  # fmt: skip
    with Snmpd(told, tables.PASSED) as peer:
        yield peer


def look(kind: str, peer: Snmpd, memory: Any = None, **given: Any) -> dict[str, Result]:
    login = {"user": USER, "auth_password": AUTH, "priv_password": PRIV}
    return ask_all(kind, memory, port=peer.port, within=10, **login, **given)


def sample(octets: int = 2**40, *, at: int = BEFORE, speed: int = 10000) -> dict[str, Any]:
    counters = dict.fromkeys(
        ("errors_in", "errors_out", "discards_in", "discards_out"), 0
    ) | {"received": octets, "sent": octets}  # fmt: skip
    return {"uptime": at, "counters": counters, "speed": speed}


def test_links_that_must_be_up_are(device: Snmpd) -> None:
    found = look("snmp_interfaces", device)
    assert set(found) == {"te1/1", "te1/2", "gi1/3", "gi1/4", "gi1/5", "gi1/6", "dup#8", "dup#9"}
    assert found["te1/1"].summary == "te1/1 (Uplink core): up"
    spare = found["te1/2"]
    assert spare.status is Status.CRITICAL
    assert spare.summary == (
        "te1/2 (Uplink spare): is down: the cable, the module or the device at its other end"
    )
    assert found["gi1/3"].summary == "gi1/3 (printer): down"
    assert found["gi1/3"].status is Status.OK
    assert found["gi1/5"].summary.endswith("somebody shut it down in the device's configuration")
    assert "\x1b" not in found["gi1/6"].summary


def test_use_and_faults_are_judged_from_the_second_look_on(device: Snmpd) -> None:
    memory = {"te1/1": sample(), "gi1/4": sample(9), "gi1/6": sample(4)}
    found = look("snmp_interfaces", device, memory)
    full = found["te1/1"]
    assert full.status is Status.WARNING
    assert "90 % of 10000 Mbit/s received: see who fills it (limit 80 %)" in full.summary
    assert {one.name: one.value for one in full.measurements}["utilisation"] == 90
    faulty = found["gi1/4"]
    assert "12 faulty packets a second (limit 1 a second): cable, module" in faulty.summary
    assert "20 packets dropped a second (limit 10 a second)" in faulty.summary
    assert full.memory["uptime"] == NOW
    odd = {one.name for one in found["gi1/6"].measurements}
    assert "utilisation" not in odd  # its speed is not known
    assert "received" in odd


def test_a_restart_a_wrap_and_a_cleared_counter_make_no_flood(device: Snmpd) -> None:
    for memory in (sample(at=NOW + 5), sample(2**63), {"uptime": "x", "counters": 7, "speed": "y"}):
        full = look("snmp_interfaces", device, {"te1/1": memory}, interfaces=["te1/1"])["te1/1"]
        assert full.status is Status.OK, full.summary


def test_interfaces_are_chosen_by_name_or_alias(device: Snmpd) -> None:
    assert set(look("snmp_interfaces", device, interfaces=["*UPLINK*"])) == {
        "te1/1", "te1/2", "gi1/5",
    }  # fmt: skip
    found = look("snmp_interfaces", device, interfaces=["te1/1"], must_be_up=["te1/1", "te9/9"])
    assert found["te9/9"].summary.startswith("te9/9: is not there: its module was pulled")
    (none,) = look("snmp_interfaces", device, interfaces=["xe*"]).values()
    assert (none.status, none.cause) == (Status.UNKNOWN, Cause.MISSING)


def test_a_slower_link_than_before_is_told(device: Snmpd) -> None:
    memory = {"te1/1": sample(speed=40000)}
    found = look("snmp_interfaces", device, memory, interfaces=["te1/1"], use={})["te1/1"]
    assert found.status is Status.WARNING
    assert "10000 Mbit/s where it had 40000" in found.summary


def test_a_ups_on_battery_says_how_long_it_lasts(device: Snmpd) -> None:
    (result,) = look("snmp_ups", device).values()
    assert result.status is Status.CRITICAL
    for said in (
        "Smart-UPS 1500: ",
        "on battery since 6 min 40 s, 6 min left: the mains failed (limit 120 s)",
        "its battery is low",
        "the batteries last 6 min",
        "load 91 %: it will not carry it when power fails (limit 80 %)",
        "a battery must be replaced",
    ):
        assert said in result.summary
    assert {one.name for one in result.measurements} == {
        "minutes", "load", "charge", "temperature", "on_battery",
    }  # fmt: skip


def test_a_ups_on_mains_is_well() -> None:
    need("snmpd")
    with Snmpd(tables.ups(), ("1.3.6.1.2.1.33",)) as peer:
        (result,) = ask_all("snmp_ups", port=peer.port, community=COMMUNITY).values()
        (missing,) = ask_all("snmp_sensors", port=peer.port, community=COMMUNITY).values()
    assert (result.status, result.summary) == (
        Status.OK,
        "Smart-UPS 1500: on mains, load 30 %",
    )
    assert missing.cause is Cause.MISSING
    assert "tells no sensors of ENTITY-SENSOR-MIB" in missing.summary


def test_heat_still_fans_and_dead_supplies_are_told(device: Snmpd) -> None:
    found = look("snmp_sensors", device)
    assert {name: one.status.name for name, one in found.items()} == {
        "Inlet": "OK", "CPU": "CRITICAL", "Fan 1": "CRITICAL", "Rail": "OK", "Broken": "WARNING",
        "Odd": "WARNING", "PSU A": "OK", "PSU B": "CRITICAL",
    }  # fmt: skip
    assert found["Inlet"].summary == "Inlet: 23.5 °C"
    assert found["CPU"].summary.startswith("CPU: 81 °C: fans, dust")
    assert found["Rail"].summary == "Rail: 12.05 V DC"
    assert found["Fan 1"].summary.startswith("Fan 1: 0 rpm: this fan stands still or fails")
    assert "this power supply does not work" in found["PSU B"].summary
    assert set(look("snmp_sensors", device, sensors=["PSU*"], exclude=["PSU B"])) == {"PSU A"}
