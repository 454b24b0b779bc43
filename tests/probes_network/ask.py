"""Runs probes and prints their results as JSON: in a namespace of a test, with fewer rights.

    python -m tests.probes_network.ask '[["tcp", {"port": 22}, "127.0.0.1", 2.0]]'

Also what the tests call in their own process: `ask` runs one probe as the core would, on uvloop.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

import uvloop

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Result
from monitord.probes import PROBES


async def run(kind: str, spec: Mapping[str, Any], address: str, within: float) -> Result:
    """Run one probe in the running loop; it must give exactly one result."""
    probe = PROBES[kind]
    assert isinstance(probe, NetworkProbe)
    target = Target("host", address, {}, within)
    (result,) = await probe.probe(probe.spec.model_validate(spec), target)
    return result


def ask(
    kind: str,
    spec: Mapping[str, Any],
    address: str = "127.0.0.1",
    *,
    timeout: float = 5.0,
    plain: bool = False,
) -> Result:
    """Run one probe in a loop of its own: uvloop, as in the core, or asyncio's."""
    question = run(kind, spec, address, timeout)
    return asyncio.run(question) if plain else uvloop.run(question)


if __name__ == "__main__":
    answers = [ask(*question[:3], timeout=question[3]) for question in json.loads(sys.argv[1])]
    rows = [(r.status.name, r.summary, r.cause, [m.value for m in r.measurements]) for r in answers]
    sys.stdout.write(json.dumps(rows))
