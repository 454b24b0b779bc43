"""A page that a service keeps about itself, fetched by the http probe's exchange within bounds.

It decides what is a page at all: refused logins, wrong status, cut answers are told here in one
language. What the page says the kinds judge; one that makes no sense is UNKNOWN.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import AfterValidator, Field

from monitord.model.kinds import Target
from monitord.model.result import Cause, Measurement, Result
from monitord.model.spec import SecretText, Size, Spec
from monitord.model.text import one_line
from monitord.probes.compiled import Compiled
from monitord.probes.credentials import quote
from monitord.probes.network.http import fetch
from monitord.probes.network.http_body import BodyError, content
from monitord.probes.network.http_exchange import LIMIT
from monitord.probes.network.http_json import read_json
from monitord.probes.network.http_judge import Answer
from monitord.probes.network.http_spec import AuthSpec, HttpSpec, Url
from monitord.probes.network.latency import Latency, judge_latency, show
from monitord.probes.network.tls import Tls
from monitord.probes.verdict import Finding

_GOOD = 200
_REFUSED = frozenset({401, 403})
_MOST = 16 * 1024 * 1024

P = TypeVar("P", bound="PageSpec")


def _headers(headers: dict[str, Any]) -> dict[str, Any]:
    HttpSpec.model_validate({"url": "http://localhost/", "headers": headers})
    return headers


class PageSpec(Spec):
    """A page over HTTP."""

    url: Url = Field(description="Where the service tells of itself.")
    auth: AuthSpec | None = Field(None, description="Who we say that we are.")
    headers: Annotated[dict[str, SecretText], AfterValidator(_headers)] = Field(
        default_factory=dict, description="Header lines to send.", examples=[{"X-Token": "abc"}]
    )
    tls: Tls = Field(
        None,
        description="What an https certificate must be; left out, it must be trusted.",
        examples=[{"ca": "/etc/ssl/our-ca.pem"}],
    )
    read: Annotated[Size, Field(ge=1, le=_MOST)] = Field(
        1024 * 1024, description="How much of the answer is read; more is UNKNOWN.", examples=["4M"]
    )
    warning: Latency | None = Field(
        None, description="WARNING when the answer takes longer, in seconds.", examples=["500ms"]
    )
    critical: Latency | None = Field(
        None, description="CRITICAL when the answer takes longer, in seconds.", examples=["3s"]
    )


class Page(NamedTuple):
    """A page's text as UTF-8, and how long it took in seconds."""

    thing: str
    text: bytes
    elapsed: float


def pages_of(paths: Callable[[P], Sequence[str]]) -> Compiled[P, tuple[HttpSpec, ...]]:
    """Keep, for each spec, the requests for the URLs that `paths` gives."""

    def build(spec: P) -> tuple[HttpSpec, ...]:
        return tuple(_request(spec, url) for url in paths(spec))

    return Compiled(build)


def request_of(spec: PageSpec) -> HttpSpec:
    """Give the request for the spec's own URL, built once."""
    return _requests(spec)[0]


def _request(spec: PageSpec, url: str) -> HttpSpec:
    given: Mapping[str, Any] = {
        "url": url,
        "auth": spec.auth,
        "headers": spec.headers,
        "tls": spec.tls,
        "read": spec.read,
        "warning": spec.warning,
        "critical": spec.critical,
    }
    return HttpSpec.model_validate(given)


_requests: Compiled[PageSpec, tuple[HttpSpec, ...]] = pages_of(lambda spec: (spec.url,))


async def page(
    request: HttpSpec, target: Target, good: frozenset[int] = frozenset({_GOOD})
) -> Page | Result:
    """Fetch one page; a Result where there is none that could be judged."""
    answer = await fetch(request, target)
    if isinstance(answer, Result):
        return answer
    thing = one_line(request.url, 120)
    if answer.status in _REFUSED:
        text = f"{thing}: our login or address is refused ({answer.status})"
        return Result.unknown(text, Cause.LOGIN)
    if answer.status not in good:
        said = quote(answer.body, answer.secrets) if answer.body else "nothing more"
        text = f"{thing}: answered {answer.status}, expected 200; it said {said}"
        return Result.critical(text)
    if answer.cut and answer.cut != LIMIT:
        return Result.critical(f"{thing}: {answer.cut}")
    return _whole(thing, answer, request.read)


def _whole(thing: str, answer: Answer, limit: int) -> Page | Result:
    try:
        text, more = content(answer.body, dict(answer.headers), limit)
    except BodyError as error:
        return Result.unknown(f"{thing}: {error}", Cause.PLUGIN)
    if more or answer.cut:
        return Result.unknown(f"{thing}: more than {limit} bytes (raise read:)", Cause.PLUGIN)
    return Page(thing, text, answer.elapsed)


async def document(
    request: HttpSpec, target: Target, good: frozenset[int] = frozenset({_GOOD})
) -> tuple[Page, Any] | Result:
    """Fetch one page of JSON."""
    got = await page(request, target, good)
    if isinstance(got, Result):
        return got
    try:
        return got, read_json(got.text)
    except ValueError as error:
        return senseless(got, f"JSON ({one_line(str(error), 80)})")


def senseless(got: Page, expected: str) -> Result:
    """Say that a page is not what its kind reads."""
    text = f"{got.thing}: the page is not {expected}; it begins {quote(got.text)}"
    return Result.unknown(text, Cause.PLUGIN)


def slow(spec: PageSpec, got: Page) -> Finding | None:
    """Judge how long the page took."""
    return judge_latency(spec, got.elapsed)


def took(spec: PageSpec, got: Page) -> Measurement:
    """Give the page's time."""
    warning = spec.warning.text if spec.warning else ""
    critical = spec.critical.text if spec.critical else ""
    return Measurement("time", round(got.elapsed, 6), "s", warning, critical, 0.0)


def answered(got: Page) -> str:
    """Say how long it took."""
    return f"answered in {show(got.elapsed)}"
