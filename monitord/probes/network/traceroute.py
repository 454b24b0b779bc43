"""The `traceroute` probe: which way packets go to a host, where they stop, and whether it changed.

It judges the way (hops) only; what is at its end other probes look at.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Duration, Spec
from monitord.model.text import one_line
from monitord.probes.network.connect import FAMILIES, Family, is_literal, patience
from monitord.probes.network.hops import Way, trace
from monitord.probes.network.resolver import UnreachedError, resolve
from monitord.probes.verdict import Finding, verdict

_SHOWN = 12  # hops in one line


def _texts(value: object) -> Any:
    return [value] if isinstance(value, str) else value


_TEXTS_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Addresses = Annotated[tuple[str, ...], BeforeValidator(_texts), WithJsonSchema(_TEXTS_SCHEMA)]


class TracerouteSpec(Spec):
    """The way to a host, router by router, by UDP datagrams; no special rights are needed."""

    example: ClassVar[str] = """\
traceroute:
  through: [192.0.2.1, "198.51.100.*"]      # the leased line
  avoid: 203.0.113.1                        # the spare one, over LTE
"""
    rhythm: ClassVar[Mapping[str, str | int]] = {
        "every": "10m", "retry_every": "1m", "attempts": 2, "timeout": "30s"
    }  # fmt: skip

    through: Addresses = Field(
        (),
        description="Hops that must be on the way, in this order; `*` is any text.",
        examples=[["192.0.2.1", "198.51.100.*"]],
    )
    avoid: Addresses = Field(
        (), description="Hops that must not be on it.", examples=["203.0.113.1"]
    )
    changed_looks: int = Field(
        0,
        ge=0,
        le=1000,
        description="For how many looks a changed way is a WARNING, until it is the known one; "
        "0: changes are not judged. Silent hops are no change.",
        examples=[6],
    )
    reach: bool = Field(
        default=True,
        description="Whether the host itself must answer; false, where a firewall before it drops "
        "such datagrams.",
    )
    port: int = Field(33434, ge=1, le=65535, description="The UDP port, at which nobody listens.")
    most: int = Field(30, ge=1, le=64, description="The number of hops after which it gives up.")
    tries: int = Field(2, ge=1, le=5, description="How often each hop is asked.")
    wait: Duration = Field(
        default="500ms", validate_default=True, description="How long each is waited for."
    )
    family: Family = Field("any", description="Which of a name's addresses to use.")


async def probe(spec: TracerouteSpec, target: Target) -> Sequence[Result]:
    """Go the way once; see NetworkProbe for the contract."""
    thing = f"way to {one_line(target.address, 80)}"
    try:
        async with asyncio.timeout(patience(target.timeout)):
            address = target.address
            if not is_literal(address):
                address = (await resolve(address, FAMILIES[spec.family]))[0]
            wait = spec.wait.total_seconds()
            way = await trace(address, spec.port, spec.most, spec.tries, wait)
    except UnreachedError as error:
        return [error.result(thing)]
    except TimeoutError:
        text = f"{thing}: not gone to its end in time (give it a longer timeout:, or fewer tries:)"
        return [Result.unknown(text, Cause.TIMEOUT)]
    return [judge(spec, thing, way, target.memory.get("", {}))]


def judge(spec: TracerouteSpec, thing: str, way: Way, memory: Mapping[str, Any]) -> Result:
    """Hold the way against the spec, and against the way of the last looks."""
    findings: list[Finding | None] = [
        _stopped(spec, way),
        *(
            (Status.CRITICAL, f"goes over {hop}, which it should avoid: {_shown(way.hops)}")
            for hop in way.hops
            if any(fnmatchcase(hop, pattern) for pattern in spec.avoid)
        ),
        _strayed(spec, way),
    ]
    changed, kept = _changed(spec, way, memory)
    findings.append(changed)
    end = "" if way.reached else ", and no further"
    good = f"{len(way.hops)} hops: {_shown(way.hops)}{end}"
    measured = (Measurement("hops", len(way.hops), minimum=0),)
    return replace(verdict(thing, findings, good, measured), memory=kept)


def _stopped(spec: TracerouteSpec, way: Way) -> Finding | None:
    if not way.hops:
        text = "no hop answers: our own line is down, or a firewall of ours drops UDP"
        return Status.CRITICAL, text
    if way.reached:
        return None
    number, last = len(way.hops), way.hops[-1]
    if way.refused:
        return Status.CRITICAL, f"stops at hop {number}: {last} says that it cannot go on"
    if not spec.reach:
        return None
    if number >= spec.most:
        turns = sorted({hop for hop in way.hops if hop and way.hops.count(hop) > 1})
        round_ = f", it goes round between {' and '.join(turns[:2])}" if turns else ""
        return Status.CRITICAL, f"not there after {number} hops{round_}: {_shown(way.hops)}"
    return Status.CRITICAL, f"stops after hop {number}: nothing answers beyond {last}"


def _strayed(spec: TracerouteSpec, way: Way) -> Finding | None:
    hops = iter(way.hops)
    for pattern in spec.through:
        if not any(fnmatchcase(hop, pattern) for hop in hops):
            wanted = one_line(pattern, 60)
            return Status.CRITICAL, f"does not go through {wanted}: {_shown(way.hops)}"
    return None


def _changed(
    spec: TracerouteSpec, way: Way, memory: Mapping[str, Any]
) -> tuple[Finding | None, Mapping[str, Any]]:
    """Compare with the known way; gives also what to remember."""
    known = memory.get("hops")
    if not spec.changed_looks or not way.reached:
        return None, memory
    if not isinstance(known, list):
        return None, {"hops": way.hops}
    if _same(known, way.hops):
        # Hops that were silent then and speak now are known from now on.
        return None, {"hops": _joined(known, way.hops)}
    looks = memory.get("looks")
    seen = looks + 1 if isinstance(looks, int) else 1
    if seen > spec.changed_looks:
        return None, {"hops": way.hops}
    text = f"has changed: was {_shown(known)}, is {_shown(way.hops)}"
    return (Status.WARNING, text), {"hops": known, "looks": seen}


def _same(known: Sequence[str], now: Sequence[str]) -> bool:
    pairs = zip(known, now, strict=False)
    return len(known) == len(now) and all(not a or not b or a == b for a, b in pairs)


def _joined(known: Sequence[str], now: Sequence[str]) -> list[str]:
    return [b or a for a, b in zip(known, now, strict=True)]


def _shown(hops: Sequence[str]) -> str:
    named = [one_line(hop or "?", 45) for hop in hops]
    if len(named) > _SHOWN:
        named = [*named[: _SHOWN // 2], "…", *named[-_SHOWN // 2 :]]
    return " ".join(named) or "nothing"


KIND = NetworkProbe("traceroute", TracerouteSpec, probe)
"""The `traceroute` probe: see TracerouteSpec."""
