"""Logging in by a provider: begins a login for one browser, and takes what comes back, once.

All that a login needs later is made of one word in the browser's cookie and a key of this process:
strangers who begin logins fill no memory. Whom a provider vouches for is put into rows by
`Accounts`; what claims mean is decided in decisions/oidc.py.
"""

import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from monitord.clock import after
from monitord.decisions.oidc import FLOW_HOLDS, vouched
from monitord.engine.oidc_client import OidcClient
from monitord.engine.oncall import Here
from monitord.errors import CommandRefusedError, LoginError, ProviderDownError
from monitord.model.account import Known
from monitord.model.ids import Instant
from monitord.model.login import LoginProvider, Vouched

BACK = "/login/oidc/back"
"""Where the provider sends people back to, on monitord-web."""

_AT_ONCE = 8  # logins that may wait for the provider
_USED = 10_000
_MICRO = 1_000_000
_STALE = "this login has expired or was used before; begin again"
Enter = Callable[[Vouched, LoginProvider, str], Awaitable[tuple[str, Known]]]


@dataclass(frozen=True, slots=True)
class Ways:
    """How people log in: the provider's name (empty: none), and where it ends its own session."""

    provider: str
    leave: str


class Provider:
    """The provider that is configured now. `enter` begins the session of whom it vouches for."""

    def __init__(self, here: Here, enter: Enter) -> None:
        self._here, self._enter = here, enter
        self._key = secrets.token_bytes(32)
        self._used: OrderedDict[str, Instant] = OrderedDict()
        self._client: OidcClient | None = None
        self._waiting = 0

    def ways(self) -> Ways:
        """Give how people log in; nobody is asked for it."""
        provider = self._here.catalog.settings.oidc
        if provider is None:
            return Ways("", "")
        found = self._asked(provider).found
        if found is None or not found.leave:
            return Ways(provider.name, "")
        query = {"client_id": provider.client, "post_logout_redirect_uri": f"{self._base()}/login"}
        return Ways(provider.name, _with(found.leave, query))

    async def begin(self) -> tuple[str, str]:
        """Begin a login: gives where the browser goes, and the word that it alone keeps.

        Raises:
            CommandRefusedError: no provider is configured.
            ProviderDownError: it cannot be asked now.
        """
        provider = self._configured()
        async with self._place():
            where = await self._asked(provider).addresses()
        word = f"{self._here.now() // _MICRO}.{secrets.token_urlsafe(32)}"
        verifier = self._made("verifier", word, provider)
        query = {
            "response_type": "code",
            "client_id": provider.client,
            "redirect_uri": self._base() + BACK,
            "scope": " ".join(provider.scopes),
            "state": self._made("state", word, provider),
            "nonce": self._made("nonce", word, provider),
            "code_challenge": _text(hashlib.sha256(verifier.encode()).digest()),  # RFC 7636, 4.2
            "code_challenge_method": "S256",
        }
        return _with(where.authorize, query), word

    async def finish(self, word: str, state: str, code: str, *, where: str) -> tuple[str, Known]:
        """Take what the provider sent back with the browser; gives a session's secret.

        Raises:
            LoginError: it is not this browser's login, too old, used, or not to be let in.
            CommandRefusedError, ProviderDownError: as for `begin`.
        """
        provider, now = self._configured(), self._here.now()
        right = self._made("state", word, provider)
        if not hmac.compare_digest(right.encode(), state.encode(errors="replace")):
            raise LoginError("this login was not begun in this browser; begin again here")
        self._use(word, now)
        async with self._place():
            claims = await self._asked(provider).claims(
                code,
                back=self._base() + BACK,
                verifier=self._made("verifier", word, provider),
                nonce=self._made("nonce", word, provider),
                now=now,
            )
        return await self._enter(vouched(claims, provider), provider, where)

    def _use(self, word: str, now: Instant) -> None:
        """Take a word of ours, within its time and once; it is ours since its state was right."""
        begun = Instant(int(word.partition(".")[0]) * _MICRO)
        if not begun <= now < after(begun, FLOW_HOLDS) or word in self._used:
            raise LoginError(_STALE)
        self._used[word] = begun
        while self._used and (
            len(self._used) > _USED or after(next(iter(self._used.values())), FLOW_HOLDS) <= now
        ):
            self._used.popitem(last=False)  # the provider takes each code only once as well

    def _made(self, what: str, word: str, provider: LoginProvider) -> str:
        """Give a part of a login: nobody can make it without our key, for any other word."""
        about = f"{what}\n{word}\n{provider.issuer}\n{provider.client}"
        digest = hmac.digest(self._key, about.encode(errors="replace"), hashlib.sha256)
        return _text(digest)

    def _configured(self) -> LoginProvider:
        provider = self._here.catalog.settings.oidc
        if provider is None:
            raise CommandRefusedError("no login provider is configured; log in with a password")
        return provider

    def _asked(self, provider: LoginProvider) -> OidcClient:
        if self._client is None or self._client.provider != provider:
            self._client = OidcClient(provider)
        return self._client

    def _base(self) -> str:
        settings = self._here.catalog.settings
        return (settings.web_url or f"http://{settings.web}").rstrip("/")

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """Wait for the provider with few others: one that hangs holds up nothing else."""
        if self._waiting >= _AT_ONCE:
            raise ProviderDownError("many wait for the login provider; try again in a few seconds")
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1


def _text(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _with(address: str, query: dict[str, str]) -> str:
    """Give an address with a query, after the one that it may have."""
    address = address.partition("#")[0]
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"
