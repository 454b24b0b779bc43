"""The outbox: one ticket for each incident, in order, whatever becomes of the server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from monitord.errors import StaysClosedError, TicketError
from monitord.model.ticket import Delivery, OutboxItem, OutboxStatus
from tests.tickets.house import House, live


class Desk:
    """A ticket server in this process: what it took, and what it does with the next messages.

    `plan` holds, for each delivery to come, an error to raise before it is taken, or after.
    """

    lag = 5.0

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, dict[str, Any]]] = []
        self.tickets: dict[str, str] = {}
        self.blind = False
        self.plan: list[tuple[str, TicketError]] = []
        self.always: TicketError | None = None
        self.searches: list[float] = []
        self.times: list[float] = []
        self.clock: Callable[[], float] = lambda: 0.0

    def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
        self.times.append(self.clock())
        when, error = self.plan.pop(0) if self.plan else ("", None)
        if self.always is not None:
            raise self.always
        if error is not None and when == "before":
            raise error
        if not external:
            assert item.operation == "open", f"{item.operation} came before the ticket was known"
            assert item.key not in self.tickets, f"{item.key} has a second ticket"
            self.tickets[item.key] = f"T{len(self.tickets) + 1}"
        self.taken.append((item.key, str(item.operation), dict(ticket)))
        if error is not None:
            raise error
        return Delivery(external or self.tickets[item.key])


class Searched(Desk):
    """One that can be asked for a key; one that is `blind` finds nothing yet."""

    def find(self, key: str) -> str | None:
        self.searches.append(self.clock())
        if self.always is not None:
            raise self.always
        return None if self.blind else self.tickets.get(key)


UNKNOWN = TicketError("no answer within 5 s", permanent=False, unknown=True)
DOWN = TicketError("connection refused", permanent=False)


def story(tmp_path: Path, desk: Desk, tell: Callable[[House], Any]) -> None:
    async def whole(house: House) -> None:
        desk.clock = house.core.instance.clock.monotonic
        await tell(house)

    live(tmp_path, desk, whole)


def test_after_a_time_out_the_ticket_is_found_and_not_made_again(tmp_path: Path) -> None:
    desk = Searched()
    desk.plan = [("after", UNKNOWN)]

    async def tell(house: House) -> None:
        number = await house.escalate("web1/site")
        await house.until_sent(60)
        (item,) = await house.messages(number)
        assert (item.status, item.external) == (OutboxStatus.SENT, "T1")
        events = await house.core.store.read(lambda view: view.events(number))
        assert "open found in desk as T1" in [event.text for event in events]

    story(tmp_path, desk, tell)
    assert len(desk.taken) == 1
    assert desk.searches[0] >= desk.times[0] + desk.lag


def test_it_is_searched_twice_with_the_lag_between_before_it_is_made_again(tmp_path: Path) -> None:
    desk = Searched()
    desk.plan = [("before", UNKNOWN)]

    async def tell(house: House) -> None:
        await house.escalate("web1/site")
        await house.until_sent(60)

    story(tmp_path, desk, tell)
    first, second = desk.searches
    assert first - desk.times[0] >= desk.lag
    assert second - first >= desk.lag
    assert desk.times[1] >= second
    assert len(desk.tickets) == 1


def test_a_ticket_that_the_first_search_misses_is_found_by_the_second(tmp_path: Path) -> None:
    desk = Searched()
    desk.plan = [("after", UNKNOWN)]
    desk.blind = True

    async def tell(house: House) -> None:
        await house.escalate("web1/site")
        await house.until(lambda: desk.searches)
        desk.blind = False
        await house.until_sent(60)

    story(tmp_path, desk, tell)
    assert len(desk.tickets) == 1
    assert (len(desk.times), len(desk.searches)) == (1, 2)


def test_what_was_surely_not_taken_is_sent_again_without_a_search(tmp_path: Path) -> None:
    desk = Searched()
    desk.plan = [("before", DOWN)]

    async def tell(house: House) -> None:
        await house.escalate("web1/site")
        await house.until_sent(60)

    story(tmp_path, desk, tell)
    assert desk.searches == []
    assert len(desk.tickets) == 1


def test_a_crash_while_a_ticket_is_opened_makes_no_second_one(tmp_path: Path) -> None:
    """The row says before the request leaves that its outcome is in doubt."""
    stays = threading.Event()

    async def tell(house: House) -> None:
        number = await house.escalate("web1/site")
        await house.until(lambda: desk.taken, every=0.0)
        await house.crash()
        await house.until_sent(60)
        (item,) = await house.messages(number)
        assert item.external == "T1"

    class Slow(Searched):
        def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
            given = super().deliver(item, ticket, external)
            stays.wait(0.3)
            return given

    desk = Slow()
    story(tmp_path, desk, tell)
    assert len(desk.taken) == 1
    assert desk.searches


def test_a_server_that_was_down_for_an_hour_is_served_within_two_minutes(tmp_path: Path) -> None:
    desk = Searched()
    desk.always = UNKNOWN

    async def tell(house: House) -> None:
        numbers = [await house.escalate(f"h{n}/c") for n in range(4)]
        await asyncio.sleep(3600)
        assert not desk.taken
        desk.always = None
        assert await house.until_sent(120) <= 120
        for number in numbers:
            assert all(each.status is OutboxStatus.SENT for each in await house.messages(number))

    story(tmp_path, desk, tell)
    assert len(desk.tickets) == 4


def test_while_it_is_down_many_updates_become_one_and_the_end_is_not_lost(tmp_path: Path) -> None:
    desk = Searched()
    desk.always = DOWN

    async def tell(house: House) -> None:
        number = await house.escalate("web1/site")
        for turn in range(5):
            await house.update(number, summary=f"turn {turn}")
            await asyncio.sleep(30)
        await house.resolve(number)
        desk.always = None
        await house.until_sent(120)

    story(tmp_path, desk, tell)
    assert [operation for _, operation, _ in desk.taken] == ["open", "resolve"]
    assert desk.taken[0][2]["summary"] == "turn 4"


def test_an_open_that_may_have_been_taken_is_not_changed(tmp_path: Path) -> None:
    """Whoever has it already would drop the repeat, and the news with it."""
    desk = Desk()  # cannot be searched, as a webhook
    desk.plan = [("before", UNKNOWN)]

    async def tell(house: House) -> None:
        number = await house.escalate("web1/site")
        await house.until(lambda: desk.times)
        await house.update(number, summary="news")
        await house.update(number, summary="newer")
        await house.until_sent(60)

    story(tmp_path, desk, tell)
    said = [(operation, ticket["summary"]) for _, operation, ticket in desk.taken]
    assert said == [("open", "no answer, says web1/site"), ("update", "newer")]


def test_when_asked_to_wait_nothing_goes_to_that_server_before(tmp_path: Path) -> None:
    desk = Desk()
    desk.plan = [("before", TicketError("429", permanent=False, retry_after=300.0))]

    async def tell(house: House) -> None:
        await house.escalate("web1/site")
        await house.until(lambda: desk.times)
        await house.escalate("web2/site")
        await house.until_sent(400)

    story(tmp_path, desk, tell)
    first, second, third = desk.times
    assert min(second, third) - first >= 300


def test_a_message_tells_what_was_said_before(tmp_path: Path) -> None:
    """So that a backend sets a priority only where it is monitord that changed it."""
    desk = Desk()

    async def tell(house: House) -> None:
        number = await house.escalate("web1/site")
        await house.until_sent(30)
        await house.update(number, priority="P1", tier="L2")
        await house.until_sent(30)

    story(tmp_path, desk, tell)
    first, second = (ticket for _, _, ticket in desk.taken)
    assert "was" not in first
    assert second["was"] == {"priority": "P3", "tier": "L1"}
    assert (second["priority"], second["tier"]) == ("P1", "L2")


def test_what_is_refused_for_good_is_dead_and_does_not_hold_up_what_follows(
    tmp_path: Path,
) -> None:
    desk = Desk()

    async def tell(house: House) -> None:
        number = await house.escalate("web1/site")
        await house.until_sent(30)
        desk.plan = [("before", TicketError("422: too long", permanent=True))]
        await house.update(number, summary="x" * 50)
        await house.until_sent(30)
        await house.resolve(number)
        await house.until_sent(30)
        states = [str(item.status) for item in await house.messages(number)]
        assert states == ["SENT", "DEAD", "SENT"]

    story(tmp_path, desk, tell)


def test_a_ticket_that_stays_closed_is_followed_by_one_and_a_time_out_makes_no_third(
    tmp_path: Path,
) -> None:
    desk = Searched()

    async def tell(house: House) -> None:
        number = await house.escalate("web1/site")
        await house.until_sent(30)
        await house.resolve(number)
        await house.until_sent(30)
        desk.plan = [("before", StaysClosedError("T1 stays closed: no")), ("after", UNKNOWN)]
        await house.escalate_again(number)
        await house.until_sent(60)
        await house.update(number, summary="worse")
        await house.until_sent(60)
        (told,) = [each.text for each in await house.events(number) if each.kind == "followed"]
        assert told == "desk: T1 stays closed: no; another ticket follows it"
        assert [str(item.status) for item in await house.messages(number)] == ["SENT"] * 4

    story(tmp_path, desk, tell)
    assert len(desk.tickets) == 2
    assert [(key.partition("-")[2], operation) for key, operation, _ in desk.taken] == [
        ("1", "open"),
        ("1", "resolve"),
        ("1.2", "open"),
        ("1", "update"),
    ]
    assert desk.taken[2][2]["follows"] == "T1"


class Forgetful(Desk):
    """One that forgets what is not said again."""

    resend = 60.0


def test_what_a_server_would_forget_is_said_again_until_it_is_over(tmp_path: Path) -> None:
    desk = Forgetful()

    async def tell(house: House) -> None:
        number = await house.escalate("web1/site")
        await asyncio.sleep(600)
        assert 9 <= len(desk.taken) <= 12
        assert json.dumps(desk.taken[-1][2]["summary"]) == '"no answer, says web1/site"'
        await house.resolve(number)
        await house.until_sent(30)
        said = len(desk.taken)
        await asyncio.sleep(600)
        assert len(desk.taken) == said
        assert [str(item.operation) for item in await house.messages(number)] == ["open", "resolve"]

    story(tmp_path, desk, tell)
    assert desk.taken[-1][1] == "resolve"


@pytest.mark.parametrize("kind", [Desk, Searched])
def test_a_bug_in_a_backend_loses_nothing(tmp_path: Path, kind: type[Desk]) -> None:
    desk = kind()
    desk.always = KeyError("id")  # type: ignore[assignment]  # any exception

    async def tell(house: House) -> None:
        await house.escalate("web1/site")
        await asyncio.sleep(60)
        desk.always = None
        await house.until_sent(120)

    story(tmp_path, desk, tell)
    assert len(desk.tickets) == 1
