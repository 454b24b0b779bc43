"""The scenario file: its schema and its reading. It runs nothing.

Times are durations since the start (`90s`, `5m`); results read `ok`, `critical "text"` or `unknown
login "text"`.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, ValidationError

from monitord.errors import ConfigError, Problem
from monitord.model.result import Cause, Status
from monitord.model.spec import Duration, Spec, parse_duration

_RESULT = re.compile(
    r"\s*(ok|warning|critical|unknown)(?:\s+([a-z]+))?(?:\s+\"(.*)\")?\s*", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Given:
    """What a target says from some instant on."""

    status: Status
    text: str
    cause: Cause | None = None


def parse_given(value: object) -> Given:
    """Read `ok`, `critical "no answer"`, `unknown login "refused"`.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, Given):
        return value
    match = _RESULT.fullmatch(str(value))
    if match is None:
        raise ValueError(f'{value!r} is not a result (write ok or critical "no answer")')
    status = Status[match[1].upper()]
    cause = Cause(match[2]) if match[2] else None
    if status is Status.UNKNOWN:
        cause = cause or Cause.PROBE
    elif cause is not None:
        raise ValueError(f"{value!r}: only unknown has a cause")
    return Given(status, match[3] or match[1], cause)


class Action(Spec):
    """What a runbook does to the scripted world when automation runs it."""

    does: Literal["heals", "nothing", "fails", "unknown", "hangs", "precondition fails"] = "nothing"
    takes: Duration = timedelta(seconds=1)
    after: Duration = timedelta()
    harms: str = ""


def parse_action(value: object) -> object:
    """Let `heals` stand for `{does: heals}`."""
    return {"does": value} if isinstance(value, str) else value


class Deed(Spec):
    """What a person or fate does at one instant: exactly one of these."""

    ack: str | None = None
    maintenance: str | None = None
    halt: str | None = None
    resume: str | int | None = None
    close: str | None = None
    crash: str | None = Field(None, description="kill the core; a new one starts after 2 s")
    tickets_down: Duration | None = Field(None, description="backends refuse for so long")
    clock: Duration | None = Field(None, description="set the wall clock forward by so much")
    clock_back: Duration | None = None
    reason: str = "a scenario"
    by: str = "kim"
    lasts: Duration = timedelta(hours=1)
    until_ok: bool = False


class Expectation(Spec):
    """One line of `expect`. See docs/scenarios.md."""

    at: Duration | None = None
    by: Duration | None = None
    until: Duration | None = None
    never: list[str] | str | None = None
    count: Literal["incidents", "attempts", "tickets", "pages", "effects"] | None = None
    exactly: int | None = Field(None, alias="is")
    of: str = ""
    incident: str | None = None
    ticket: str | None = None
    state: str | None = None
    refused: str | None = None
    page: str | None = None
    status: str | None = None
    cause: str | None = None
    runbook: str | None = None
    attempt: str | None = None
    severity: str | None = None
    priority: str | None = None
    tier: str | None = None
    waits: str | None = None
    items: int | None = None
    says: str | None = None
    guard: str | None = None
    hard: str | None = None
    soft: bool | None = None
    flapping: bool | None = None
    unreachable: bool | None = None
    stale: bool | None = None
    reopened: int | None = None


ActionField = Annotated[Action, BeforeValidator(parse_action)]
GivenField = Annotated[Any, BeforeValidator(parse_given)]
TimeKey = Annotated[timedelta, BeforeValidator(parse_duration)]


class Scenario(Spec):
    """A whole file."""

    config: str | dict[str, Any]
    given: dict[TimeKey, dict[str, GivenField]] = Field(default_factory=dict)
    actions: dict[str, ActionField | list[ActionField]] = Field(default_factory=dict)
    do: dict[TimeKey, Deed | list[Deed]] = Field(default_factory=dict)
    expect: list[Expectation]
    lasts: Duration | None = None

    def length(self) -> timedelta:
        """Give how long the scenario runs: what it says, or a minute past the last time in it."""
        if self.lasts is not None:
            return self.lasts
        times = [*self.given, *self.do]
        times += [t for e in self.expect for t in (e.at, e.by, e.until) if t is not None]
        return max(times, default=timedelta()) + timedelta(minutes=1)


def read(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        ConfigError: with every mistake.
    """
    try:
        data = yaml.load(path.read_bytes(), Loader=yaml.CBaseLoader)  # noqa: S506 - texts only
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError([Problem(str(path), 1, 1, f"cannot be read: {error}")]) from error
    if not isinstance(data, dict):
        raise ConfigError([Problem(str(path), 1, 1, "is not a scenario (a map with `expect:`)")])
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise ConfigError(
            [
                Problem(str(path), 1, 1, f"{'.'.join(map(str, each['loc']))}: {each['msg']}")
                for each in error.errors()
            ]
        ) from error
