"""Reloads of a core on virtual time: what a removal, a rename and two reloads at once leave behind.

A scenario's configuration stands still, so these runs give its executor another one to parse.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from monitord import config
from monitord.daemon.kinds import KINDS
from monitord.engine.core import Core
from monitord.engine.scenario.file import read
from monitord.engine.scenario.history import Fact
from monitord.engine.scenario.run import Running, load
from monitord.engine.scenario.world import ScriptedExecutor
from monitord.engine.virtual_time import Door, VirtualLoop, run
from monitord.model.ids import Instant

SHOP = """
profile: standard
hosts: {web1: {address: 127.0.0.1, login: {local: {act: true}}, checks: {site: , other: }}}
checks:
  site: {tcp: {port: 80}, every: 30s, retry_every: 10s, attempts: 2, remediate: [two]}
  other: {tcp: {port: 81}, every: 30s, retry_every: 10s, attempts: 2}
runbooks:
  two:
    mode: auto
    steps: [{systemd: {unit: nginx, do: stop}}, {systemd: {unit: nginx, do: start}}]
    verify: {settle: 15s, oks: 3, within: 2m}
    limits: {per_incident: 1, cooldown: 10m}
"""
WITHOUT_SITE = SHOP.replace("{site: , other: }", "{other: }")
RENAMED = SHOP.replace("{site: , other: }", "{shop: , other: }").replace(
    "site: {tcp", "shop: {was: site, tcp"
)


class Configured(ScriptedExecutor):
    """Parses the files as they stand, as the real executor's child does."""

    file = Path()

    async def parse(self) -> Mapping[str, Any]:
        await asyncio.sleep(1)
        try:
            return {"sources": json.loads(json.dumps(config.read(self.file).to_json()))}
        except config.ConfigError as error:
            rows = [(p.file, p.line, p.column, p.text) for p in error.problems]
            return {"problems": rows}


@dataclass
class House:
    """One run: a configuration, what happens at which second, and what came of it."""

    folder: Path

    def write(self, text: str) -> None:
        (self.folder / "monitord.yaml").write_text(text, encoding="utf-8")

    def live(
        self,
        given: str,
        deeds: Mapping[float, Callable[[Core], Awaitable[object]]],
        actions: str = "{}",
        lasts: str = "10m",
    ) -> Running:
        """Let time pass; each deed is done to the core at its second."""
        path = self.folder / "one.test.yaml"
        path.write_text(
            f"config: monitord.yaml\nlasts: {lasts}\ngiven: {given}\nactions: {actions}\n"
            "expect: [{count: effects, is: 0}]\n"
        )
        file, door = read(path), Door()
        loop = VirtualLoop(door)
        asyncio.set_event_loop(loop)
        try:
            running = Running(
                file.scenario, load(file, self.folder, KINDS), KINDS, loop, door, self.folder
            )
            running._executor = Configured(running.world)
            running._executor.file = self.folder / "monitord.yaml"
            run(_beside(running, deeds), loop)
        finally:
            asyncio.set_event_loop(None)
        return running


async def _beside(
    running: Running, deeds: Mapping[float, Callable[[Core], Awaitable[object]]]
) -> None:
    async def do() -> None:
        for second, deed in sorted(deeds.items()):
            await asyncio.sleep(second - asyncio.get_running_loop().time())
            await deed(running._core)

    doing = asyncio.get_running_loop().create_task(do())
    await running.go()
    await doing


def facts(running: Running, what: str) -> list[Fact]:
    """Give what was true at the end."""
    return [fact for fact in running.history.samples[-1].facts if fact["what"] == what]


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    made.write(SHOP)
    return made


def reload_to(house: House, text: str) -> Callable[[Core], Awaitable[object]]:
    async def deed(core: Core) -> object:
        house.write(text)
        return await core.reload(by="kim")

    return deed


def test_a_removed_check_leaves_no_unknown_incident_open(house: House) -> None:
    ended = house.live(
        '{0s: {web1/site: unknown resolver "no resolver answers"}}',
        {120: reload_to(house, WITHOUT_SITE)},
    )
    (incident,) = facts(ended, "incident")
    assert (incident["of"], incident["status"]) == ("unknown/resolver", "CLOSED")
    assert ended._core.instance.beliefs.of("web1/site") == []


def test_a_removal_in_mid_attempt_leaves_no_check_blind(house: House) -> None:
    ended = house.live(
        '{60s: {web1/site: critical "no"}, 150s: {web1/other: critical "down"}}',
        {100: reload_to(house, WITHOUT_SITE)},
        actions="{two: {does: heals, takes: 50s}}",
        lasts="4m",
    )
    found = {fact["of"]: fact["status"] for fact in facts(ended, "incident")}
    assert found["web1/site"] == "CLOSED"
    assert found["web1/other"] == "ESCALATED"


def test_a_rename_in_mid_attempt_lets_the_repair_end(house: House) -> None:
    """The attempt keeps the name of its day, under which the executor renders its plan."""
    ended = house.live(
        '{60s: {web1/site: critical "no"}}',
        {140: reload_to(house, RENAMED)},
        actions="{two: {does: heals, takes: 30s}}",
    )
    (incident,) = facts(ended, "incident")
    assert (incident["of"], incident["status"]) == ("web1/shop", "RESOLVED")
    (attempt,) = facts(ended, "attempt")
    assert (attempt["of"], attempt["says"]) == ("web1/site", "verified: 3 OKs after two")
    assert len(ended.world.effects) == 2
    assert ended._core.instance.beliefs.held == frozenset()


FARM = """
profile: standard
hosts: {"web[1-6]": {address: 127.0.0.1, groups: [web], login: none}}
groups: {web: {checks: {site: }}}
checks: {site: {tcp: {port: 80}, every: 30s, retry_every: 10s, attempts: 3, recoveries: 1}}
"""


def test_an_outage_of_a_group_that_is_gone_ends_with_its_items(house: House) -> None:
    """Some ease before they are well: the row of the outage still says who is in it."""
    house.write(FARM)
    sites = [f"web{number}/site" for number in range(1, 7)]
    bad, slow = (
        ", ".join(f'{site}: {how} "no"' for site in sites) for how in ("critical", "warning")
    )
    well = ", ".join(f"{site}: ok" for site in sites)
    ended = house.live(
        f"{{60s: {{{bad}}}, 300s: {{{slow}}}, 400s: {{{well}}}}}",
        {
            200: reload_to(
                house, FARM.replace("web]", "www]").replace("web: {checks", "www: {checks")
            )
        },
    )
    (incident,) = facts(ended, "incident")
    assert (incident["of"], incident["status"]) == ("group/web/site", "RESOLVED")


def test_two_reloads_at_once_follow_each_other(house: House) -> None:
    """The second is compared with what the first has made: it finds nothing to do."""
    told: list[object] = []

    async def both(core: Core) -> None:
        house.write(RENAMED)
        told.extend(await asyncio.gather(core.reload(by="kim"), core.reload(by="lee")))

    ended = house.live("{}", {100: both}, lasts="3m")
    assert "> web1/shop was web1/site: state and history move along" in str(told[0])
    assert list(told[1]) == []
    assert sorted(ended._core.catalog.checks) == ["web1/other", "web1/shop"]


JOB = """
hosts: {web1: {address: 127.0.0.1, login: none, checks: {nightly: }}}
checks: {nightly: {job: {every: 24h}, every: 60s}}
"""


async def job_fails(core: Core) -> None:
    await core.job_event(
        "web1/nightly", "fail", exit_code=3, output="disk full", at=core.now(), by="web1"
    )


def test_a_renamed_job_is_not_taken_for_a_new_one(house: House) -> None:
    house.write(JOB)
    renamed = JOB.replace("{nightly: }", "{export: }").replace(
        "nightly: {job", "export: {was: nightly, job"
    )
    ended = house.live("{}", {60: job_fails, 100: reload_to(house, renamed)}, lasts="3m")
    record = ended._core._jobs.record("web1/export", ended._core.now())
    assert (record.exit_code, record.output) == (3, "disk full")


def test_a_job_that_comes_back_is_remembered(house: House) -> None:
    house.write(JOB)
    without = JOB.replace("{nightly: }", "{site: }").replace(
        "nightly: {job: {every: 24h}", "site: {tcp: {port: 80}"
    )

    async def forget(core: Core) -> None:
        core._jobs._records.clear()  # as after a restart without the check

    deeds = {60: job_fails, 80: reload_to(house, without), 90: forget, 100: reload_to(house, JOB)}
    ended = house.live("{}", deeds, lasts="3m")
    record = ended._core._jobs.record("web1/nightly", ended._core.now())
    assert record.exit_code == 3


def test_broken_files_after_an_exceptions_end_are_read_once_a_minute(house: House) -> None:
    async def spoil(core: Core) -> None:
        house.write("hosts: [\n")
        core.instance.catalog = replace(core.catalog, expires=core.now())

    ended = house.live("{}", {60: spoil}, lasts="12m")
    assert ended._core.counters.reloads["failed"] == 11


DUTY = """
hosts: {web1: {address: 127.0.0.1, impact: high, checks: {site: }}}
checks: {site: {tcp: {port: 80}, every: 30s, retry_every: 10s, attempts: 2, ticket: at_once}}
people:
  kim: {ways: [{apprise: "json://127.0.0.1/kim"}]}
  lee: {ways: [{apprise: "json://127.0.0.1/lee"}]}
"""
FIRST = """
policies:
  first: {steps: [{tier: L1, tell: person/kim}, {tier: L2, tell: person/lee, after: 5m}]}
policy: first
"""
OTHER = FIRST.replace("first", "other").replace("person/kim", "person/lee")
FAILS = '{60s: {web1/site: critical "refused"}}'


def told(ended: Running) -> list[tuple[str, int]]:
    """Give whom the run told, and in which minute."""
    return [(fact["of"], int(fact["at"]) // 60) for fact in facts(ended, "notice")]


def reads(lines: list[str]) -> Callable[[Core], Awaitable[object]]:
    """Give the deed that notes what the timelines say of policies by then."""

    async def deed(core: Core) -> None:
        events = await core.store.read(lambda view: view.told(["policy"], Instant(0)))
        lines.extend(event.text for event in events)

    return deed


def test_a_policy_that_is_added_while_an_incident_waits_is_followed_from_then_on(
    house: House,
) -> None:
    house.write(DUTY)
    lines: list[str] = []
    deeds = {240: reload_to(house, DUTY + FIRST), 700: reads(lines)}
    ended = house.live(FAILS, deeds, lasts="12m")
    assert told(ended) == [("kim", 4), ("lee", 9)]
    assert lines == ["it follows the policy first from now on"]


def test_a_policy_that_is_taken_away_tells_nobody_any_more(house: House) -> None:
    house.write(DUTY + FIRST)
    lines: list[str] = []
    deeds = {240: reload_to(house, DUTY), 700: reads(lines)}
    ended = house.live(FAILS, deeds, lasts="12m")
    assert told(ended) == [("kim", 1)]
    assert lines == ["the policy first is gone: nobody is told any more"]


def test_another_policy_begins_at_the_tier_that_was_reached_and_a_changed_one_goes_on(
    house: House,
) -> None:
    house.write(DUTY + FIRST)
    lines: list[str] = []
    ended = house.live(
        FAILS,
        {
            400: reads(lines),
            120: reload_to(house, DUTY + FIRST.replace("5m", "10m")),
            240: reload_to(house, DUTY + OTHER),
        },
        lasts="8m",
    )
    assert told(ended) == [("kim", 1), ("lee", 4)]
    assert lines == [
        "the policy first has changed: it goes on as it says now",
        "it follows the policy other from now on, not first",
    ]
