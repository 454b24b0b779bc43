"""What a switch, a UPS and a chassis tell: objects for tests/probes_service/snmp_agent.py."""

from __future__ import annotations

IF, IFX = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
UPS = "1.3.6.1.2.1.33.1"
SENSOR, ENTITY, STATE = "1.3.6.1.2.1.99.1.1.1", "1.3.6.1.2.1.47.1.1.1.1", "1.3.6.1.2.1.131.1.1.1"
UPTIME = "1.3.6.1.2.1.1.3"
PASSED = (UPTIME, "1.3.6.1.2.1.2.2", "1.3.6.1.2.1.31.1.1", "1.3.6.1.2.1.33", "1.3.6.1.2.1.99",
          "1.3.6.1.2.1.47", "1.3.6.1.2.1.131")  # fmt: skip
Tables = dict[str, tuple[str, object]]


def port(
    index: int, name: str, alias: str = "", *, admin: int = 1, oper: int = 1, speed: int = 1000,
    octets: tuple[int, int] = (0, 0), errors: int = 0, discards: int = 0,
) -> Tables:  # fmt: skip
    """A row of IF-MIB."""
    return {
        f"{IF}.2.{index}": ("string", f"Port {index}"),
        f"{IF}.7.{index}": ("integer", admin),
        f"{IF}.8.{index}": ("integer", oper),
        f"{IF}.13.{index}": ("counter", discards),
        f"{IF}.14.{index}": ("counter", errors),
        f"{IF}.19.{index}": ("counter", 0),
        f"{IF}.20.{index}": ("counter", 0),
        f"{IFX}.1.{index}": ("string", name),
        f"{IFX}.6.{index}": ("counter64", octets[0]),
        f"{IFX}.10.{index}": ("counter64", octets[1]),
        f"{IFX}.15.{index}": ("gauge", speed),
        f"{IFX}.18.{index}": ("string", alias),
    }


def ups(
    *, battery: int = 2, seconds: int = 0, minutes: int = 40, charge: int = 100, source: int = 3,
    load: int = 30, alarms: tuple[str, ...] = (),
) -> Tables:  # fmt: skip
    """A UPS of one line."""
    told: Tables = {
        f"{UPS}.1.2.0": ("string", "Smart-UPS 1500"),
        f"{UPS}.2.1.0": ("integer", battery),
        f"{UPS}.2.2.0": ("integer", seconds),
        f"{UPS}.2.3.0": ("integer", minutes),
        f"{UPS}.2.4.0": ("integer", charge),
        f"{UPS}.2.7.0": ("integer", 25),
        f"{UPS}.4.1.0": ("integer", source),
        f"{UPS}.4.4.1.5.1": ("integer", load),
    }
    for number, alarm in enumerate(alarms, 1):
        told[f"{UPS}.6.2.1.2.{number}"] = ("objectid", alarm)
    return told


def sensor(
    index: int, name: str, kind: int, value: int, *, scale: int = 9, precision: int = 0,
    state: int = 1,
) -> Tables:  # fmt: skip
    """A row of ENTITY-SENSOR-MIB and its name."""
    numbers = (kind, scale, precision, value, state)
    told: Tables = {
        f"{SENSOR}.{column}.{index}": ("integer", number)
        for column, number in enumerate(numbers, 1)
    }
    return told | {f"{ENTITY}.7.{index}": ("string", name)}


def part(index: int, name: str, kind: int, state: int) -> Tables:
    """A fan or power supply that tells whether it works."""
    return {
        f"{ENTITY}.5.{index}": ("integer", kind),
        f"{ENTITY}.7.{index}": ("string", name),
        f"{STATE}.3.{index}": ("integer", state),
    }
