"""What people do to a ticket where they work: it is told here, and respected."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from monitord.clock import after
from monitord.decisions.promises import deadline
from monitord.decisions.ticket_document import iso
from monitord.errors import TicketError
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import IncidentStatus
from monitord.model.ticket import Delivery, Event, OutboxItem, Remark, Remote, TicketStatus, Verb
from tests.tickets.house import House, live


class Desk:
    """A ticket server in this process whose one ticket a test changes as a person would."""

    def __init__(self) -> None:
        self.there = Remote("new", closed=False, priority="P3", url="https://desk.example.com/7")
        self.said: list[tuple[str, Mapping[str, Any]]] = []
        self.reads = 0
        self.broken = False
        self.assigns = ""
        self.wants: float | None = None  # seconds of quiet
        self.forbids = 0  # looks to come

    def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
        self.said.append((str(item.operation), ticket))
        return Delivery(external or "7", owner="" if external else self.assigns)

    def read(self, external: str, since: Instant) -> Remote | None:  # noqa: ARG002 - the contract
        self.reads += 1
        if self.broken:
            text = "127.0.0.1 answered 500"
            raise TicketError(text, permanent=False, retry_after=self.wants)
        if self.forbids:
            self.forbids -= 1
            raise TicketError("127.0.0.1 answered 403", permanent=False)
        assert external == "7"
        return self.there


def lines(events: list[Event], kind: str) -> list[str]:
    return [event.text for event in events if event.kind == kind]


async def timeline(house: House, number: IncidentId) -> list[Event]:
    return await house.core.store.read(lambda view: view.events(number))


def test_an_owner_there_is_an_acknowledgement_here(tmp_path: Path) -> None:
    desk = Desk()

    async def tell(house: House) -> None:
        number = await house.escalate("h/c")
        await asyncio.sleep(70)
        desk.there = replace(desk.there, owner="anna")
        await asyncio.sleep(150)
        events = await timeline(house, number)
        assert lines(events, "owner-there") == ["anna owns 7 in desk"]
        orders = await house.core.store.read(lambda view: view.orders(at=house.core.now()))
        assert [(o.verb, o.selector, o.by, o.until_ok) for o in orders] == [
            (Verb.ACK, "h/c", "anna in desk", True)
        ]
        (ticket,) = await house.core.store.read(lambda view: view.tickets())
        assert ticket.status is TicketStatus.ACKED

    live(tmp_path, desk, tell)


def test_a_priority_that_a_person_set_is_not_set_again(tmp_path: Path) -> None:
    desk = Desk()

    async def tell(house: House) -> None:
        number = await house.escalate("h/c")
        await asyncio.sleep(70)
        desk.there = replace(desk.there, priority="P1")
        await asyncio.sleep(70)
        assert lines(await timeline(house, number), "priority-there") == [
            "7 in desk is P1 now; its priority is left to people"
        ]
        await house.update(number, priority="P2")
        await house.until_sent(30)

    live(tmp_path, desk, tell)
    ticket = desk.said[-1][1]
    assert ticket["priority"] == ticket["was"]["priority"] == "P2"  # none of it is news


def test_a_due_date_there_is_a_deadline_here_until_it_is_taken_away(tmp_path: Path) -> None:
    """A date is wanted by its end; the earlier of two places counts."""
    desk = Desk()

    async def tell(house: House) -> None:
        number = await house.escalate("h/c")
        await asyncio.sleep(70)
        desk.there = replace(desk.there, due="2027-01-16")
        await asyncio.sleep(70)
        events = await timeline(house, number)
        assert lines(events, "deadline-there") == ["7 in desk is due 2027-01-16 there"]
        found = deadline(events)
        assert found is not None
        assert (iso(found.at), found.whose) == ("2027-01-17T00:00:00Z", "7 in desk")
        row = await house.core.store.read(lambda view: view.incident(number))
        assert row is not None
        assert row.page_at is not None  # its clock calls half way there
        sooner = after(house.core.now(), timedelta(hours=3))
        await house.core.levels.deadline(number, sooner, by="kim", reason="audit")
        earliest = deadline(await timeline(house, number))
        assert earliest is not None
        assert earliest.at == sooner
        await house.core.levels.deadline(number, None, by="kim", reason="no audit")
        desk.there = replace(desk.there, due="")
        await asyncio.sleep(70)
        events = await timeline(house, number)
        assert lines(events, "deadline-there")[1:] == ["7 in desk is due no more"]
        assert deadline(events) is None

    live(tmp_path, desk, tell)


def test_one_word_for_several_priorities_is_no_change(tmp_path: Path) -> None:
    desk = Desk()
    desk.there = replace(desk.there, priority="P3/P4")

    async def tell(house: House) -> None:
        number = await house.escalate("h/c")
        await asyncio.sleep(130)
        assert lines(await timeline(house, number), "priority-there") == []

    live(tmp_path, desk, tell)


def test_a_ticket_closed_there_while_it_still_fails_is_told_so_once(tmp_path: Path) -> None:
    desk = Desk()

    async def tell(house: House) -> None:
        number = await house.escalate("h/c")
        await asyncio.sleep(70)
        desk.there = replace(desk.there, status="rejected", closed=True)
        await asyncio.sleep(400)
        incident = await house.core.store.read(lambda view: view.incident(number))
        assert incident is not None
        assert incident.status is IncidentStatus.ESCALATED
        closed = lines(await timeline(house, number), "closed-there")
        assert closed == ["7 in desk was closed (rejected) there"]

    live(tmp_path, desk, tell)
    comments = [ticket["comment"] for operation, ticket in desk.said if operation == "comment"]
    assert len(comments) == 1
    assert "h/c still fails" in comments[0]
    assert [operation for operation, _ in desk.said] == ["open", "comment"]


def test_what_people_write_there_stands_on_the_timeline_once(tmp_path: Path) -> None:
    desk = Desk()
    first = Remark("81", Instant(0), "anna", "looking\nat it \u202e")

    async def tell(house: House) -> None:
        number = await house.escalate("h/c")
        await asyncio.sleep(70)
        desk.there = replace(desk.there, remarks=(first,))
        await asyncio.sleep(130)
        desk.there = replace(desk.there, remarks=(first, replace(first, id="82", text="found")))
        await asyncio.sleep(130)
        told = [each for each in await timeline(house, number) if each.kind == "remark-there"]
        assert [each.actor for each in told] == ["anna", "anna"]
        assert told[0].text.isprintable()
        assert told[1].text == "on 7 in desk: found"

    live(tmp_path, desk, tell)


def test_a_server_that_cannot_be_read_changes_nothing(tmp_path: Path) -> None:
    desk = Desk()
    desk.broken = True

    async def tell(house: House) -> None:
        number = await house.escalate("h/c")
        await asyncio.sleep(200)
        assert desk.reads >= 3
        kinds = {event.kind for event in await timeline(house, number)}
        assert not {kind for kind in kinds if kind.endswith("-there")}

    live(tmp_path, desk, tell)


def test_what_is_over_is_not_read(tmp_path: Path) -> None:
    desk = Desk()

    async def tell(house: House) -> None:
        number = await house.escalate("h/c")
        await asyncio.sleep(30)
        await house.resolve(number)
        await house.until_sent(30)
        reads = desk.reads
        await asyncio.sleep(200)
        assert desk.reads == reads

    live(tmp_path, desk, tell)


def test_whom_the_server_gave_a_new_ticket_to_has_not_taken_it(tmp_path: Path) -> None:
    """A default assignee acknowledges nothing: they have not looked, and somebody must be woken."""
    desk = Desk()
    desk.assigns = "lead"
    desk.there = replace(desk.there, owner="lead")

    async def tell(house: House) -> None:
        number = await house.escalate("h/c")
        await asyncio.sleep(150)
        assert not await house.core.store.read(lambda view: view.orders(at=house.core.now()))
        (told,) = lines(await timeline(house, number), "delivered")
        assert told == "open delivered to desk as 7, which gave it to lead"
        desk.there = replace(desk.there, owner="anna")
        await asyncio.sleep(130)
        orders = await house.core.store.read(lambda view: view.orders(at=house.core.now()))
        assert [order.by for order in orders] == ["anna in desk"]

    live(tmp_path, desk, tell)


def test_a_priority_that_an_ack_kept_from_a_ticket_is_not_a_persons_there(tmp_path: Path) -> None:
    desk = Desk()

    async def tell(house: House) -> None:
        number = await house.escalate("h/c")
        await asyncio.sleep(70)
        desk.there = replace(desk.there, owner="anna")
        await asyncio.sleep(130)
        await house.update(number, priority="P1")  # kept quiet by the ack
        desk.there = replace(desk.there, closed=True, status="rejected")  # answered by a comment
        await asyncio.sleep(130)
        assert lines(await timeline(house, number), "priority-there") == []
        (order,) = await house.core.store.read(lambda view: view.orders(at=house.core.now()))
        await house.core.orders.end(order.id, by="kim")
        await house.until(lambda: desk.said[-1][0] == "update")

    live(tmp_path, desk, tell)
    assert [operation for operation, _ in desk.said] == ["open", "comment", "update"]
    assert desk.said[-1][1]["was"]["priority"] == "P3"  # so P1 is news, and is set


def test_a_server_that_wants_quiet_is_not_read_either(tmp_path: Path) -> None:
    desk = Desk()
    desk.broken, desk.wants = True, 600.0

    async def tell(house: House) -> None:
        number = await house.escalate("h/c")
        await house.until(lambda: desk.reads == 1)
        said = len(desk.said)
        await house.update(number, summary="still nothing")
        await asyncio.sleep(500)
        assert (desk.reads, len(desk.said)) == (1, said)
        await asyncio.sleep(200)
        assert desk.reads > 1
        assert len(desk.said) > said

    live(tmp_path, desk, tell)


def test_a_ticket_that_cannot_be_read_hides_none_behind_it(tmp_path: Path) -> None:
    desk = Desk()

    async def tell(house: House) -> None:
        for key in ("h/a", "h/b", "h/c"):
            await house.escalate(key)
        await asyncio.sleep(5)
        desk.forbids, before = 2, desk.reads
        await asyncio.sleep(70)
        assert desk.reads >= before + 3

    live(tmp_path, desk, tell)
