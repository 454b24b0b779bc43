"""One step of a journey as a request: captured values put in their slots, each as data.

What a site handed out is hostile: it is encoded for the place where it goes, filled in once and
never looked at again for slots. Secrets are read here and reported, so that they can be masked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode, urljoin

from monitord.probes.credentials import reveal
from monitord.probes.network.http_request import Request, endpoint_of
from monitord.probes.network.http_spec import SAFE, HttpSpec, is_header_value, locate
from monitord.probes.network.journey_spec import SLOT, Step
from monitord.probes.network.resolver import UnreachedError
from monitord.secrets import SecretRef

_LONGEST_URL = 8192
_KEEPS_METHOD = frozenset({307, 308})


@dataclass(slots=True)
class Known:
    """What a run knows so far: captured values by name, and the secrets that it has sent."""

    values: dict[str, str]
    secrets: list[str]

    def plain(self, text: str | SecretRef) -> str:
        """Fill a text as it is, or read a secret."""
        if isinstance(text, SecretRef):
            secret = reveal(text)
            self.secrets.append(secret)
            return secret
        return SLOT.sub(lambda match: self.values[match[1]], text)

    def inside(self, value: Any) -> Any:
        """Fill every text inside a JSON value; keys stay as the user wrote them."""
        if isinstance(value, Mapping):
            return {key: self.inside(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.inside(item) for item in value]
        return self.plain(value) if isinstance(value, str | SecretRef) else value

    def url(self, base: str, path: str) -> str:
        """Fill a path: a value is one piece of it, whatever stands in the value."""

        def piece(name: str) -> str:
            value = self.values[name]
            if value in {".", ".."}:
                raise UnreachedError(f"{{{name}}} came as {value!r}, which would lead elsewhere")
            return quote(value, safe="")

        return urljoin(base, SLOT.sub(lambda match: piece(match[1]), path))


def request_of(step: Step, spec: HttpSpec, base: str, known: Known) -> Request:
    """Give the request of a step.

    Raises:
        SecretError: a secret cannot be read.
        UnreachedError: a captured value fits in no URL or header.
    """
    url = known.url(base, step.path)
    if len(url) > _LONGEST_URL:
        raise UnreachedError("a captured value makes the URL longer than any server takes")
    headers: dict[str, str] = {}
    send: str | None = None
    if step.form is not None:
        fields = [(name, known.plain(value)) for name, value in step.form.items()]
        send, headers["Content-Type"] = urlencode(fields), "application/x-www-form-urlencoded"
    elif step.send_json is not None:
        send, headers["Content-Type"] = json.dumps(known.inside(step.send_json)), "application/json"
    elif step.send is not None:
        # As it is: nobody knows how to encode a value for a text of unknown kind.
        send = known.plain(step.send) if isinstance(step.send, SecretRef) else step.send
    for name, given in step.headers.items():
        value = known.plain(given)
        if not is_header_value(value):
            text = f"what goes into header {name} has a line end or control character in it"
            raise UnreachedError(text)
        headers[name] = value
    location = locate(url)
    return Request(
        spec, url, location, endpoint_of(spec, location), step.does, tuple(headers.items()), None,
        send,
    )  # fmt: skip


def onward(request: Request, status: int, where: str, sites: tuple[str, ...]) -> Request:
    """Give the request that a redirect asks for, where it stays on the site or on one of `sites`.

    Raises:
        UnreachedError: it leads nowhere, to another site, or from TLS to clear text.
    """
    try:
        url = urljoin(request.url, quote(where[:_LONGEST_URL], safe=SAFE))
        location = locate(url)
    except ValueError:
        raise UnreachedError("redirects to what is no web page") from None
    here = request.location
    if here.scheme == "https" and location.scheme == "http":
        raise UnreachedError(f"redirects from https to clear text at {location.authority}")
    same = (location.host, location.port) == (here.host, here.port)
    upgraded = location.host == here.host and (here.port, location.port) == (80, 443)
    if not same and not upgraded and location.host not in sites:
        raise UnreachedError(
            f"redirects to {location.authority}, which is another site (list it in sites:, or "
            "find out who sends visitors there)"
        )
    follow = replace(
        request, url=url, location=location, endpoint=endpoint_of(request.spec, location)
    )
    if not same and not upgraded:  # as a stranger: neither our headers nor what we sent
        return replace(follow, method="GET", headers=(), send=None)
    if status in _KEEPS_METHOD or request.method == "HEAD":
        return follow
    kept = tuple(pair for pair in request.headers if pair[0].lower() != "content-type")
    return replace(follow, method="GET", headers=kept, send=None)
