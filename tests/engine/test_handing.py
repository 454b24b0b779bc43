"""Whom a person can hand an incident on to, what is refused, and what a vendor's summary holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitord.engine.core import Core
from monitord.errors import CommandRefusedError, NotFoundError
from monitord.model.ids import IncidentId, Instant
from monitord.model.ticket import Verb
from tests.engine.asked import ask_at_the_end

DUTY = (Path(__file__).parents[1] / "behaviour" / "duty.yaml").read_text(encoding="utf-8")
ONE = IncidentId(1)


def story(config: str = DUTY, lasts: str = "4m") -> str:
    indented = "\n".join(f"  {line}" for line in config.splitlines())
    return (
        f"config:\n{indented}\n"
        'given:\n  60s: {web1/site: critical "refused"}\n'
        "expect:\n  - {by: 2m, incident: web1/site}\n"
        f"lasts: {lasts}\n"
    )


async def to_the_end(core: Core) -> None:
    with pytest.raises(NotFoundError, match="there is no incident 9; `monitord incidents`"):
        await core.handing.on(IncidentId(9), by="kim", reason="x")
    with pytest.raises(CommandRefusedError, match="needs a reason; add --reason"):
        await core.handing.on(ONE, by="kim", reason=" ")
    told = await core.handing.on(ONE, by="ann", reason="not mine")
    # kim is told again with lee: the rotation stands in both steps
    assert told == {"tier": "L2", "people": ["kim", "lee"], "vendors": []}
    told = await core.handing.on(ONE, by="lee", reason="the boss must know")
    assert told == {"tier": "L3", "people": ["boss"], "vendors": []}
    with pytest.raises(
        CommandRefusedError, match="L3 is the last tier of the policy standard, and was told"
    ):
        await core.handing.on(ONE, by="lee", reason="again")
    audit = await core.store.read(lambda view: [row.act for row in view.audit_rows()])
    assert audit.count("next") == 2
    await core.commands.close(ONE, by="kim", reason="done")
    with pytest.raises(
        CommandRefusedError, match=r"\(web1/site\) is CLOSED: nobody need be called"
    ):
        await core.handing.on(ONE, by="kim", reason="x")


def test_it_goes_up_tier_by_tier_to_the_last_and_no_further() -> None:
    ask_at_the_end(story(), to_the_end)


async def nobody_to_call(core: Core) -> None:
    with pytest.raises(CommandRefusedError, match="has no policy, so nobody is next"):
        await core.handing.on(ONE, by="kim", reason="x")


def test_without_a_policy_nobody_is_next() -> None:
    ask_at_the_end(story(DUTY.replace("policy: standard", "")), nobody_to_call)


async def muted(core: Core) -> None:
    ends = Instant(core.now() + 3_600_000_000)
    order = await core.orders.give(Verb.MUTE, "web1", by="ann", reason="noisy", expires=ends)
    with pytest.raises(CommandRefusedError, match=f"mute of web1 by ann .* resume {order.id}"):
        await core.handing.on(ONE, by="kim", reason="x")
    lines = await core.store.read(lambda view: [event.kind for event in view.events(ONE)])
    assert "handed-on" not in lines


def test_a_mute_is_ended_first() -> None:
    ask_at_the_end(story(), muted)


async def nobody_but_kim(core: Core) -> None:
    told = await core.handing.on(ONE, by="kim.w", reason="I cannot")
    assert told["people"] == ["boss"]


def test_who_hands_it_on_is_not_called_back() -> None:
    """The tier of which only they are on call is passed over."""
    config = DUTY.replace("kim: {ways", "kim: {login: kim.w, ways").replace(
        "[rotation/desk, person/lee]", "rotation/desk"
    )
    ask_at_the_end(story(config), nobody_but_kim)


VENDORS = DUTY.replace(
    "person/boss, after: 30m}", "[person/boss, vendor/acme], after: 30m}"
).replace("- {tier: L3", "- {tier: L4") + (
    'vendors: {acme: {contract: C-77, contact: "+49 731 1", respond: 4h}}\n'
    "services: {shop: {sla: gold, impact: high, checks: [web1/site]}}\n"
    "slas: {gold: {P2: {resolve: 4h}}}\n"
)


async def to_the_vendor(core: Core) -> None:
    for reason in ("not mine", "secret plan"):
        told = await core.handing.on(ONE, by="ann", reason=reason)
    assert told == {"tier": "L4", "people": ["boss"], "vendors": ["acme"]}
    events = await core.store.read(lambda view: view.events(ONE))
    lines = [event for event in events if event.kind == "paged"][-1].data["summary"]
    place = next(n for n, line in enumerate(lines) if line.startswith("call acme"))
    inside, theirs = "\n".join(lines[:place]), "\n".join(lines[place:])
    assert "+49 731 1" in theirs
    assert "contract C-77" in theirs
    assert "web1/site: CRITICAL: refused" in theirs
    assert "gold, resolve within 4h" in inside
    assert "for shop (SLA gold, impact high)" in inside
    for ours in ("kim", "lee", "boss", "ann", "secret plan", "gold", "monitord ", "shop"):
        assert ours not in theirs, ours


def test_a_vendor_reads_what_is_broken_and_the_contract_and_nothing_of_the_house() -> None:
    ask_at_the_end(story(VENDORS), to_the_vendor)
