"""A healthy day, as noisy as days are, on virtual time: made by a seed, lived by the real engine.

    python -m tests.behaviour.healthy_day [SEED]     # all 24 hours, about a minute

Looks that fail and recover before they are hard, units that systemd starts again within their
moment, warnings that no runbook answers, UNKNOWNs of every cause, a clock that steps, a core that
is killed, an executor that is away. All repairs are armed, and would heal: whatever acts here would
act in somebody's night.
"""

import asyncio
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import yaml

from monitord.daemon.kinds import KINDS
from monitord.engine.scenario import run as runs
from monitord.engine.scenario.file import read
from monitord.engine.virtual_time import Door, VirtualLoop, run
from tests.behaviour.test_promises import _BUGS

HOUR = 3600
RETRY = 15  # seconds; three failures in a row are hard, and 30 s later the first rung is due
SITES = ("web1/site", "web2/site", "web3/site", "db1/pg")
DISKS = ("web1/disk//var", "web2/disk//var")
CAUSES = ("login", "transport", "resolver", "timeout", "plugin", "probe")
CONFIG: dict[str, Any] = {
    "profile": "standard",
    "defaults": {"every": "60s", "retry_every": f"{RETRY}s", "attempts": 3},
    "hosts": {
        "web[1-3]": {"address": "10.1.1.{n}", "groups": ["web"], "behind": "sw1"},
        "db1": {"address": "10.1.2.1", "checks": {"pg": None}, "behind": "sw1"},
        "sw1": {"address": "10.1.0.1", "login": "none", "checks": {"reach": None}},
    },
    "groups": {
        "web": {"checks": {"site": None, "disk": None}},
        "all": {"login": {"ssh": {"user": "monitord", "act": {"user": "repair"}}}},
    },
    "checks": {
        "site": {"tcp": {"port": 80}, "needs": "db1/pg", "remediate": ["restart"]},
        "pg": {"tcp": {"port": 5432}, "remediate": ["restart"]},
        "disk": {"disk": {"critical": "90%"}, "every": "5m", "remediate": ["restart"]},
    },
    "runbooks": {
        "restart": {
            "mode": "auto",
            "steps": [{"systemd": {"unit": "app", "do": "restart"}}],
            "verify": {"settle": "15s", "oks": 2, "within": "2m"},
            "limits": {"per_incident": 1, "cooldown": "10m"},
        }
    },
}
CONFIG["hosts"]["web[1-3]"]["groups"].append("all")
CONFIG["hosts"]["db1"]["groups"] = ["all"]


def noise(luck: random.Random, length: int, gaps: tuple[int, int]) -> list[tuple[int, int, str]]:
    """Give what a target says against all health: from when, for how long (seconds), what."""
    said: list[tuple[int, int, str]] = []
    now, hard_before = luck.randint(60, gaps[1]), -2 * HOUR
    while now < length - HOUR // 2:
        # One look more would be hard; a few seconds more, and it would still be bad when the
        # first rung is due.
        kind = luck.choice(["soft", "soft", "slow start", "slow start", "warning", "unknown"])
        if kind == "slow start" and now < hard_before + 70 * 60:
            kind = "soft"  # what comes back this soon is no hiccup any more
        lasts, text = {
            "soft": (luck.randint(1, 2 * RETRY - 1), 'critical "no answer"'),
            "slow start": (luck.randint(3 * RETRY, 4 * RETRY - 2), 'critical "starting"'),
            "warning": (luck.randint(60, 2400), 'warning "slow"'),
            "unknown": (luck.randint(20, 1200), f"unknown {luck.choice(CAUSES)}"),
        }[kind]
        if kind == "slow start":
            hard_before = now
        said.append((now, lasts, text))
        now += lasts + luck.randint(*gaps)
    return said


def story(seed: int, length: int, gaps: tuple[int, int]) -> dict[str, Any]:
    """Give a scenario of `length` seconds; between two noises of one target lie `gaps` seconds."""
    luck = random.Random(seed)  # noqa: S311 - a seed makes a story
    given: dict[str, dict[str, str]] = {"0s": dict.fromkeys((*SITES, *DISKS, "sw1/reach"), "ok")}
    for key in (*SITES, *DISKS):
        for start, lasts, text in noise(luck, length, gaps):
            given.setdefault(f"{start}s", {})[key] = text
            given.setdefault(f"{start + lasts}s", {})[key] = "ok"
    fate = [
        *[{"clock": "1h"}, {"clock_back": "1h"}, {"clock": "40s"}, {"clock_back": "40s"}],
        *[{"crash": "an upgrade"}] * 3,
        *[{"executor_down": "90s"}] * 3,
        *[{"tickets_down": "10m"}] * 2,
    ]
    return {
        "config": CONFIG,
        "given": given,
        "actions": {"restart": "heals"},
        "do": {f"{luck.randint(600, length - HOUR // 2)}s": one for one in fate},
        "expect": [{"never": "effect"}],
        "lasts": f"{length}s",
    }


class Day(runs.Running):
    """A run of which only the end counts: a look at each second would cost more than the day."""

    looks = 0
    transitions = 0

    async def look_round(self) -> None:
        return

    async def crash(self) -> None:
        self._count()
        await super().crash()

    async def _end(self) -> None:
        self._count()
        await super()._end()

    def _count(self) -> None:
        self.looks += self._core.counters.checks_run
        self.transitions += self._core.counters.transitions


@dataclass(frozen=True)
class Lived:
    """What came of a day: looks taken, states that turned hard, and what must all be empty."""

    looks: int
    transitions: int
    actions: tuple[str, ...]
    broken: tuple[str, ...]
    bugs: tuple[str, ...]


def live(seed: int, length: int, gaps: tuple[int, int]) -> Lived:
    """Live a day, or a part of one."""
    door = Door()
    loop = VirtualLoop(door)
    asyncio.set_event_loop(loop)
    try:
        with tempfile.TemporaryDirectory() as name:
            file = Path(name) / "day.test.yaml"
            file.write_text(yaml.safe_dump(story(seed, length, gaps), sort_keys=False))
            scenario = read(file)
            catalog = runs.load(scenario, Path(name), KINDS)
            day = Day(scenario.scenario, catalog, KINDS, loop, door, Path(name))
            with structlog.testing.capture_logs() as logs:
                run(day.go(), loop)
    finally:
        asyncio.set_event_loop(None)
    return Lived(
        day.looks,
        day.transitions,
        tuple(f"{effect.at:.0f} s: {effect.key}: {effect.text}" for effect in day.world.effects),
        tuple(map(str, day.broken)),
        tuple(str(line) for line in logs if line["event"] in _BUGS),
    )


def main() -> int:
    """Live all 24 hours and say what came of them; 1 when anything was done."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    lived = live(seed, 24 * HOUR, (300, 5400))
    told = [
        f"24 h, seed {seed}: {lived.looks} looks, {lived.transitions} changes of state",
        f"{len(lived.actions)} actions, {len(lived.broken)} invariants broken",
        *(f"  {line}" for line in (*lived.actions, *lived.broken, *lived.bugs)),
    ]
    sys.stdout.write("".join(f"{line}\n" for line in told))
    return int(bool(lived.actions or lived.broken or lived.bugs))


if __name__ == "__main__":
    sys.exit(main())
