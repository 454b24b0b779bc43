"""What a command's JSON body must be. Times are ISO 8601 with a zone; unknown keys are errors.

Shapes only: whether a selector or a key means anything is the engine's to say.
"""

from typing import Annotated, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError

from monitord.errors import MonitordError

LONGEST = 64 * 1024
"""Bytes of a body: a job's tail fits with its escapes, a command many times."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class BadBodyError(MonitordError):
    """A body is not what the route takes; the text names the field."""


class Body(BaseModel):
    """The base: strict about keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ack(Body):
    """POST /v1/ack."""

    selector: Text
    reason: Text
    expires: AwareDatetime


class Maintenance(Ack):
    """POST /v1/maintenance; `starts` left out is now."""

    starts: AwareDatetime | None = None
    until_ok: bool = False


class Halt(Body):
    """POST /v1/halt; `now` also kills the steps that run."""

    selector: Text = "*"
    reason: Text
    expires: AwareDatetime
    now: bool = False


class Resume(Body):
    """POST /v1/resume: an order's number, or the selector of a halt."""

    what: int | Text


class Close(Body):
    """POST /v1/incidents/{id}/close."""

    reason: Text


class Key(Body):
    """POST /v1/forget and /v1/run-check."""

    key: Text


class Remediate(Body):
    """POST /v1/remediate; nothing starts unless `dry_run` is false."""

    key: Text
    runbook: Text | None = None
    dry_run: bool = True


class JobReport(Body):
    """POST /v1/jobs/report and /v1/ping; `at` is µs since the epoch, UTC."""

    key: Text
    event: Text
    at: int
    exit_code: int | None = None
    output: str = ""


B = TypeVar("B", bound=Body)


def parse(shape: type[B], body: bytes) -> B:
    """Read a body.

    Raises:
        BadBodyError: every field that is wrong, in one sentence.
    """
    try:
        return shape.model_validate_json(body or b"{}")
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in error.errors()
        )
        raise BadBodyError(f"the request's body does not fit: {wrong}") from error
