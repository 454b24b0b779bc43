"""What failed while a parent was away counts for nothing once the parent is back."""

from __future__ import annotations

from collections.abc import Callable

from monitord.model.catalog import Catalog
from monitord.model.ids import CheckKey, StateKey
from monitord.model.result import Result, Status
from tests.engine.conftest import Kept, at

BEHIND = """
hosts:
  sw1: {address: 127.0.0.2, login: none, checks: {reach: }}
  sw2: {address: 127.0.0.3, login: none, checks: {reach: }}
  web1: {address: 127.0.0.1, login: none, behind: BEHIND, checks: {site: }}
checks:
  reach: {icmp: {}, every: 30s, attempts: 1, recoveries: 1}
  site: {tcp: {port: 80}, every: 30s, attempts: 2}
"""
ONE, BOTH = BEHIND.replace("BEHIND", "sw1"), BEHIND.replace("BEHIND", "{any: [sw1, sw2]}")
SITE, REACH, OTHER = CheckKey("web1/site"), CheckKey("sw1/reach"), CheckKey("sw2/reach")
BAD, GOOD = [Result.critical("no answer")], [Result.ok("answers")]


def story(catalog: Catalog, *told: tuple[CheckKey, list[Result]]) -> Status:
    """Tell results, one a second, and give what is believed of the site."""
    beliefs = Kept().beliefs()
    beliefs.use(catalog, at(0))
    for second, (key, results) in enumerate(told, start=1):
        beliefs.absorb(catalog.checks[key], results, at(second))
    return beliefs.states[StateKey(SITE)].hard


WELL = ((REACH, GOOD), (OTHER, GOOD), (SITE, GOOD))


def test_a_probe_begun_in_the_outage_that_ends_after_it_is_not_the_last_attempt(
    catalog: Callable[[str], Catalog],
) -> None:
    outage = ((SITE, BAD), (REACH, BAD), (REACH, GOOD), (SITE, BAD))
    assert story(catalog(ONE), *WELL, *outage) is Status.OK


def test_what_stays_bad_after_it_is_hard_by_its_own_attempts(
    catalog: Callable[[str], Catalog],
) -> None:
    outage = ((SITE, BAD), (REACH, BAD), (REACH, GOOD), (SITE, BAD), (REACH, GOOD), (SITE, BAD))
    assert story(catalog(ONE), *WELL, *outage) is Status.CRITICAL


def test_one_of_two_ways_that_comes_back_excuses_nothing(
    catalog: Callable[[str], Catalog],
) -> None:
    outage = ((SITE, BAD), (REACH, BAD), (REACH, GOOD), (OTHER, GOOD), (SITE, BAD))
    assert story(catalog(BOTH), *WELL, *outage) is Status.CRITICAL
