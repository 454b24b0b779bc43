"""`http`: one request from the executor, for things that are repaired through an interface."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import SplitResult, quote, urlsplit

from pydantic import Field, field_validator

from monitord.actions.text import Text, fill, fill_secrets
from monitord.model.effect import HttpCall, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import SecretText, Spec

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class HttpSpec(Spec):
    """`http: {url: "http://{address}:9000/reload", method: POST}`.

    Redirects are not followed: a 3xx is an answer like any other. Between the check and the effect
    nothing fences the far side, so a call that was interrupted is UNKNOWN, never repeated unless
    the step is idempotent. `{item}` is percent-encoded in the URL.
    """

    url: Annotated[Text, Field(min_length=1)]
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: Mapping[str, SecretText] = {}
    body: Text = ""
    ok_codes: Annotated[tuple[Annotated[int, Field(ge=100, le=599)], ...], Field(min_length=1)] = (
        200,
        201,
        202,
        204,
    )

    @field_validator("headers")
    @classmethod
    def _names(cls, headers: Mapping[str, object]) -> Mapping[str, object]:
        for name in headers:
            if not _HEADER.fullmatch(name):
                raise ValueError(f"{name!r} is not a header's name")
        return headers


def render(spec: HttpSpec, context: StepContext) -> HttpCall:
    """Fill the slots.

    Raises:
        ValueError: a slot has no value, the URL is not http, or a header would hold a line break.
    """
    url = fill(spec.url, _for_url(context))
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url!r} is not an http URL (write http://{{address}}/path)")
    _must_have_a_port(parts)
    headers = fill_secrets(spec.headers, context)
    for name, value in headers.items():
        if "\r" in value or "\n" in value:
            raise ValueError(f"header {name} would hold a line break")
    return HttpCall(spec.method, url, headers, fill(spec.body, context), spec.ok_codes)


def _must_have_a_port(parts: SplitResult) -> None:
    try:
        _ = parts.port
    except ValueError:
        place = parts.netloc.rpartition("@")[2]
        text = f"{place!r} has no port from 0 to 65535 (write http://{{address}}:8080/path)"
        raise ValueError(text) from None


def _for_url(context: StepContext) -> StepContext:
    item = quote(context.item, safe="", errors="surrogateescape")
    return StepContext(context.host, context.address, item, context.parameters)


def resource(_spec: HttpSpec, context: StepContext) -> str:
    """Name the whole host: nobody can tell from a URL what it touches."""
    return f"{context.host}:host"


KIND = ActionKind("http", HttpSpec, render, resource)
