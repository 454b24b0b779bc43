"""The five orders do what their matrix says, cell by cell, and docs/orders.md says the same.

Each order is given in the middle of one story: a check fails, its ticket is out, its repair is due.
"""

import asyncio
import re
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from monitord.api import views
from monitord.daemon.kinds import KINDS
from monitord.decisions.verbs import MATRIX, line
from monitord.engine.scenario.file import read
from monitord.engine.scenario.run import Running, load
from monitord.engine.virtual_time import Door, VirtualLoop, run
from monitord.model.ticket import Verb

PAGE = (Path(__file__).parents[2] / "docs" / "orders.md").read_text(encoding="utf-8")
GIVEN_AT = 60.0
COLUMNS = ("repairs", "pages", "tickets meanwhile", "the line")
STORY = """
config:
  profile: standard
  hosts: {web1: {address: 127.0.0.1, login: {local: {act: true}}, checks: {site: }}}
  checks: {site: {tcp: {port: 80}, every: 10s, attempts: 1, first_rung_after: 60s,
                  ticket: at_once, remediate: [restart]}}
  runbooks:
    restart:
      mode: auto
      steps: [{systemd: {unit: nginx, do: restart}}]
      verify: {settle: 5s, oks: 1, within: 30s}
      limits: {per_incident: 1, cooldown: 10m}
given: {20s: {web1/site: critical "no answer"}}
do: {60s: {VERB: web1, lasts: 8h}}
expect: [{never: state, of: nothing/at all}]
lasts: 6m
"""


class Story(Running):
    """A run that is looked at as a person would, before it ends."""

    lines: list[str]
    explained: list[str]

    async def _end(self) -> None:
        core = self._core
        shown = await core.store.read(
            lambda view: views.orders(
                view, core.states(), core.catalog, every=False, limit=9, now=core.now()
            )
        )
        self.lines = shown["hidden"]
        orders = (await core.commands.explain("web1/site"))["orders"]
        self.explained = [f"{order['verb']} by {order['by']}: {order['means']}" for order in orders]
        await super()._end()


def live(verb: Verb) -> Story:
    door = Door()
    loop = VirtualLoop(door)
    asyncio.set_event_loop(loop)
    try:
        with tempfile.TemporaryDirectory() as name:
            file = Path(name) / "story.test.yaml"
            file.write_text(STORY.replace("VERB", verb))
            catalog = load(read(file), Path(name), KINDS)
            story = Story(read(file).scenario, catalog, KINDS, loop, door, Path(name))
            run(story.go(), loop)
    finally:
        asyncio.set_event_loop(None)
    return story


@cache
def observed(verb: Verb) -> Mapping[str, str]:
    """Give the row of the table that the engine lived."""
    story = live(verb)
    assert story.broken == []
    assert story.explained == [f"{verb} by kim: {MATRIX[verb].about}"]
    facts = story.history.samples[-1].facts
    (ticket,) = [fact for fact in facts if fact["what"] == "ticket"]
    pages = [page.at for page in story.world.pages]
    assert pages[0] < GIVEN_AT  # the ticket was out before the order
    assert [fact["hard"] for fact in facts if fact["what"] == "state"] == ["CRITICAL"]  # shown
    return {
        "repairs": "yes" if story.world.effects else "no",
        "pages": "yes" if len(pages) > 1 else "no",
        "tickets meanwhile": ticket["status"],
        "the line": "".join(story.lines),
    }


def written(verb: Verb) -> Mapping[str, str]:
    """Give the row of the table in the docs."""
    rows = [re.split(r" *\| *", row)[1:-1] for row in re.findall(r"^\|.*\|$", PAGE, re.MULTILINE)]
    table = {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[2:]}
    assert set(table) == set(Verb)
    return table[verb]


def meant(verb: Verb) -> Mapping[str, str]:
    """Give the row of the table by the matrix."""
    meaning = MATRIX[verb]
    return {
        "repairs": "yes" if meaning.acts else "no",
        "pages": "yes" if meaning.pages else "no",
        "tickets meanwhile": "ACKED" if meaning.in_hand else "OPEN",
        "the line": line(verb, 1, "1 CRITICAL"),
    }


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("verb", Verb)
def test_an_order_does_what_the_matrix_and_the_page_say(verb: Verb, column: str) -> None:
    assert observed(verb)[column] == meant(verb)[column] == written(verb)[column]


def test_of_several_orders_the_line_says_how_many() -> None:
    assert line(Verb.MUTE, 14, "3 CRITICAL") == "14 mutes hide 3 CRITICAL"
    assert line(Verb.TAKE, 2, "1 WARNING") == "2 takes hide 1 WARNING"
    assert line(Verb.HALT, 2, "1 WARNING") == "2 halts hold repairs of 1 WARNING"
    assert line(Verb.MAINTENANCE, 2, "1 WARNING") == "2 maintenance hide 1 WARNING"
