"""What a user may ask of the `http` probe.

It validates and words mistakes; nothing here connects or judges.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from monitord.model.spec import SecretText, Size, Spec, Threshold
from monitord.probes.network.connect import Family, is_literal
from monitord.probes.network.http_json import parse_path
from monitord.probes.network.latency import Latency
from monitord.probes.network.tls import Tls
from monitord.probes.pattern import Pattern

_MOST_REDIRECTS = 20
_MOST_READ = 16 * 1024 * 1024
SAFE = "!#$%&'()*+,/:;=?@[]~"
"""What may stand in a URL as it is; all else is percent-encoded."""

_PORTS = {"http": 80, "https": 443}
_LONGEST_NAME = 253
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_STATUS = re.compile(r"([1-5])xx|([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?")
_OWN_HEADERS = frozenset({"host", "connection", "content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Location:
    """A URL taken apart: `host` in ASCII without brackets, `path` with its query, as sent."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Give what the Host header says."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == _PORTS[self.scheme] else f"{shown}:{self.port}"


def locate(url: str) -> Location:
    """Take a URL apart.

    Raises:
        ValueError: not one that can be fetched; the message says why.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise ValueError(f"{url!r} is not a URL (write http://host/path or https://…)") from None
    if parts.scheme not in _PORTS or not parts.netloc:
        raise ValueError(f"{url!r} is not a URL (write http://host/path or https://…)")
    if parts.netloc.count(":") > 1 and "[" not in parts.netloc:
        raise ValueError(f"{url!r}: an IPv6 address stands in brackets (http://[::1]:80/)")
    try:
        port = _PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError(f"{url!r}: the port is not a number from 1 to 65535")
    path = quote(parts.path or "/", safe=SAFE)
    query = f"?{quote(parts.query, safe=SAFE)}" if parts.query else ""
    return Location(parts.scheme, _ascii_host(host, url), port, path + query)


def _ascii_host(host: str, url: str) -> str:
    if not host or len(host) > _LONGEST_NAME:
        raise ValueError(f"{url!r} names no host to connect to")
    if is_literal(host):
        return host
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        raise ValueError(f"{url!r}: {host!r} is not a host name") from None


def _url(text: str) -> str:
    if any(ord(sign) <= ord(" ") or sign in "{}" for sign in text):
        raise ValueError(f"{text!r} is not a URL: a space, control character or brace is in it")
    if "@" in text.partition("://")[2].partition("/")[0]:
        raise ValueError("a URL must hold no password: put it under auth: with !secret")
    locate(text)
    return text


Url = Annotated[
    str, AfterValidator(_url), WithJsonSchema({"type": "string", "pattern": "^https?://"})
]


def parse_statuses(value: object) -> frozenset[int]:
    """Read `200`, `2xx`, `200-299`, or a list of those, as the set of codes meant.

    Raises:
        ValueError: not status codes; the message shows how to write them.
    """
    if isinstance(value, frozenset):
        return value
    entries = value if isinstance(value, list | tuple | set) else str(value).split(",")
    codes: set[int] = set()
    for entry in entries:
        match = _STATUS.fullmatch(str(entry).strip())
        if match is None:
            raise ValueError(f"{entry!r} is not an HTTP status (write 200, 2xx or 200-299)")
        if match[1]:
            codes.update(range(int(match[1]) * 100, int(match[1]) * 100 + 100))
        else:
            codes.update(range(int(match[2]), int(match[3] or match[2]) + 1))
    if not codes:
        raise ValueError("no HTTP status is listed, so every answer would be bad (write 200)")
    return frozenset(codes)


def show_statuses(codes: frozenset[int]) -> str:
    """Give the shortest text for a set of codes: `200`, `2xx`, `200-399`, `200, 204`."""
    runs: list[list[int]] = []
    for code in sorted(codes):
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return ", ".join(_run(low, high) for low, high in runs)


def _run(low: int, high: int) -> str:
    if low == high:
        return str(low)
    return f"{low // 100}xx" if low % 100 == 0 and high == low + 99 else f"{low}-{high}"


Statuses = Annotated[
    frozenset[int],
    BeforeValidator(parse_statuses),
    PlainSerializer(show_statuses, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["integer", "string"]},
                {"type": "array", "items": {"type": ["integer", "string"]}},
            ]
        }
    ),
]


def _redirects(value: object) -> object:
    if value is False or (isinstance(value, str) and value in {"no", "off", "false"}):
        return 0
    return value


Redirects = Annotated[
    int,
    BeforeValidator(_redirects),
    Field(ge=0, le=_MOST_REDIRECTS),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": _MOST_REDIRECTS},
                {"type": "boolean", "const": False},
                {"const": "no"},
            ]
        }
    ),
]


def sendable(headers: dict[str, Any]) -> dict[str, Any]:
    """Give headers that a user may have sent.

    Raises:
        ValueError: a name or value that fits in no header line, or one that is not the user's.
    """
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is not a header name")
        if isinstance(value, str) and not is_header_value(value):
            raise ValueError(f"header {name}: a line end or control character is in its value")
        if name.lower() in _OWN_HEADERS - {"host"}:
            raise ValueError(f"header {name} is set by the probe itself; leave it out")
    return headers


def is_header_value(text: str) -> bool:
    """Tell whether `text` can be sent as the value of a header line."""
    return all(ord(sign) >= ord(" ") and sign != "\x7f" for sign in text)


def _path(text: str) -> str:
    parse_path(text)
    return text


class JsonExpectation(Spec):
    """One value of a JSON answer, and what it must be. Without a limit it must only be there."""

    path: Annotated[str, AfterValidator(_path)] = Field(
        description="Where the value stands.", examples=["status", "nodes[0].lag", '["a.b"].c']
    )
    equals: bool | int | float | str | None = Field(
        None, description="The value that it must have, of the same type."
    )
    warning: Threshold | None = Field(
        None, description="WARNING when the number is outside this.", examples=[100, "10:"]
    )
    critical: Threshold | None = Field(
        None, description="CRITICAL when the number is outside this.", examples=[1000, "5:"]
    )


def expectations(value: object) -> object:
    """Give a list, also where a user wrote one expectation alone."""
    return [value] if isinstance(value, dict | JsonExpectation) else value


class AuthSpec(Spec):
    """Who we say that we are: a user and password (basic), or a bearer token."""

    user: str = Field("", description="The user's name.")
    password: SecretText | None = Field(
        None, description="The password.", examples=["!secret env:SHOP_PASSWORD"]
    )
    bearer: SecretText | None = Field(
        None, description="A token, in place of user and password.", examples=["!secret file:/t"]
    )

    @model_validator(mode="after")
    def _either(self) -> "AuthSpec":
        if (self.bearer is None) == (self.password is None or not self.user):
            raise ValueError("auth needs either user and password, or bearer")
        return self


class HttpSpec(Spec):
    """A page that must answer, and what the answer must be."""

    example: ClassVar[str] = """\
http:
  url: https://shop.example.com/health
  status: 200                    # or 2xx, 200-299, [200, 204]
  body: ok                       # the answer contains it
  regex: "version [0-9]+"        # the answer matches it (google-re2)
  not_regex: "(?i)exception"     # and must not match it
  expect_headers: {Content-Type: "^text/html"}
  redirects: no                  # or how many to follow; left out: 5
  warning: 500ms
  critical: 3s
  tls: {expires: {warning: 21d, critical: 7d}}
"""

    url: Url = Field(
        description="What to fetch.", examples=["http://10.1.1.11/health", "https://[::1]:8443/"]
    )
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = Field(
        "GET", description="The request's method."
    )
    headers: Annotated[dict[str, SecretText], AfterValidator(sendable)] = Field(
        default_factory=dict,
        description="Header lines to send.",
        examples=[{"Host": "shop.example.com", "X-Token": "!secret env:TOKEN"}],
    )
    send: SecretText | None = Field(
        None, description="A body to send.", examples=['{"ping": true}']
    )
    auth: AuthSpec | None = Field(None, description="Who we say that we are.")
    status: Statuses = Field(
        frozenset(range(200, 400)),
        description="The status codes that are good, after redirects.",
        examples=[200, "2xx", [200, 204], "200-299"],
    )
    body: str = Field("", description="A text that the answer must contain.", examples=["ok"])
    regex: Pattern | None = Field(
        None, description="A pattern (RE2) that the answer must match.", examples=["v[0-9]+"]
    )
    not_regex: Pattern | None = Field(
        None, description="A pattern (RE2) that the answer must not match.", examples=["(?i)error"]
    )
    json_: Annotated[tuple[JsonExpectation, ...], BeforeValidator(expectations)] = Field(
        (),
        alias="json",
        description="Values of a JSON answer: one mapping or a list of them.",
        examples=[{"path": "status", "equals": "up"}],
    )
    expect_headers: dict[str, Pattern] = Field(
        default_factory=dict,
        description="Headers that the answer must have, and a pattern (RE2) that each must match.",
        examples=[{"Content-Type": "text/html"}],
    )
    redirects: Redirects = Field(
        5, description="How many redirects to follow; `no`: the redirect itself is judged."
    )
    warning: Latency | None = Field(
        None, description="WARNING when it takes longer, in seconds.", examples=["500ms"]
    )
    critical: Latency | None = Field(
        None, description="CRITICAL when it takes longer, in seconds.", examples=["3s"]
    )
    tls: Tls = Field(
        None,
        description="What an https certificate must be; left out, it must be trusted.",
        examples=[{"expires": {"warning": "21d", "critical": "7d"}}, {"verify": False}],
    )
    read: Annotated[Size, Field(ge=1, le=_MOST_READ)] = Field(
        1024 * 1024, description="How much of the answer is read and judged.", examples=["1M"]
    )
    family: Family = Field("any", description="Which of a name's addresses to use.")
