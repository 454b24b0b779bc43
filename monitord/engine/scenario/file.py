"""The scenario file: its schema and its reading; each mistake has its line. It runs nothing.

Times are durations since the start (`90s`, `5m`); results read `ok`, `critical "text"`, `unknown
login "text"` or `gone`.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BeforeValidator, Field, ValidationError, model_validator

from monitord.config.names import nearest
from monitord.config.sentences import finder, problems_of
from monitord.config.tree import Map, Place, Seq
from monitord.config.yaml12 import read_file
from monitord.errors import ConfigError, Problem
from monitord.model.incident import AttemptStatus, IncidentStatus
from monitord.model.notice import NoticeStatus
from monitord.model.result import Cause, Status
from monitord.model.service import ServiceState
from monitord.model.spec import Duration, Spec, parse_duration
from monitord.model.ticket import Operation, TicketStatus

_RESULT = re.compile(
    r"\s*(ok|warning|critical|unknown|gone)(?:\s+([a-z]+))?(?:\s+\"(.*)\")?\s*", re.DOTALL
)
_HOW = """write ok, critical "no answer", unknown login "refused" or gone; 'warning "a, b"' with \
a comma or colon in it"""


@dataclass(frozen=True, slots=True)
class Given:
    """What a target says from some instant on; `gone`: the item is not there any more."""

    status: Status
    text: str
    cause: Cause | None = None
    gone: bool = False


def parse_given(value: object) -> Given:
    """Read `ok`, `critical "no answer"`, `unknown login "refused"`, `gone`.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, Given):
        return value
    match = _RESULT.fullmatch(str(value))
    if match is None:
        raise ValueError(f"{value!r} is not a result ({_HOW})")
    word, why, text = match.groups()
    if word == "gone":
        return Given(Status.UNKNOWN, text or "no longer present", gone=True)
    if why and word != "unknown":
        raise ValueError(f"{value!r}: only unknown has a cause; quote the text ({_HOW})")
    causes = {cause.value: cause for cause in Cause}
    if why and why not in causes:
        raise ValueError(f"{why!r} is no cause of unknown (write one of {', '.join(causes)})")
    cause = causes.get(why, Cause.PROBE) if word == "unknown" else None
    return Given(Status[word.upper()], text or word, cause)


GivenField = Annotated[Any, BeforeValidator(parse_given)]


class Action(Spec):
    """What a runbook does to the scripted world when automation runs it."""

    does: Literal[
        "heals", "nothing", "fails", "unknown", "hangs", "no answer", "precondition fails"
    ] = Field(
        "nothing",
        description="How its steps end. heals: done, and all is OK after the last one; unknown: "
        "its run record cannot be read; hangs: killed at its deadline; no answer: the executor is "
        "asked and stays silent.",
    )
    heals: bool = Field(
        default=False, description="It heals although `does` says unknown, fails or hangs."
    )
    takes: Duration = Field(timedelta(seconds=1), description="How long each step takes.")
    collects: Duration = Field(timedelta(), description="How long each piece of evidence takes.")
    after: Duration = Field(timedelta(), description="How much later the healing shows.")
    harms: str = Field("", description="What turns critical for good when a step is done.")
    step: int = Field(
        0, ge=0, description="Which step (from 1) ends as `does` says; the others are done. 0: all."
    )
    undo: Literal["works", "fails", "unknown", "hangs"] = Field(
        "works", description="How its undo steps end; one that works takes the harm back."
    )


def parse_action(value: object) -> object:
    """Let `heals` stand for `{does: heals}`."""
    return {"does": value} if isinstance(value, str) else value


class Deed(Spec):
    """What a person or fate does at one instant: exactly one of these."""

    ack: str | None = Field(None, description="A selector.")
    take: str | None = Field(None, description="A selector of hosts.")
    mute: str | None = Field(None, description="A selector.")
    maintenance: str | None = Field(None, description="A selector.")
    halt: str | None = Field(None, description='A selector, or "*".')
    resume: str | None = Field(None, description="Ends the halts of this very selector.")
    release: str | None = Field(None, description="Gives back what was taken with this selector.")
    end: str | None = Field(None, description="Ends every order of this very selector.")
    close: str | None = Field(None, description="Closes the incident of this key.")
    next: str | None = Field(None, description="Hands the incident of this key on.")
    approve: str | None = Field(None, description="Approves what waits for a yes of this key.")
    deny: str | None = Field(None, description="Denies it.")
    wrong: str | None = Field(None, description="Calls the last repair of this key wrong.")
    promote: str | None = Field(None, description="Raises a runbook by one mode.")
    pause: str | None = Field(None, description="Has the clocks of this key stand still.")
    unpause: str | None = Field(None, description="Has the clocks of this key go on.")
    answered: str | None = Field(None, description="The vendor who holds this key has answered.")
    deadline: str | None = Field(None, description="A customer wants this key over by then.")
    boot: str | None = Field(None, description="A host comes up anew at that moment.")
    marker: str | None = Field(None, description="Tells of a change (reason) to this selector.")
    logs_in: str | None = Field(None, description="Somebody (by) logs in to this host.")
    stops: str | None = Field(None, description="Somebody stops this host/unit cleanly, by sudo.")
    job: str | None = Field(None, description="This job reports: `event` start, success or fail.")
    chain: str | None = Field(None, description="An `order` to this chain, or to a `link` of it.")
    tell: str | None = Field(None, description="A source (by) tells of this passive check.")
    crash: str | None = Field(None, description="Kills the core; a new one starts 2 s later.")
    tickets_down: Duration | None = Field(None, description="Ticket servers refuse for so long.")
    closed_for_good: Duration | None = Field(None, description="No ticket may be opened again.")
    executor_down: Duration | None = Field(None, description="No executor for so long.")
    store_down: Duration | None = Field(None, description="The store takes nothing for so long.")
    clock: Duration | None = Field(None, description="Sets the wall clock forward by so much.")
    clock_back: Duration | None = Field(None, description="Sets the wall clock back.")
    reason: str = "a scenario"
    by: str = "kim"
    lasts: Duration = timedelta(hours=1)
    until_ok: bool = False
    excused: bool = False
    vendor: str = ""
    event: Literal["start", "success", "fail"] = "success"
    link: str = ""
    says: GivenField = Field("ok", description="What is told, written as under given.")
    alert: str = Field("", description="Which of an item's alerts it is about; empty: all of it.")
    began: Duration | None = Field(None, description="Since when it fires, from the start on.")
    order: Literal["rerun", "skip", "hold", "go"] = "rerun"

    @model_validator(mode="after")
    def _one(self) -> Self:
        done = [name for name in DEEDS if getattr(self, name) is not None]
        if len(done) != 1:
            said = f"says {' and '.join(done)}" if done else "says nothing to do"
            raise ValueError(f"{said} (write one of {', '.join(DEEDS)}, several as a list)")
        return self


_HOW_DONE = {
    "reason", "by", "lasts", "until_ok", "excused", "vendor", "event", "link", "order", "says",
    "alert", "began",
}  # fmt: skip
DEEDS = tuple(name for name in Deed.model_fields if name not in _HOW_DONE)


class Expectation(Spec):
    """One line of `expect`. See docs/scenarios.md."""

    at: Duration | None = None
    by: Duration | None = None
    after: Duration | None = None
    until: Duration | None = None
    never: list[str] | str | None = None
    count: (
        Literal[
            "incidents",
            "attempts",
            "tickets",
            "pages",
            "notices",
            "effects",
            "refusals",
            "services",
        ]
        | None
    ) = None
    exactly: int | None = Field(None, alias="is")
    pages: list[Literal["open", "update", "resolve", "reopen"]] | None = None
    of: str = ""
    incident: str | None = None
    ticket: str | None = None
    state: str | None = None
    refused: str | None = None
    page: str | None = None
    notice: str | None = None
    effect: str | None = None
    service: str | None = None
    status: str | None = None
    cause: str | None = None
    runbook: str | None = None
    attempt: str | None = None
    severity: str | None = None
    priority: str | None = None
    tier: str | None = None
    waits: str | None = None
    part_of: str | None = None
    items: int | None = None
    says: str | None = None
    tells: list[str] | str | None = None
    guard: str | None = None
    hard: str | None = None
    soft: bool | None = None
    flapping: bool | None = None
    unreachable: bool | None = None
    stale: bool | None = None
    reopened: int | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        said = [name for name in SUBJECTS if getattr(self, name) is not None]
        if len(said) != 1:
            many = f"says {' and '.join(said)}" if said else "says nothing to look at"
            raise ValueError(f"{many} (write one of {', '.join(SUBJECTS)})")
        if self.count is not None and self.exactly is None:
            raise ValueError(f"count: {self.count}: how many? (add is: 1)")
        self._words_exist(said[0])
        unknown = set(self.never_words()) - set(HAPPENINGS)
        if unknown:
            raise ValueError(f"never {unknown.pop()!r}: known are {', '.join(HAPPENINGS)}")
        return self

    def _words_exist(self, subject: str) -> None:
        """Refuse a status that nothing can have: an expectation of it could never hold."""
        every = sorted({word for words in _STATUSES.values() for word in words})
        subject = (self.count or subject).removesuffix("s")
        for name, value, known in (
            ("status", self.status, _STATUSES.get(subject, every)),
            ("attempt", self.attempt, _STATUSES["attempt"]),
            ("severity", self.severity, [one.name for one in Status]),
            ("hard", self.hard, [one.name for one in Status]),
        ):
            if value is not None and value not in known:
                words = ", ".join(known)
                raise ValueError(
                    f"{name}: {value!r} is never one{nearest(value, known)}; known are {words}"
                )

    def never_words(self) -> list[str]:
        """Give what must never be, as a list."""
        return [self.never] if isinstance(self.never, str) else self.never or []


_STATUSES = {
    "incident": [one.value for one in IncidentStatus],
    "attempt": [one.value for one in AttemptStatus],
    "ticket": [one.value for one in TicketStatus],
    "state": [one.name for one in Status],
    "page": [one.value for one in Operation],
    "notice": [one.value for one in NoticeStatus],
    "service": [one.value for one in ServiceState],
}
HAPPENINGS = (
    "incident", "attempt", "effect", "refused", "ticket", "page", "notice", "state", "service",
)  # fmt: skip
SUBJECTS = (
    "incident", "ticket", "state", "refused", "page", "notice", "effect", "service", "never",
    "count", "pages",
)  # fmt: skip


ActionField = Annotated[Action, BeforeValidator(parse_action)]
TimeKey = Annotated[timedelta, BeforeValidator(parse_duration)]


class Scenario(Spec):
    """A whole file."""

    config: str | dict[str, Any]
    given: dict[TimeKey, dict[str, GivenField]] = Field(default_factory=dict)
    actions: dict[str, ActionField | list[ActionField]] = Field(default_factory=dict)
    do: dict[TimeKey, Deed | list[Deed]] = Field(default_factory=dict)
    expect: list[Expectation] = Field(min_length=1)
    lasts: Duration | None = None
    starts: AwareDatetime | None = Field(
        None, description="When it begins on the wall clock, with a zone."
    )

    def length(self) -> timedelta:
        """Give how long the scenario runs: what it says, or a minute past the last time in it."""
        if self.lasts is not None:
            return self.lasts
        times = [*self.given, *self.do]
        times += [t for e in self.expect for t in (e.at, e.by, e.after, e.until) if t is not None]
        return max(times, default=timedelta()) + timedelta(minutes=1)

    def deeds(self) -> list[tuple[float, Deed]]:
        """Give all deeds with their seconds since the start, in their order."""
        pairs = [
            (at.total_seconds(), deed)
            for at, some in self.do.items()
            for deed in (some if isinstance(some, list) else [some])
        ]
        return sorted(pairs, key=lambda pair: pair[0])


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A scenario with its tree, for what must be said about its lines later."""

    scenario: Scenario
    tree: Map
    path: Path

    def line_of(self, expectation: int) -> int:
        """Give the line on which an expectation stands (0-based number)."""
        place: Place = self.tree["expect"].value_place(expectation)
        return place.line

    def place_of(self, deed: Deed) -> Place:
        """Give where a deed stands."""
        for at, value in self.tree["do"].items():
            mine = self.scenario.do[parse_duration(at)]
            deeds = mine if isinstance(mine, list) else [mine]
            number = next((n for n, one in enumerate(deeds) if one is deed), None)
            if number is not None:
                place: Place = self.tree["do"].key_place(at)
                return value.value_place(number) if isinstance(value, Seq) else place
        raise LookupError("no deed of this scenario")


def read(path: Path) -> ScenarioFile:
    """Read a scenario file.

    Raises:
        ConfigError: with every mistake, each at its line.
    """
    reading = read_file(path, str(path))
    if reading.broken or reading.problems:
        raise ConfigError(reading.problems)
    if not isinstance(reading.tree, Map):
        text = "is not a scenario (a map with config:, given: and expect:)"
        raise ConfigError([Problem(str(path), 1, 1, text)])
    locate = finder(reading.tree, Place(str(path)))
    try:
        scenario = Scenario.model_validate(reading.tree)
    except ValidationError as error:
        raise ConfigError(problems_of(error, Scenario, locate)) from error
    return ScenarioFile(scenario, reading.tree, path)
