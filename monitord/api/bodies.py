"""What a command's JSON body must be. Times are ISO 8601 with a zone; unknown keys are errors.

Shapes only: whether a selector or a key means anything is the engine's to say.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError

from monitord.errors import MonitordError
from monitord.model.text import one_line

if TYPE_CHECKING:  # pydantic's own type for what `errors()` gives
    from pydantic_core import ErrorDetails

LONGEST = 64 * 1024
"""Bytes of a body: a job's tail fits with its escapes, a command many times."""

Secret = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class BadBodyError(MonitordError):
    """A request is not what the route takes; the text names each wrong field, `cure` helps."""

    def __init__(self, text: str, *, cure: str = "") -> None:
        self.cure = cure
        super().__init__(text)


class Body(BaseModel):
    """The base: strict about keys and types ("no" is not false; 1 is not true)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Order(Body):
    """POST /v1/ack, /v1/take, /v1/mute."""

    selector: Text
    reason: Text
    expires: AwareDatetime


class Maintenance(Order):
    """POST /v1/maintenance; `starts` left out is now."""

    starts: AwareDatetime | None = None
    until_ok: bool = False
    excused: bool = False


class Halt(Body):
    """POST /v1/halt; `now` also kills the steps that run."""

    selector: Text = "*"
    reason: Text
    expires: AwareDatetime
    now: bool = False


class Resume(Body):
    """POST /v1/resume: an order's number, or the selector of a halt (or of another verb)."""

    what: int | Text
    verb: Literal["ack", "take", "mute", "maintenance", "halt"] = "halt"


class Close(Body):
    """POST /v1/incidents/{id}/close; `cure` is what helped, for the next time."""

    reason: Text
    cure: str = ""


class Next(Body):
    """POST /v1/incidents/{id}/next."""

    reason: Text


class Marker(Body):
    """POST /v1/markers; without a selector it is about everything."""

    text: Text
    selector: Text = "*"


class Key(Body):
    """POST /v1/forget and /v1/run-check."""

    key: Text


class Remediate(Body):
    """POST /v1/remediate; nothing starts unless `dry_run` is false."""

    key: Text
    runbook: Text | None = None
    dry_run: bool = True


class Promote(Body):
    """POST /v1/promote: by one mode."""

    runbook: Text
    reason: Text


class Nothing(Body):
    """POST /v1/attempts/{id}/approve."""


class LinkShow(Body):
    """POST /v1/link: what a signed link is for."""

    word: Text


class LinkUse(LinkShow):
    """POST /v1/link/use; `name` is who answers, in their own words."""

    yes: bool
    name: Text
    reason: str = ""


class Login(Body):
    """POST /v1/login; `where` is the address that somebody comes from."""

    name: Text
    password: Secret
    where: Text = "unknown"


class Finish(Body):
    """POST /v1/login/finish: the word of the browser, and what came back with it."""

    word: Secret
    state: Secret
    code: Annotated[str, StringConstraints(min_length=1, max_length=8000)]
    where: Text = "unknown"


class Word(Body):
    """POST /v1/invitation: the secret of a one-time link."""

    word: Secret


class Accept(Word):
    """POST /v1/invitation/use."""

    password: Secret
    where: Text = "unknown"


RoleName = Literal["viewer", "responder", "operator", "admin"]


class Invite(Body):
    """POST /v1/users; without a role it is for a user that there is."""

    name: Text
    role: RoleName | None = None


class OwnLink(Body):
    """POST /v1/me/link: the password that holds; `where` is the address that somebody asks from."""

    password: Secret
    where: Text = "unknown"


class ChangeUser(Body):
    """POST /v1/users/{name}; `provider`: from now on they log in by the login provider."""

    role: RoleName | None = None
    disabled: bool | None = None
    provider: Literal[True] | None = None


class Token(Body):
    """POST /v1/tokens; `user` left out is who asks."""

    about: Text
    role: RoleName = "viewer"
    days: int = 365
    user: Text | None = None


class JobReport(Body):
    """POST /v1/jobs/report and /v1/ping; `at` is µs since the epoch, UTC."""

    key: Text
    event: Text
    at: int
    exit_code: int | None = None
    output: str = ""


class Inbound(Body):
    """POST /v1/inbound: what a source under `inbound:` says of passive checks.

    `mark` is inbound_sources.mark of the source as whoever let the payload in knows it.
    """

    source: Text
    mark: Text
    reports: list[dict[str, Any]]


B = TypeVar("B", bound=Body)

_SAYS_ALL: Mapping[str, str] = MappingProxyType(
    {
        "missing": "is missing",
        "extra_forbidden": "is not known here",
        "string_too_short": "is empty",
        "string_too_long": "is longer than 500 characters",
        "timezone_aware": "says no time zone (write 2027-01-31T18:00:00Z)",
    }
)
_WANTED: Mapping[str, str] = MappingProxyType(  # how a kind of mistake begins
    {
        "bool": "true or false",
        "int": "a whole number",
        "string": "a text",
        "datetime": "a point in time (write 2027-01-31T18:00:00Z)",
    }
)


def parse(shape: type[B], body: bytes) -> B:
    """Read a body.

    Raises:
        BadBodyError: every field that is wrong, in one sentence.
    """
    try:
        return shape.model_validate_json(body or b"{}")
    except ValidationError as error:
        # One mistake of a field that may be this or that is told by each of them.
        wrong = {one["loc"][:1]: _plain(one) for one in error.errors()}
        text = f"the request's body does not fit: {'; '.join(wrong.values())}"
        raise BadBodyError(text, cure="docs/api.md says what each route takes") from error


def _plain(mistake: "ErrorDetails") -> str:
    field, kind = (str(mistake["loc"][0]) if mistake["loc"] else ""), mistake["type"]
    if not field:
        return "it is not a JSON object"
    if kind in _SAYS_ALL:
        return f"{field}: {_SAYS_ALL[kind]}"
    value = one_line(repr(mistake["input"]), 60)
    wanted = next((text for word, text in _WANTED.items() if kind.startswith(word)), "")
    return f"{field}: {value} is not {wanted or 'what is taken here'}"
