"""Follows the core's event stream and measures what became of a fault. It decides nothing.

Every number in the summary is a difference of two moments: when the command ran, and when the core
says that something happened.
"""

import queue
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitord.control import Core
from monitord.demo import DemoError
from monitord.demo.faults import Fault
from monitord.errors import MonitordError

Event = Mapping[str, Any]
_SECOND = 1_000_000  # µs


class Watch:
    """The event stream, read by a thread of its own."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._queue: queue.Queue[Event | Exception] = queue.Queue()
        threading.Thread(target=self._follow, daemon=True).start()
        self._next(time.monotonic() + 10)  # it says "alive" once we are subscribed

    def events(self, within: float) -> Iterator[Event]:
        """Give events as they come, for `within` seconds at most.

        Raises:
            DemoError: the stream broke, or events were lost.
        """
        deadline = time.monotonic() + within
        while (event := self._next(deadline)) is not None:
            if event["kind"] == "lost":
                raise DemoError(f"the core: {event['text']}")
            if event["kind"] != "alive":
                yield event

    def _next(self, deadline: float) -> Event | None:
        try:
            event = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None
        if isinstance(event, Exception):
            raise DemoError(f"the core's event stream ended: {event}")
        return event

    def _follow(self) -> None:
        try:
            for event in self._core.follow("/v1/events"):
                self._queue.put(event)
            self._queue.put(EOFError("the core has stopped"))
        except (MonitordError, ValueError) as error:
            self._queue.put(error)


@dataclass(slots=True)
class Outcome:
    """What became of a fault. Times are seconds since it was struck; None: it did not happen.

    `ended` is fixed, ticket, another cause that the core gives, or empty (nothing within the time).
    """

    fault: Fault
    struck: int
    incident: int | None = None
    found: float | None = None
    tried: list[str] = field(default_factory=list)
    ended: str = ""
    after: float | None = None
    ticket: int | None = None

    @property
    def as_it_should(self) -> bool:
        """Tell whether the right runbooks were tried, and it ended the right way."""
        wanted = "fixed" if self.fault.repaired else "ticket"
        return self.ended == wanted and tuple(self.tried) == self.fault.rungs

    @property
    def fixed_by(self) -> str:
        """Give the runbook that helped, or nothing."""
        return self.tried[-1] if self.ended == "fixed" else ""

    def concerns(self, event: Event) -> bool:
        """Tell whether an event belongs to the incident of this fault (and note when it opens)."""
        if event["kind"] in ("opened", "reopened") and event["data"]["key"] == self.fault.key:
            self.incident, self.found = event["incident"], self._since(event)
        return self.incident is not None and event["incident"] == self.incident

    def note(self, event: Event) -> bool:
        """Take over what an event of the incident says; True when the story is over."""
        match event["kind"]:
            case "attempt-planned":
                self.tried.append(event["data"]["runbook"])
            case "fixed":
                self.ended, self.after = "fixed", self._since(event)
            case "ticket-opened":
                self.ended, self.after = "ticket", self._since(event)
                self.ticket = event["data"]["ticket"]
            case "resolved":
                self.ended = self.ended or event["text"]
        return event["kind"] in ("resolved", "ticket-opened")

    def as_json(self) -> dict[str, Any]:
        """Give it for a program; `fault` is the fault's name."""
        return {
            "fault": self.fault.name,
            "check": self.fault.key,
            "incident": self.incident,
            "ended": self.ended,
            "found_after": self.found,
            "ended_after": self.after,
            "tried": self.tried,
            "fixed_by": self.fixed_by,
            "ticket": self.ticket,
            "as_it_should": self.as_it_should,
        }

    def _since(self, event: Event) -> float:
        return round((int(event["at"]) - self.struck) / _SECOND, 2)
