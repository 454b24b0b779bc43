"""Answers of people to waiting plans and about runbooks: what is refused, and what holds after it.

What people see of it over time are promises (tests/behaviour); here is what they are told.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from monitord import links
from monitord.engine.core import Core
from monitord.engine.linking import link_of
from monitord.errors import CommandRefusedError, NotFoundError
from monitord.model.ids import AttemptId
from monitord.model.incident import Attempt, AttemptStatus
from monitord.pings import read_secret
from tests.engine.asked import Ask, ask_at_the_end

CONFIG = """
config:
  profile: {profile}
  hosts: {{web1: {{address: 127.0.0.1, login: {{local: {{act: true}}}}, checks: {{site: }}}}}}
  checks:
    site: {{tcp: {{port: 80}}, every: 30s, retry_every: 10s, attempts: 2, remediate: [fix]}}
  runbooks:
    fix:
      mode: {mode}
      owner: kim
      steps: [{{systemd: {{unit: nginx, do: restart}}}}]
      verify: {{settle: 15s, oks: 3, within: 2m}}
      limits: {{per_incident: 1, cooldown: 10m}}
      trust: {{promote: {{after: 1}}, demote: {{below: 10%}}}}
given: {{60s: {{web1/site: critical "refused"}}}}
lasts: 5m
"""
RESTART = "sudo systemctl restart nginx.service"
REST = "expect: [{at: 1m, state: web1/site}]\n"


def at_its_end(ask: Ask, mode: str = "approve", profile: str = "standard", more: str = "") -> None:
    """Let five minutes of a broken site pass, then ask."""
    ask_at_the_end(CONFIG.format(mode=mode, profile=profile) + more + REST, ask)


async def attempt_of(core: Core) -> Attempt:
    (found,) = await core.store.read(lambda view: view.attempts())
    return found


async def word_of(core: Core) -> str:
    return link_of(core.instance, await attempt_of(core)).rpartition("/")[2]


def test_a_link_works_once_and_outlives_a_step_of_the_clock() -> None:
    async def ask(core: Core) -> None:
        word = await word_of(core)
        assert (await attempt_of(core)).approve_key == links.digest(word)
        assert (await core.approvals.show(word))["plan"][0]["text"] == RESTART
        for wrong in ("", word[:-1], word + "0"):
            with pytest.raises(NotFoundError, match="not valid"):
                await core.approvals.by_link(wrong)
        await core.approvals.approve((await core.approvals.by_link(word)).id, by="kim (by link)")
        with pytest.raises(NotFoundError, match="not valid"):
            await core.approvals.by_link(word)
        assert (await attempt_of(core)).approve_key == ""
        assert link_of(core.instance, await attempt_of(core)) == ""

    at_its_end(ask, more="do: {4m: {clock: 2m}}\n")


def test_monitord_web_cannot_make_the_link_of_a_plan_that_it_can_read() -> None:
    async def ask(core: Core) -> None:
        attempt, state = await attempt_of(core), Path(core.instance.state)
        forged = links.word(read_secret(state, create=True), attempt.id, attempt.plan)
        with pytest.raises(NotFoundError, match="not valid"):
            await core.approvals.by_link(forged)
        assert (state / "link-secret").stat().st_mode & 0o777 == 0o600

    at_its_end(ask)


def test_a_yes_that_a_guard_refuses_is_told_so_and_the_plan_goes_on_waiting() -> None:
    async def ask(core: Core) -> None:
        with pytest.raises(CommandRefusedError, match=r"refused by halt: .*it still waits"):
            await core.approvals.approve(AttemptId(1), by="kim")
        assert (await attempt_of(core)).status is AttemptStatus.APPROVAL
        assert await core.store.read(lambda view: view.held_locks()) == {}
        with pytest.raises(CommandRefusedError, match="an operator ends what others gave"):
            await core.orders.end("*", by="lee", own=True)
        await core.orders.end("*", by="kim")
        await core.approvals.approve(AttemptId(1), by="kim")
        approved = await attempt_of(core)
        assert (approved.status, approved.approved_by) == (AttemptStatus.RUNNING, "kim")
        with pytest.raises(CommandRefusedError, match="attempt 1 is RUNNING"):
            await core.approvals.approve(AttemptId(1), by="kim")

    at_its_end(ask, more="do: {4m: {halt: '*'}}\n")


def test_a_no_has_a_reason_and_nobody_answers_for_what_is_not_there() -> None:
    async def ask(core: Core) -> None:
        with pytest.raises(CommandRefusedError, match="needs a reason"):
            await core.approvals.deny(AttemptId(1), by="kim", reason=" ")
        with pytest.raises(NotFoundError, match="no attempt 9"):
            await core.approvals.deny(AttemptId(9), by="kim", reason="moved")

    at_its_end(ask)


def test_what_stands_against_a_promotion_is_told() -> None:
    async def ask(core: Core) -> None:
        for name, by, reason, told in (
            ("fix", "kim", "proven", "kim wrote fix"),
            ("fix", "alex", " ", "needs a reason"),
            ("fix", "alex", "proven", "tried 0 times, and needs 1"),
        ):
            with pytest.raises(CommandRefusedError, match=told):
                await core.trusting.promote(name, by=by, reason=reason)
        with pytest.raises(NotFoundError, match=r"known are .*fix"):
            await core.trusting.promote("other", by="alex", reason="proven")
        standing = {row["runbook"]: row for row in await core.trusting.standing()}
        assert (standing["fix"]["mode"], standing["fix"]["next"]) == ("approve", "auto")
        shown = await core.trusting.promotion("fix", by="alex")
        assert shown["why_not"] == "it was tried 0 times, and needs 1"
        assert shown["checks"] == [{"key": "web1/site", "mode": "approve", "next": "auto"}]
        assert "kim wrote fix" in (await core.trusting.promotion("fix", by="kim"))["why_not"]

    at_its_end(ask)


def test_no_record_lifts_a_runbook_over_the_profile() -> None:
    async def ask(core: Core) -> None:
        with pytest.raises(CommandRefusedError, match="neither the profile"):
            await core.trusting.promote("fix", by="alex", reason="proven")
        (rung,) = (await core.commands.explain("web1/site"))["ladder"]
        assert (rung["mode"], rung["from"]) == ("shadow", "configuration and profile")

    at_its_end(ask, mode="auto", profile="cautious")


def test_from_shadow_a_runbook_rises_by_the_cases_that_were_seen() -> None:
    async def ask(core: Core) -> None:
        assert await core.trusting.promote("fix", by="alex", reason="it fits") == "approve"
        (rung,) = (await core.commands.explain("web1/site"))["ladder"]
        assert rung["from"] == "promoted to approve by alex: it fits"
        assert rung["mode"] == "approve"

    at_its_end(ask, mode="shadow")


def test_only_what_changed_something_can_be_wrong_and_only_once() -> None:
    async def ask(core: Core) -> None:
        told = await core.trusting.wrong(AttemptId(1), by="kim", reason="it dropped the cache")
        assert "fix" in told  # it has no undo
        with pytest.raises(CommandRefusedError, match="called it wrong already"):
            await core.trusting.wrong(AttemptId(1), by="alex", reason="again")
        with pytest.raises(NotFoundError, match="no attempt 9"):
            await core.trusting.wrong(AttemptId(9), by="kim", reason="x")
        (rung,) = (await core.commands.explain("web1/site"))["ladder"]
        assert (rung["mode"], rung["from"][:29]) == ("approve", "demoted to approve by kim: at")

    at_its_end(ask, mode="auto")


def test_a_plan_that_waits_cannot_be_wrong() -> None:
    async def ask(core: Core) -> None:
        with pytest.raises(CommandRefusedError, match="changed nothing"):
            await core.trusting.wrong(AttemptId(1), by="kim", reason="x")

    at_its_end(ask)
