"""One condition, asked twice: a plugin by its argv, one of our kinds by its settings."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitord.model.kinds import FactProbe, NetworkProbe, Target
from monitord.model.result import Result, Status
from monitord.probes import PROBES
from monitord.transports.facts_local import gather
from tests.probes_network.ask import ask

PLUGINS = "/usr/lib/nagios/plugins"
_CODES = dict(enumerate((Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN)))


@dataclass(frozen=True)
class Condition:
    """What is so, how either is asked, and why they differ where they do.

    `why` is empty where both must say the same; else it tells why ours says `ours` on purpose.
    """

    what: str
    plugin: tuple[str, ...]
    kind: str
    given: Mapping[str, Any]
    why: str = ""
    ours: Status | None = None
    within: float = 3.0


@dataclass(frozen=True)
class Verdicts:
    """What both said of a condition."""

    of: Condition
    theirs: Status
    told: str
    mine: Result

    @property
    def as_it_should_be(self) -> bool:
        """Whether they agree, or differ as is explained."""
        if self.of.why:
            return self.mine.status is self.of.ours and self.theirs is not self.of.ours
        return self.mine.status is self.theirs


def both(one: Condition) -> Verdicts:
    """Ask the plugin and the probe."""
    name, *words = one.plugin
    done = subprocess.run(
        [f"{PLUGINS}/{name}", *words], capture_output=True, text=True, timeout=60, check=False
    )
    said = (done.stdout or done.stderr).partition("\n")[0].partition("|")[0].strip()
    return Verdicts(one, _CODES.get(done.returncode, Status.UNKNOWN), said, _asked(one))


def _asked(one: Condition) -> Result:
    probe = PROBES[one.kind]
    if isinstance(probe, NetworkProbe):
        return ask(one.kind, one.given, timeout=one.within)
    assert isinstance(probe, FactProbe)
    spec = probe.spec.model_validate(dict(one.given))
    facts = gather("here", probe.sections(spec))
    results = probe.judge(spec, facts, Target("here", "127.0.0.1", {}, one.within))
    return max(results, key=lambda result: _BADNESS[result.status])


_BADNESS = {Status.OK: 0, Status.WARNING: 1, Status.UNKNOWN: 2, Status.CRITICAL: 3}


@dataclass
class Table:
    """The rows, as they are printed."""

    rows: list[Verdicts] = field(default_factory=list)

    def text(self) -> str:
        """Give one line for a condition, and below it why where they differ."""
        lines = [f"{'PLUGIN':<9} {'MONITORD':<9} CONDITION"]
        for row in self.rows:
            mark = "" if row.as_it_should_be else "  <-- not as it should be"
            pair = f"{row.theirs.name:<9} {row.mine.status.name:<9}"
            lines.append(f"{pair} {row.of.what} ({row.of.plugin[0]}, {row.of.kind}){mark}")
            if row.of.why:
                lines.append(f"{'':20}why: {row.of.why}")
            if mark:
                lines += [f"{'':20}plugin: {row.told}", f"{'':20}monitord: {row.mine.summary}"]
        same = sum(not row.of.why and row.as_it_should_be for row in self.rows)
        told = sum(bool(row.of.why) and row.as_it_should_be for row in self.rows)
        lines.append(f"{len(self.rows)} conditions: {same} the same, {told} explained")
        return "\n".join(lines)
