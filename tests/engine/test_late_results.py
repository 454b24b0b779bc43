"""A result counts for the check that was asked, and for none that stands in its place since."""

from __future__ import annotations

from collections.abc import Callable

from monitord.model.catalog import Catalog
from monitord.model.ids import CheckKey, StateKey
from monitord.model.result import Result
from tests.engine.conftest import Kept, at

TWO = """
hosts: {web1: {address: 127.0.0.1, login: none, checks: {site: , mail: }}}
checks:
  site: {tcp: {port: 80}, every: 30s}
  mail: {tcp: {port: 25}, every: 30s}
"""
SITE = CheckKey("web1/site")
LATE = [Result.critical("no answer")]


def test_a_late_result_does_not_revive_a_removed_check(
    catalog: Callable[[str], Catalog],
) -> None:
    kept, old = Kept(), catalog(TWO)
    beliefs = kept.beliefs()
    beliefs.use(old, at(0))
    beliefs.drop(StateKey(SITE))
    beliefs.use(catalog(TWO.replace("site: , ", "")), at(1))
    assert beliefs.absorb(old.checks[SITE], LATE, at(2)) is None
    assert StateKey(SITE) not in beliefs.states
    assert kept.states == []


def test_a_late_result_of_another_target_does_not_count(
    catalog: Callable[[str], Catalog],
) -> None:
    kept, old = Kept(), catalog(TWO)
    beliefs = kept.beliefs()
    beliefs.use(old, at(0))
    beliefs.use(catalog(TWO.replace("port: 80", "port: 81")), at(1))
    beliefs.absorb(old.checks[SITE], LATE, at(2))
    assert kept.states == []


def test_a_result_that_was_under_way_when_other_lines_changed_counts(
    catalog: Callable[[str], Catalog],
) -> None:
    kept, old = Kept(), catalog(TWO)
    beliefs = kept.beliefs()
    beliefs.use(old, at(0))
    beliefs.use(catalog(TWO.replace("port: 25", "port: 26")), at(1))
    beliefs.absorb(old.checks[SITE], LATE, at(2))
    assert [state.key for state in kept.states] == [SITE]
