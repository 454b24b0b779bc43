"""What a user may ask of the `journey` probe: steps in order, and what each hands to the next.

It validates and words mistakes; nothing here connects, substitutes or judges.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from monitord.model.spec import SecretText, Spec
from monitord.probes.network.connect import Family
from monitord.probes.network.http_json import parse_path
from monitord.probes.network.http_spec import (
    JsonExpectation,
    Redirects,
    Statuses,
    Url,
    expectations,
    sendable,
)
from monitord.probes.network.latency import Latency
from monitord.probes.network.tls import Tls
from monitord.probes.pattern import Pattern
from monitord.secrets import SecretRef

SLOT = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
"""Where a captured value goes in a step's text."""

_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_HOSTS_OWN = re.compile(r"address|host|item|n[0-9]*")
_MOST_STEPS = 50


def slug(name: str) -> str:
    """Give a step's name as measurements bear it: `log in` is `log_in`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _json_path(text: str) -> str:
    parse_path(text)
    return text


class Capture(Spec):
    """Where in an answer a value stands that later steps use. Exactly one of these."""

    field: str = Field(
        "", description="An input field of the page, by its name.", examples=["csrf_token"]
    )
    json_: Annotated[str, AfterValidator(_json_path)] = Field(
        "", alias="json", description="A path into a JSON answer.", examples=["data.token"]
    )
    header: str = Field("", description="A header of the answer.", examples=["X-Request-Id"])
    cookie: str = Field("", description="A cookie that is set by now.", examples=["session"])
    regex: Pattern | None = Field(
        None,
        description="A pattern (RE2); its first group, else all of it.",
        examples=["id=(\\d+)"],
    )

    @model_validator(mode="after")
    def _one(self) -> "Capture":
        given = [self.field, self.json_, self.header, self.cookie, self.regex]
        if sum(bool(value) for value in given) != 1:
            raise ValueError("a capture needs one of field, json, header, cookie, regex")
        return self


def _captures(captures: dict[str, Capture]) -> dict[str, Capture]:
    for name in captures:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a value (small letters, digits and _)")
        if _HOSTS_OWN.fullmatch(name):
            raise ValueError(f"{{{name}}} is already the host's own; name the value otherwise")
    return captures


def _path(text: str) -> str:
    place = text.partition("://")[2].partition("/")[0] if "://" in text else ""
    if text.startswith("//") or "{" in place or "@" in place:
        raise ValueError(f"{text!r}: the host must be written out, without slots and passwords")
    if any(ord(sign) <= ord(" ") for sign in text):
        raise ValueError(f"{text!r} is not a path: a space or control character is in it")
    if place and urlsplit(text).scheme not in {"http", "https"}:
        raise ValueError(f"{text!r} is not a path (write /login, or https://host/path)")
    return text


def _told(value: Any) -> Any:
    """Give a JSON value with secrets as their references: for hashes and plans."""
    if isinstance(value, SecretRef):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _told(item) for key, item in value.items()}
    return [_told(item) for item in value] if isinstance(value, list | tuple) else value


Json = Annotated[Any, PlainSerializer(_told)]


class Step(Spec):
    """One request, what its answer must be, and what of it is kept."""

    name: str = Field(description="What it does, for people.", min_length=1, max_length=40)
    path: Annotated[str, AfterValidator(_path)] = Field(
        description="A path below `url`, or a whole URL.", examples=["/login", "/orders/{order}"]
    )
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] | None = Field(
        None, description="Left out: POST where something is sent, else GET."
    )
    headers: Annotated[dict[str, SecretText], AfterValidator(sendable)] = Field(
        default_factory=dict,
        description="Header lines to send.",
        examples=[{"Authorization": "Bearer {token}"}],
    )
    form: dict[str, SecretText] | None = Field(
        None,
        description="Fields of a form to send.",
        examples=[{"user": "monitor", "password": "!secret env:SHOP", "csrf_token": "{token}"}],
    )
    send_json: Json = Field(
        None, description="A JSON value to send.", examples=[{"order": "{order}"}]
    )
    send: SecretText | None = Field(
        None, description="A body to send as it is; no slot is filled in it.", examples=["ping"]
    )
    capture: Annotated[dict[str, Capture], AfterValidator(_captures)] = Field(
        default_factory=dict,
        description="Values for later steps, which write `{name}`.",
        examples=[{"token": {"field": "csrf_token"}}],
    )
    status: Statuses = Field(
        frozenset(range(200, 400)),
        description="The status codes that are good, after redirects.",
        examples=[200, "2xx"],
    )
    body: str = Field("", description="A text that the answer must contain.", examples=["Log out"])
    regex: Pattern | None = Field(None, description="A pattern (RE2) that it must match.")
    not_regex: Pattern | None = Field(
        None, description="A pattern (RE2) that it must not match.", examples=["(?i)wrong password"]
    )
    json_: Annotated[tuple[JsonExpectation, ...], BeforeValidator(expectations)] = Field(
        (), alias="json", description="Values of a JSON answer, as the kind `http` has them."
    )
    expect_headers: dict[str, Pattern] = Field(
        default_factory=dict, description="Headers, and a pattern (RE2) that each must match."
    )
    redirects: Redirects = Field(
        5, description="How many redirects to follow; `no`: the redirect itself is judged."
    )
    warning: Latency | None = Field(None, description="WARNING when this step takes longer.")
    critical: Latency | None = Field(None, description="CRITICAL when this step takes longer.")

    @model_validator(mode="after")
    def _sends_one(self) -> "Step":
        bodies = (self.form, self.send_json, self.send)
        if sum(value is not None for value in bodies) > 1:
            raise ValueError("a step sends one of form, send_json, send")
        return self

    @property
    def does(self) -> str:
        """Give the method."""
        sends = any(value is not None for value in (self.form, self.send_json, self.send))
        return self.method or ("POST" if sends else "GET")


def _texts(value: Any) -> Iterator[Any]:
    """Give every text and secret inside a value."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str | SecretRef):
        yield value


def _sent(step: Step) -> list[Any]:
    given = [step.path, step.headers, step.form, step.send_json]
    return [text for value in given for text in _texts(value)]


class JourneySpec(Spec):
    """A visitor's way through a site: steps in order, with one cookie jar for all of them."""

    example: ClassVar[str] = """\
journey:
  url: https://shop.example.com
  steps:
    - name: login page
      path: /login
      capture: {token: {field: csrf_token}}       # a hidden field of its form
    - name: log in
      path: /login
      form: {user: monitor, password: !secret env:SHOP_PASSWORD, csrf_token: "{token}"}
      body: Log out
    - name: orders
      path: /api/orders?limit=1
      json: [{path: orders, equals: 1}]
      capture: {order: {json: "list[0].id"}}
    - name: one order
      path: "/orders/{order}"
      critical: 2s
  critical: 10s
"""
    rhythm: ClassVar[Mapping[str, str | int]] = {
        "every": "5m", "retry_every": "1m", "attempts": 2, "timeout": "30s"
    }  # fmt: skip

    url: Url = Field(description="The site.", examples=["https://shop.example.com"])
    steps: tuple[Step, ...] = Field(
        description="What is done, in this order.", min_length=1, max_length=_MOST_STEPS
    )
    sites: tuple[str, ...] = Field(
        (),
        description="Other hosts that redirects may lead to; to any other it is CRITICAL.",
        examples=[["login.example.com"]],
    )
    clear_text: bool = Field(default=False, description="Whether a secret may be sent without TLS.")
    warning: Latency | None = Field(
        None, description="WARNING when all of it takes longer, in seconds.", examples=["5s"]
    )
    critical: Latency | None = Field(
        None, description="CRITICAL when all of it takes longer, in seconds.", examples=["10s"]
    )
    tls: Tls = Field(
        None, description="What an https certificate must be; left out, it must be trusted."
    )
    read: int = Field(
        1024 * 1024, ge=1, le=4 * 1024 * 1024, description="Bytes of each answer that are read."
    )
    family: Family = Field("any", description="Which of a name's addresses to use.")

    @model_validator(mode="after")
    def _holds_together(self) -> "JourneySpec":
        known: list[str] = []
        names: set[str] = set()
        for step in self.steps:
            if slug(step.name) in names or not slug(step.name):
                raise ValueError(f"step {step.name!r}: needs a name of its own (letters, digits)")
            names.add(slug(step.name))
            _check_slots(step, known)
            known += step.capture
            plain = (step.path if "://" in step.path else self.url).startswith("http:")
            values = [*_sent(step), step.send]
            if plain and not self.clear_text and any(isinstance(v, SecretRef) for v in values):
                text = "sends a secret without TLS (use https, or say clear_text: true)"
                raise ValueError(f"step {step.name!r}: {text}")
        return self


def _check_slots(step: Step, known: list[str]) -> None:
    for text in _sent(step):
        if isinstance(text, SecretRef):
            continue
        for name in SLOT.findall(text):
            if name not in known:
                close = get_close_matches(name, known, n=1)
                cure = f"did you mean {{{close[0]}}}?" if close else "add it to a capture:"
                raise ValueError(
                    f"step {step.name!r}: no step before it captures {{{name}}}; {cure}"
                )
