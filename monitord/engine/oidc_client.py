"""Asks one login provider: its discovery document, its keys, and an id_token for a code.

The provider is a stranger in what it sends: each answer is bounded in time and size, each address
is checked, and nothing that it signed counts before iss, aud, exp, nonce and the algorithm do. Who
may come in is not decided here. JOSE is joserfc's, the claims' rules are authlib's.
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from monitord import secrets
from monitord.decisions.oidc import LEEWAY
from monitord.errors import LoginError, ProviderDownError, SecretError
from monitord.log import get_logger
from monitord.model.ids import Instant
from monitord.model.kinds import Target
from monitord.model.login import LoginProvider
from monitord.model.loopback import is_private
from monitord.model.result import Result
from monitord.model.text import one_line
from monitord.probes.network.http import fetch
from monitord.probes.network.http_spec import HttpSpec

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

log = get_logger(__name__)

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
"""Signatures by a key that only the provider has: never `none`, never one made with our secret."""

_PATIENCE = 4.0  # seconds for one answer
_READ = 256 * 1024  # bytes of one answer
_FRESH = 3600.0  # seconds that discovery and keys are believed
_ASK_AGAIN = 10.0  # seconds between two looks for a key that was not there, or after a failure
_LONGEST_URL = 2000
_MOST_KEYS = 100
_OK, _BAD = 200, frozenset({400, 401, 403})
_STALE = "this login has expired or was used before; begin again"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a provider is asked for what; `leave` is empty where it ends no sessions."""

    authorize: str
    token: str
    keys: str
    leave: str
    by_post: bool  # the secret goes into the form, not into a header


class OidcClient:
    """One provider as it is configured; another configuration is another client."""

    def __init__(self, provider: LoginProvider) -> None:
        self.provider = provider
        self.found: Addresses | None = None
        self._found_at = self._keys_at = self._failed_at = self._again_at = -_FRESH
        self._failure = ""
        self._keys: KeySet | None = None
        self._lock = asyncio.Lock()

    async def addresses(self) -> Addresses:
        """Give where the provider is asked.

        Raises:
            ProviderDownError: it does not answer, or with something else.
        """
        async with self._lock:
            now = _now()
            if self.found is not None and now - self._found_at < _FRESH:
                return self.found
            if now - self._failed_at < _ASK_AGAIN:
                raise ProviderDownError(self._failure)
            try:
                self.found = await self._discover()
            except ProviderDownError as error:
                self._failed_at, self._failure = _now(), str(error)
                raise
            self._found_at = _now()
            return self.found

    async def claims(
        self, code: str, *, back: str, verifier: str, nonce: str, now: Instant
    ) -> Mapping[str, Any]:
        """Exchange a code and give the claims of the id_token, all of them checked.

        Raises:
            LoginError: the provider refuses the code, or its token is not for this login.
            ProviderDownError: it does not answer, or with something else.
        """
        where = await self.addresses()
        given = await self._exchange(where, code, back, verifier)
        token, access = given.get("id_token"), given.get("access_token")
        if not isinstance(token, str):
            raise ProviderDownError(f"{self._name} gave no id_token; does it know openid?")
        checked = _Expected(self.provider, nonce, access if isinstance(access, str) else "", now)
        keys = await self._keys_of(where, fresh=False)
        try:
            return await asyncio.to_thread(checked.claims, token, keys)
        except _UnknownKeyError:
            keys = await self._keys_of(where, fresh=True)
        try:
            return await asyncio.to_thread(checked.claims, token, keys)
        except _UnknownKeyError as error:
            raise self._refused(str(error)) from None

    @property
    def _name(self) -> str:
        return one_line(self.provider.name, 60)

    def _refused(self, why: str) -> LoginError:
        log.warning("id_token refused", issuer=self.provider.issuer, reason=one_line(why, 200))
        return LoginError(f"what {self._name} sent does not prove who you are; the log says why")

    async def _discover(self) -> Addresses:
        issuer = self.provider.issuer
        url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        told = _map(await self._fetch(url))
        if told.get("issuer") != issuer:
            called = one_line(str(told.get("issuer")), 120)
            raise ProviderDownError(f"{self._name} calls itself {called}; write that as issuer:")
        methods = told.get("token_endpoint_auth_methods_supported")
        listed = methods if isinstance(methods, list) else ["client_secret_basic"]
        return Addresses(
            self._address(told, "authorization_endpoint"),
            self._address(told, "token_endpoint"),
            self._address(told, "jwks_uri"),
            self._address(told, "end_session_endpoint") if "end_session_endpoint" in told else "",
            by_post="client_secret_basic" not in listed and "client_secret_post" in listed,
        )

    def _address(self, told: Mapping[str, Any], name: str) -> str:
        """Give an address of the discovery document: as safe as the issuer's own."""
        value = told.get(name)
        plain = isinstance(value, str) and value.isascii() and value.isprintable()
        secure = self.provider.issuer.startswith("http:") or str(value).startswith("https:")
        if plain and len(str(value)) <= _LONGEST_URL and secure and is_private(str(value)):
            return str(value)
        raise ProviderDownError(f"{self._name} names no {name} that can be used")

    async def _keys_of(self, where: Addresses, *, fresh: bool) -> "KeySet":
        """Give the keys: those that are known, unless a token wants one that is not there."""
        async with self._lock:
            now = _now()
            again = fresh and now - self._again_at >= _ASK_AGAIN
            if self._keys is None or now - self._keys_at >= _FRESH or again:
                self._again_at = now if again else self._again_at
                if now - self._failed_at < _ASK_AGAIN:
                    raise ProviderDownError(self._failure)
                try:
                    told = _map(await self._fetch(where.keys))
                    self._keys = await asyncio.to_thread(_key_set, told)
                except ProviderDownError as error:
                    self._failed_at, self._failure = _now(), str(error)
                    raise
                self._keys_at = _now()
            return self._keys

    async def _exchange(
        self, where: Addresses, code: str, back: str, verifier: str
    ) -> Mapping[str, Any]:
        client = self.provider.client
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
            "client_id": client,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        secret = await asyncio.to_thread(self._secret)
        if secret and where.by_post:
            form["client_secret"] = secret
        elif secret:
            # RFC 6749, 2.3.1: both are form-encoded before they are joined.
            both = f"{quote(client, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(both.encode()).decode()}"
        return _map(await self._fetch(where.token, headers, urlencode(form)))

    def _secret(self) -> str:
        try:
            return secrets.resolve(self.provider.secret) if self.provider.secret else ""
        except SecretError as error:
            log.error("login provider's secret", problem=str(error))  # noqa: TRY400 - the sentence says all
            raise ProviderDownError("monitord cannot read its secret for the provider") from None

    async def _fetch(
        self, url: str, headers: Mapping[str, str] | None = None, send: str | None = None
    ) -> Any:
        """Give the JSON at an address; a redirect is not followed."""
        tls = {"ca": self.provider.ca} if self.provider.ca and url.startswith("https:") else None
        asked = {"url": url, "redirects": 0, "read": _READ, "headers": headers or {}, "tls": tls}
        if send is not None:
            asked |= {"method": "POST", "send": send}
        try:
            spec = HttpSpec.model_validate(asked)
        except ValueError:
            raise ProviderDownError(f"{self._name} names an address that cannot be used") from None
        answer = await fetch(spec, Target("", "", {}, _PATIENCE))
        if isinstance(answer, Result):
            log.warning("login provider does not answer", reason=one_line(answer.summary, 200))
            raise ProviderDownError(f"{self._name} does not answer; log in with a password")
        told = None if answer.cut else await asyncio.to_thread(_json, answer.body)
        if answer.status in _BAD and send is not None:
            raise self._no(told)
        if answer.status != _OK or told is None:
            log.warning("login provider answers", status=answer.status, bytes=len(answer.body))
            raise ProviderDownError(f"{self._name} answers with something else; the log says more")
        return told

    def _no(self, told: Any) -> Exception:
        """Make of a refused code what the person can do about it."""
        error = one_line(str(_map(told).get("error", "")), 60)
        log.warning("login provider refuses a code", error=error)
        if error == "invalid_grant":
            return LoginError(_STALE)
        return ProviderDownError(f"{self._name} refuses monitord itself: {error or 'no reason'}")


class _UnknownKeyError(Exception):
    """No key that we know made the signature: perhaps there are new ones."""


@dataclass(frozen=True, slots=True)
class _Expected:
    """What a token must be. Used in a thread: reading keys and signatures takes its time."""

    provider: LoginProvider
    nonce: str
    access: str
    now: Instant

    def claims(self, token: str, keys: "KeySet") -> Mapping[str, Any]:
        """Give the claims; LoginError when they are not for this login."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import errors, jwt

        provider = self.provider
        try:
            read = jwt.decode(token, keys, algorithms=ALGORITHMS)
        except (errors.BadSignatureError, errors.InvalidKeyIdError) as error:
            raise _UnknownKeyError(str(error)) from None
        except (errors.JoseError, ValueError, TypeError, RecursionError) as error:
            raise self._refused(error) from None
        options: Any = {
            "iss": {"essential": True, "value": provider.issuer},
            "sub": {"essential": True},
            "aud": {"essential": True, "value": provider.client},
            "exp": {"essential": True},
            "iat": {"essential": True},
            "nonce": {"essential": True, "value": self.nonce},
        }
        params = {"nonce": self.nonce, "client_id": provider.client, "access_token": self.access}
        try:
            checked = CodeIDToken(read.claims, read.header, options, params)
            checked.validate(now=self.now // 1_000_000, leeway=LEEWAY)
        except (errors.JoseError, ValueError, TypeError, AttributeError) as error:
            raise self._refused(error) from None
        return dict(checked)

    def _refused(self, error: Exception) -> LoginError:
        reason = one_line(f"{type(error).__name__}: {error}", 200)
        log.warning("id_token refused", issuer=self.provider.issuer, reason=reason)
        name = one_line(self.provider.name, 60)
        return LoginError(f"what {name} sent does not prove who you are; the log says why")


def _key_set(told: Mapping[str, Any]) -> "KeySet":
    """Make keys of a JWKS: those that can sign, and of which only the public half is needed.

    Raises:
        ProviderDownError: there is none.
    """
    from joserfc import errors
    from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

    kinds: Mapping[Any, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    listed, found = told.get("keys"), []
    for one in listed[:_MOST_KEYS] if isinstance(listed, list) else []:
        kind = kinds.get(str(_map(one).get("kty")))
        if kind is None or one.get("use", "sig") != "sig" or _is_weak(one):
            continue
        try:
            found.append(kind.import_key(one))
        except (errors.JoseError, ValueError, TypeError, KeyError) as error:
            log.warning("a key of the login provider cannot be read", reason=type(error).__name__)
    if not found:
        raise ProviderDownError("the provider shows no key that can be used")
    return KeySet(found)


_SHORTEST, _LONGEST = 340, 1370  # signs in base64 of an RSA modulus: 2048 and 8192 bits


def _is_weak(key: Mapping[str, Any]) -> bool:
    """Say whether an RSA key is too small to trust, or so large that it costs."""
    return key.get("kty") == "RSA" and not _SHORTEST <= len(str(key.get("n"))) <= _LONGEST


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _now() -> float:
    return asyncio.get_running_loop().time()
