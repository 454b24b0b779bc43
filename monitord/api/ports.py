"""What the control API asks of the engine, and nothing else of it. monitord.engine implements it.

Every method that changes something takes `by`, the person's name as the socket's peer uid gave it.
Errors: NotFoundError (nearest names), CommandRefusedError, BadSelectorError, ConfigError,
StoreError; each becomes one sentence for the person. Nothing is decided here.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from monitord.api.ports_accounts import Accounts
from monitord.api.ports_chains import HasChains
from monitord.api.ports_hearing import Hearing
from monitord.metrics import Counters
from monitord.model.catalog import Catalog
from monitord.model.ids import AttemptId, IncidentId, Instant, StateKey
from monitord.model.inbound import Taken, Told
from monitord.model.incident import Attempt
from monitord.model.kinds import Health
from monitord.model.marker import Marker
from monitord.model.oncall import Override, Wanted
from monitord.model.result import Result
from monitord.model.sla import Corrected
from monitord.model.state import CheckState
from monitord.model.ticket import Order, Verb
from monitord.store.contract import Store


class Approvals(Protocol):
    """What people say to attempts that wait for a yes.

    Errors: NotFoundError for an attempt or link that is none (any more), CommandRefusedError with
    the guard's or the plan's reason.
    """

    async def approve(self, number: AttemptId, *, by: str) -> None:
        """Let the exact plan of a waiting attempt run, if all guards let it."""
        ...

    async def deny(self, number: AttemptId, *, by: str, reason: str) -> None:
        """Void it; its incident goes to a person."""
        ...

    async def by_link(self, word: str) -> Attempt:
        """Give the waiting attempt that a signed link is for."""
        ...

    async def show(self, word: str) -> Mapping[str, Any]:
        """Give {"attempt", "runbook", "key", "summary", "until", "plan"} of a signed link."""
        ...


class Trusting(Protocol):
    """What people say about runbooks."""

    async def promotion(self, name: str, *, by: str) -> Mapping[str, Any]:
        """Give what `promote` would change.

        {"runbook", "mode", "next", "why_not", its record as "tried", "verified", "low", "high",
        "shadowed", and "checks": [{"key", "mode", "next"}]}.
        """
        ...

    async def promote(self, name: str, *, by: str, reason: str) -> str:
        """Raise a runbook by one mode and give the new one; CommandRefusedError says why not."""
        ...

    async def wrong(self, number: AttemptId, *, by: str, reason: str) -> str:
        """Call an attempt wrong; gives why nothing is undone, empty while its undo runs."""
        ...

    async def standing(self) -> list[dict[str, Any]]:
        """Give {"runbook", "mode", "next", "why_not", "broken"} of every runbook, by name."""
        ...


class OnCall(Protocol):
    """What people say about shifts.

    Errors: NotFoundError for a rotation, person or change that is none, CommandRefusedError with
    the reason.
    """

    async def override(self, wanted: Sequence[Wanted], *, by: str) -> list[Override]:
        """Put people on call, all of them or none."""
        ...

    async def take(
        self, rotation: str, *, by: str, reason: str, until: Instant | None
    ) -> list[Override]:
        """Put who asks on call now, until the shift that is on ends, or until then."""
        ...

    async def swap(self, wanted: Wanted, *, by: str) -> list[Override]:
        """Propose that who asks and `wanted.person` exchange their shifts of that time."""
        ...

    async def agree(self, number: int, *, by: str) -> list[Override]:
        """Agree to a swap, as the other of the two."""
        ...

    async def end(self, number: int, *, by: str) -> list[Override]:
        """End a change, or say no to a swap."""
        ...

    async def sign(self, *, leaving: bool, note: str, by: str) -> dict[str, Any]:
        """Sign a hand-over; gives {"left", "came"}, each {"by", "at", "note", "open"} or null."""
        ...


class Problems(Protocol):
    """What people say of problems; NotFoundError and CommandRefusedError where they cannot."""

    async def known(self, number: int, *, by: str, cause: str, cure: str) -> None:
        """Note a problem's cause and cure: automation may act on its key again."""
        ...

    async def close(self, number: int, *, by: str, reason: str) -> None:
        """Close a problem whose cause is gone."""
        ...


class Levels(Protocol):
    """What people say that bears on service levels.

    Errors: NotFoundError for an incident that is not open, a vendor, service, check, approver or
    correction that is none, CommandRefusedError with the reason.
    """

    async def pause(
        self, number: IncidentId, *, by: str, reason: str, expires: Instant, vendor: str = ""
    ) -> None:
        """Have an incident's clocks stand still until then; with a vendor, who holds it."""
        ...

    async def resume(self, number: IncidentId, *, by: str) -> None:
        """End the pauses of an incident before their time: its vendor has given it back."""
        ...

    async def answered(self, number: IncidentId, *, by: str, vendor: str = "") -> None:
        """Note that the vendor who holds an incident is at work."""
        ...

    async def deadline(
        self, number: IncidentId, at: Instant | None, *, by: str, whose: str = "", reason: str
    ) -> None:
        """Note by when a customer (`whose`) wants an incident to be over; None: not any more."""
        ...

    async def correct(self, wanted: Corrected) -> Corrected:
        """Say what a service or check really was; gives the row as it is stored."""
        ...

    async def revoke(self, number: int, *, by: str, reason: str) -> None:
        """Take a correction back."""
        ...


class Trying(Protocol):
    """What people ask of the ways by which somebody is told."""

    async def test(self, person: str, *, way: int | None, by: str) -> int:
        """Tell a person that this is a test, from a way on (from 1); gives the notice's number."""
        ...


class Handing(Protocol):
    """How people hand incidents on."""

    async def on(self, number: IncidentId, *, by: str, reason: str) -> Mapping[str, Any]:
        """Tell the next of an incident's policy now; gives {"tier", "people", "vendors"}.

        Errors: NotFoundError for an incident that is none, CommandRefusedError with the reason.
        """
        ...


class Orders(Protocol):
    """The five orders of people."""

    def preview(self, selector: str) -> list[str]:
        """Give the check keys that a selector touches now, sorted.

        Only looks at the catalog: the API calls it outside the event loop.

        Raises:
            BadSelectorError: it cannot be read.
        """
        ...

    async def give(
        self,
        verb: Verb,
        selector: str,
        *,
        by: str,
        reason: str,
        expires: Instant,
        starts: Instant | None = None,
        until_ok: bool = False,
        excused: bool = False,
    ) -> Order:
        """Give one of the five orders, in force from `starts` (now) to `expires`.

        What each means is in monitord.decisions.verbs. `until_ok` ends it before, once all that it
        touches is OK (an ack always). `excused` maintenance does not count for service levels. "*"
        is everything.
        """
        ...

    async def end(
        self, what: int | str, *, by: str, verb: Verb = Verb.HALT, own: bool = False
    ) -> list[Order]:
        """End one order by its id, or every order of `verb` with this very selector.

        Gives what it ended. Resuming halts of "*" also removes the file HALT. NotFoundError when
        no such order is in force. With `own`, only what the same person gave.
        """
        ...


class Commands(Protocol):
    """What people ask for by name."""

    async def close(self, number: IncidentId, *, by: str, reason: str, cure: str = "") -> None:
        """Close an incident in a person's name."""
        ...

    async def run_check(self, key: str) -> list[Result]:
        """Run one check now (`host/check`) and give its results; they count like any other."""
        ...

    async def remediate(
        self, key: str, runbook: str | None, *, dry_run: bool, by: str
    ) -> Mapping[str, Any]:
        """Plan the next rung (or a named runbook of the ladder) for a key, and unless dry, start.

        Gives {"key", "runbook", "mode", "plan": [{"phase", "kind", "target", "text"}], "problem",
        "guards": [{"guard", "ok": bool, "reason"}], "started": attempt id or null}.
        """
        ...

    async def explain(self, key: str, *, written: bool = True) -> Mapping[str, Any]:
        """Give all that bears on a key; "config" only where `written`.

        {"key", "kind", "means", "by_hand", "incident", "state": [{"key", "status", "hard", …}],
        "policy": {name: text}, "reach": [{"key", "up": bool, "text"}],
        "ladder": [{"runbook", "mode", "from"}], "guards": [{"guard", "ok", "reason"}],
        "orders": [{"order", "verb", "by", "until", "reason", "means"}],
        "config": [{"setting", "value", "place"}]}; of a service only "key" and "config"
        """
        ...

    async def forget(self, key: StateKey, *, by: str) -> None:
        """Drop the state of an item that is gone; CommandRefusedError while it still reports."""
        ...


class Engine(HasChains, Protocol):
    """The running engine, as the control API sees it."""

    @property
    def catalog(self) -> Catalog:
        """The catalog in force now; a reload replaces it."""
        ...

    @property
    def store(self) -> Store:
        """The store; the API only reads it."""
        ...

    @property
    def counters(self) -> Counters:
        """The process's own numbers."""
        ...

    @property
    def accounts(self) -> Accounts:
        """Users of the console."""
        ...

    @property
    def orders(self) -> Orders:
        """The five orders of people."""
        ...

    @property
    def commands(self) -> Commands:
        """What people ask for by name."""
        ...

    @property
    def approvals(self) -> Approvals:
        """What people say to attempts that wait."""
        ...

    @property
    def trusting(self) -> Trusting:
        """What people say about runbooks."""
        ...

    @property
    def problems(self) -> Problems:
        """What people say of problems."""
        ...

    @property
    def levels(self) -> Levels:
        """What people say that bears on service levels."""
        ...

    @property
    def handing(self) -> Handing:
        """How people hand incidents on."""
        ...

    @property
    def trying(self) -> Trying:
        """What people ask of the ways by which somebody is told."""
        ...

    @property
    def hearing(self) -> Hearing:
        """What end users say."""
        ...

    @property
    def oncall(self) -> OnCall:
        """What people say about shifts."""
        ...

    def now(self) -> Instant:
        """Give the engine's time: views say how long something has lasted by it."""
        ...

    def state(self, key: StateKey) -> CheckState | None:
        """Give the newest in-memory state of one key."""
        ...

    def states(self) -> Sequence[CheckState]:
        """Give all states, by key."""
        ...

    def health(self) -> Health:
        """Give the core's own condition; no problems means healthy."""
        ...

    def subscribe(self) -> AsyncIterator[Mapping[str, Any]]:
        """Give what happens from now on: {"at": µs, "kind", "incident": id or null, "text", …}.

        A subscriber that does not read loses the oldest events and gets one of kind "lost" with
        their number; it never holds up the engine. Closing the iterator ends the subscription.
        """
        ...

    async def halt_now(self, *, by: str) -> list[str]:
        """Kill the process groups of running steps; gives one line per step that was killed."""
        ...

    async def reload(self, *, by: str) -> Sequence[str]:
        """Read the files, apply them whole, and give the lines of what changed.

        Raises:
            ConfigError: the files cannot be used; nothing was changed.
        """
        ...

    async def plan(self) -> Sequence[str]:
        """Give the lines of what a reload would change now; ConfigError as for `reload`."""
        ...

    async def mark(self, text: str, selector: str, *, by: str) -> Marker:
        """Keep a change that somebody tells of, at this instant.

        Raises:
            BadSelectorError: it cannot be read.
        """
        ...

    async def job_event(
        self,
        key: str,
        event: str,
        *,
        exit_code: int | None,
        output: str,
        at: Instant,
        by: str,
    ) -> None:
        """Take a job's report: `event` is start, success or fail. NotFoundError: no such job.

        Reports may come late and out of order (the spool): one with an earlier `at` than what is
        known must not undo it.
        """
        ...

    async def told(self, source: str, reports: Sequence[Told]) -> Taken:
        """Take what a source says, and store it. NotFoundError: no such source; StoreError."""
        ...
