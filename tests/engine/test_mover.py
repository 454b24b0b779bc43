"""One bug stops one row and not the house. The bugs are planted; all else is the real engine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from monitord.daemon.kinds import KINDS
from monitord.engine import ladder, ranking
from monitord.engine.scenario import run_files
from monitord.engine.scenario.world import START
from monitord.engine.turn import Turn

HOUSE = """
config:
  profile: standard
  hosts:
    web[1-2]: {address: "10.1.1.{n}", login: {ssh: {user: monitord, act: {user: repair}}}, checks: {site: }}
  checks: {site: {tcp: {port: 80}, every: 10s, attempts: 1, first_rung_after: 0s, remediate: [restart]}}
  runbooks:
    restart:
      mode: auto
      steps: [{systemd: {unit: nginx, do: restart}}]
      verify: {settle: 2s, oks: 1, within: 20s}
      limits: {per_incident: 1, cooldown: 10m}
given: {20s: {web1/site: critical "no answer", web2/site: critical "no answer"}}
actions: {restart: heals}
"""  # noqa: E501 - YAML
Bug = Callable[..., Any]


def second_of(turn: Turn) -> float:
    return (turn.now - START) / 1e6


def run(folder: Path, expect: str) -> tuple[tuple[str, ...], list[str]]:
    file = folder / "bug.test.yaml"
    file.write_text(HOUSE + expect)
    with structlog.testing.capture_logs() as logs:
        (report,) = run_files([file], KINDS)
    return report.failures, [line["event"] for line in logs if line["log_level"] == "error"]


def test_a_row_that_makes_a_stage_fail_waits_alone_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    climb = ladder.climb

    def buggy(turn: Turn) -> None:
        if turn.incident.key == "web1/site" and second_of(turn) < 60:
            raise ZeroDivisionError
        climb(turn)

    monkeypatch.setattr(ladder, "climb", buggy)
    failures, errors = run(
        tmp_path,
        """
expect:
  - {by: 50s, incident: web2/site, status: RESOLVED, cause: verified}
  - {at: 70s, incident: web1/site, status: OPEN}
  - {by: 2m, incident: web1/site, status: RESOLVED, cause: verified}
""",
    )
    assert failures == ()
    assert errors == ["a stage failed; its row is set aside"]


def test_a_transition_that_cannot_be_settled_keeps_no_other_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rank = ranking.rank

    def buggy(instance: Any, key: str, severity: Any, items: Any) -> str:
        if key == "web1/site" and (instance.now() - START) / 1e6 < 60:
            raise ZeroDivisionError
        return rank(instance, key, severity, items)

    monkeypatch.setattr(ranking, "rank", buggy)
    failures, errors = run(
        tmp_path,
        """
expect:
  - {by: 50s, incident: web2/site, status: RESOLVED, cause: verified}
  - {never: incident, of: web1/site, until: 70s}
  - {by: 3m, incident: web1/site, status: RESOLVED, cause: verified}
""",
    )
    assert failures == ()
    assert set(errors) == {"a stage failed; its row is set aside"}
    assert len(errors) < 10


def test_nothing_of_a_stage_that_fails_half_way_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt is written and its lock taken, then the bug comes: neither may stay."""
    note = Turn.note

    def buggy(turn: Turn, kind: str, text: str, **data: Any) -> None:
        if kind == "attempt-planned" and second_of(turn) < 60:
            raise ZeroDivisionError
        note(turn, kind, text, **data)

    monkeypatch.setattr(Turn, "note", buggy)
    failures, errors = run(
        tmp_path,
        """
expect:
  - {count: attempts, until: 60s, is: 0}
  - {count: effects, until: 60s, is: 0}
  - {count: incidents, cause: verified, is: 2}
  - {count: attempts, is: 2}
lasts: 3m
""",
    )
    assert failures == ()
    assert len(errors) == 2
