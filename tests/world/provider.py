"""A login provider on this machine (OpenID Connect), strict in what it takes, bent at will.

It holds people to RFC 6749, RFC 7636 and OpenID Connect Core: codes count once, for one client,
one address and one verifier. What it sends a test may bend: claims, key, signature, size, time.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

Claims = dict[str, Any]
SECRET = "a secret: of the client %"  # noqa: S105 - a test peer's


class Provider:
    """A context manager. `person` is who is logged in there; None asks in a page who it is."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.provider = self  # type: ignore[attr-defined] # how a handler finds us
        self.issuer = f"http://{host}:{self._server.server_address[1]}"
        self.client, self.backs = "monitord", set[str]()
        self.person: Claims | None = {"sub": "1", "preferred_username": "kim", "groups": ["ops"]}
        self.key = _first_key()
        self.bend: Callable[[Claims], Claims] = dict
        self.sign: Callable[[Claims], str] = self.signed
        self.huge, self.stuck, self.redirecting = set[str](), set[str](), set[str]()
        self.metadata: Claims = {}
        self.codes: dict[str, Claims] = {}
        self.asked: list[str] = []
        self._gone = threading.Event()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._gone.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def signed(self, claims: Claims) -> str:
        """Sign as a provider does."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def rotate(self) -> None:
        """Have another key from now on."""
        self.key = _key()

    def hang(self) -> None:
        """Say nothing until the end of the test."""
        self._gone.wait()

    def discovery(self) -> Claims:
        """Give what is at the well-known address."""
        places = {
            "authorization_endpoint": "/authorize",
            "token_endpoint": "/token",
            "jwks_uri": "/keys",
            "end_session_endpoint": "/leave?from=here",
        }
        told = {name: self.issuer + path for name, path in places.items()}
        return {"issuer": self.issuer, **told, **self.metadata}

    def authorize(self, query: dict[str, str], person: Claims) -> str:
        """Give the address that the browser goes back to; KeyError, ValueError: a bad request."""
        if query["client_id"] != self.client or query["redirect_uri"] not in self.backs:
            raise ValueError("an unknown client, or it asks for another address")
        if query["response_type"] != "code" or query["code_challenge_method"] != "S256":
            raise ValueError("not the code flow with PKCE")
        code = secrets.token_urlsafe(900)  # as long as Entra's
        self.codes[code] = {**query, "person": person}
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, Claims]:
        """Exchange a code."""
        if not self._is_client(authorization):
            return 401, {"error": "invalid_client"}
        given = self.codes.pop(form.get("code", ""), None)
        if given is None or form.get("redirect_uri") != given["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if not hmac.compare_digest(challenge, given["code_challenge"]):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": self.client, "iat": now, "exp": now + 300}
        claims |= {"nonce": given["nonce"], **given["person"]}
        token = self.sign(self.bend(claims))
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": token}

    def _is_client(self, authorization: str) -> bool:
        name, _, secret = base64.b64decode(authorization[len("Basic ") :]).decode().partition(":")
        return (unquote(name), unquote(secret)) == (self.client, SECRET)


@functools.cache  # a tenth of a second and more each
def _first_key() -> RSAKey:
    return _key()


def _key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing: a test tells what went wrong."""

    def do_GET(self) -> None:
        """Answer discovery, keys, the way in."""
        provider, parts = self._provider(), urlsplit(self.path)
        if parts.path == "/.well-known/openid-configuration":
            self._json(200, provider.discovery())
        elif parts.path == "/keys":
            self._json(200, {"keys": [provider.key.as_dict(private=False)]})
        elif parts.path == "/authorize":
            self._authorize(provider, parts.query)
        else:
            self._send(200, "text/html", b"<title>left</title>You are logged out.")

    def do_POST(self) -> None:
        """Answer for a code."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        authorization = self.headers.get("Authorization", "")
        self._json(*self._provider().token(_fields(body), authorization))

    def _authorize(self, provider: Provider, query: str) -> None:
        if provider.person is None:
            page = f'<title>who</title><a href="/authorize?{query}&as=1">Come in as Kim</a>'
            provider.person = {"sub": "1", "preferred_username": "kim", "groups": ["ops"]}
            self._send(200, "text/html", page.encode())
            return
        try:
            to = provider.authorize(_fields(query), provider.person)
        except (KeyError, ValueError) as error:
            self._json(400, {"error": str(error)})
            return
        self._send(302, "text/plain", b"", Location=to)

    def _provider(self) -> Provider:
        provider: Provider = self.server.provider  # type: ignore[attr-defined] # set by Provider
        path = urlsplit(self.path).path
        provider.asked.append(path)
        if path in provider.stuck:
            provider.hang()
        return provider

    def _json(self, status: int, told: Claims) -> None:
        path = urlsplit(self.path).path
        filler = {"filler": "x" * 8_000_000} if path in self._bent().huge else {}
        if path in self._bent().redirecting:
            self._send(302, "text/plain", b"", Location="/elsewhere")
            return
        self._send(status, "application/json", json.dumps({**filler, **told}).encode())

    def _bent(self) -> Provider:
        provider: Provider = self.server.provider  # type: ignore[attr-defined] # set by Provider
        return provider

    def _send(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        try:
            self.send_response(status)
            for name, value in {"Content-Type": kind, **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:  # whoever asked has read enough
            self.close_connection = True


def _fields(text: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(text).items()}
