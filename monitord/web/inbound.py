"""POST /inbound/SOURCE: proves who sends, reads the payload, and passes on what it says.

It decides nothing about checks. What was not proven reaches neither the core nor the spool; a
refusal says what would be right and shows nothing of the payload or of us.
"""

import asyncio
import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from monitord import inbound_spool
from monitord.clock import Clock
from monitord.control import Core, CoreDownError, CoreSaysNoError
from monitord.errors import SecretError
from monitord.inbound import LONGEST, PayloadError, read
from monitord.inbound_sources import from_json, mark
from monitord.log import get_logger
from monitord.model.ids import Instant
from monitord.model.inbound import Source, Told
from monitord.pings import SpoolError
from monitord.secrets import SecretRef, resolve

log = get_logger(__name__)

_WINDOW = 300  # seconds that a signature's time may lie before or after ours
_REMEMBERED = 20_000  # signatures of one source within the window
_BURST, _PER_SECOND = 60.0, 5.0  # payloads of one source
_ASK_AGAIN = 1.0  # seconds between two questions for sources that strangers make us ask
_MAY_DIFFER = frozenset({400, 401, 404, 503})  # refusals that newer words of the source may end
_OUTDATED = frozenset({404, 409})  # how the core says that it knows a source otherwise
_NO_SUCH = "no such source; `inbound:` names them"
_SIGNATURES = ("x-monitord-signature", "x-grafana-alerting-signature")
_TIMES = ("x-monitord-timestamp", "x-grafana-alerting-timestamp")
_HEX = re.compile(r"(?:sha256=)?([0-9a-f]{64})")
_SECONDS = re.compile(r"[0-9]{1,12}")


class RefusedError(Exception):
    """The payload is not taken: an HTTP status and a sentence for the sender."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


class OutdatedError(RefusedError):
    """The core knows the source otherwise than we do, or no more."""

    def __init__(self) -> None:
        super().__init__(503, "the configuration is just being changed; send it again")


class Inbound:
    """The handler over one core; `folder` keeps what the core cannot take.

    `sources` are those of the files when we started. What the core does not know so is asked for
    anew, and so are the sources whenever somebody is refused.
    """

    def __init__(
        self, core: Core, sources: Mapping[str, Source], folder: Path, clock: Clock
    ) -> None:
        self._core, self._folder, self._clock = core, folder, clock
        self._gates = {name: _Gate(source, clock) for name, source in sources.items()}
        self._lock = asyncio.Lock()
        self._asked, self._version = -_ASK_AGAIN, 0

    async def __call__(self, request: Request) -> Response:
        """Take one payload."""
        name, version = request.path_params["source"], self._version
        if name not in self._gates and not await self._learn(version):
            return _answer(404, _NO_SUCH)
        try:
            body = await _body(request)
            try:
                return _answer(*await self._take(name, request.headers, body))
            except RefusedError as error:
                outdated = isinstance(error, OutdatedError)
                if error.status not in _MAY_DIFFER or not await self._learn(version, outdated):
                    raise
            return _answer(*await self._take(name, request.headers, body))
        except RefusedError as error:
            return _answer(error.status, str(error))

    async def _take(self, name: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """Let a payload in by what we know of its source, and pass it on.

        Raises:
            RefusedError: it may not come in; OutdatedError: or not by what we know.
        """
        gate = self._gates.get(name)
        if gate is None:
            raise RefusedError(404, _NO_SUCH)
        source = gate.source
        signature = await gate.admit(headers, body)
        try:
            reports = await asyncio.to_thread(_read, source, body, self._clock.now())
            return await self._pass_on(source, reports)
        except (RefusedError, SpoolError):
            gate.forget(signature)
            raise

    async def _learn(self, version: int, urgent: bool = False) -> bool:
        """Ask the core for its sources; tells whether they are others than those of `version`.

        Strangers make us ask once a second, what the core itself has refused each time.
        """
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if self._version == version and (urgent or now - self._asked >= _ASK_AGAIN):
                self._asked = now
                try:
                    answer = await asyncio.to_thread(self._core.get, "/v1/inbound")
                except (CoreDownError, CoreSaysNoError) as error:
                    log.warning("inbound sources cannot be asked for", reason=str(error))
                    return False
                self._adopt({each.name: each for each in map(from_json, answer["sources"])})
            return self._version != version

    def _adopt(self, sources: Mapping[str, Source]) -> None:
        """Take over the core's sources; a gate that stays remembers the signatures it has seen."""
        if {name: gate.source for name, gate in self._gates.items()} == sources:
            return
        old, self._gates = self._gates, {}
        for name, source in sources.items():
            gate = self._gates[name] = old.get(name) or _Gate(source, self._clock)
            gate.source = source
        self._version += 1
        log.info("inbound sources learned", sources=len(sources))

    async def _pass_on(self, source: Source, reports: list[Told]) -> tuple[int, str]:
        taken = unknown = 0
        kept = False
        for each in inbound_spool.pieces(source.name, reports):
            piece = {**each, "mark": mark(source)}
            try:
                heard = await asyncio.to_thread(self._core.post, "/v1/inbound", piece)
                taken, unknown = taken + heard["taken"], unknown + heard["unknown"]
            except (CoreDownError, CoreSaysNoError) as error:
                if isinstance(error, CoreSaysNoError):
                    if error.status in _OUTDATED:
                        raise OutdatedError from error
                    log.warning("core refuses inbound", source=source.name, reason=str(error))
                now = self._clock.now()
                await asyncio.to_thread(inbound_spool.spool, self._folder, piece, now)
                kept = True
        if kept:
            return 202, "kept until the core is back"
        more = f", {unknown} of no check that this source may report" if unknown else ""
        return 200, f"{taken} taken{more}"


class _Gate:
    """One source's door: its proof, the signatures it has seen, and its rate."""

    def __init__(self, source: Source, clock: Clock) -> None:
        self.source = source
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._tokens, self._filled = _BURST, self._seconds()

    async def admit(self, headers: Mapping[str, str], body: bytes) -> str:
        """Let a payload in whose sender has proven itself, not too often; gives its signature.

        Raises:
            RefusedError: 401, 429, or 503 where our own secret cannot be read.
        """
        if self.source.token is not None:
            await self._bearer(headers)
            self._pace()
            return ""
        signature = await self._signed(headers, body)
        self._pace()
        self._once(signature)
        return signature

    def forget(self, signature: str) -> None:
        """Take a payload's signature as not seen: it was let in, and not taken."""
        self._seen.pop(signature, None)

    async def _bearer(self, headers: Mapping[str, str]) -> None:
        way, _, offered = headers.get("authorization", "").partition(" ")
        wanted = await self._secret(self.source.token)
        good = hmac.compare_digest(_digest(wanted), _digest(offered.strip()))
        if way.lower() != "bearer" or not good:
            raise RefusedError(401, "the token is missing or wrong (Authorization: Bearer TOKEN)")

    async def _signed(self, headers: Mapping[str, str], body: bytes) -> str:
        at = next(filter(None, (headers.get(name, "") for name in _TIMES)), "")
        offered = next(filter(None, (headers.get(name, "") for name in _SIGNATURES)), "")
        found = _HEX.fullmatch(offered.lower())
        if not _SECONDS.fullmatch(at) or found is None:
            raise RefusedError(
                401,
                f"the signature is missing ({_TIMES[0]}: seconds, {_SIGNATURES[0]}: "
                "HMAC-SHA256 of `seconds:body` in hex)",
            )
        wanted = await self._secret(self.source.hmac)
        right = hmac.new(wanted.encode(), f"{at}:".encode() + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right, found[1]):
            raise RefusedError(401, "the signature is wrong (HMAC-SHA256 of `seconds:body`)")
        if abs(self._seconds() - int(at)) > _WINDOW:
            raise RefusedError(401, f"its time is more than {_WINDOW // 60} minutes from ours")
        return right

    def _once(self, signature: str) -> None:
        now = self._seconds()
        # Twice the window: a time that lies ahead of ours stays good for so long.
        while self._seen and next(iter(self._seen.values())) < now - 2 * _WINDOW:
            self._seen.popitem(last=False)
        if signature in self._seen:
            raise RefusedError(401, "this very payload was taken already; sign it anew")
        if len(self._seen) >= _REMEMBERED:
            raise RefusedError(429, "too many payloads; send more in one")
        self._seen[signature] = now

    def _pace(self) -> None:
        now = self._seconds()
        refill = max(0.0, now - self._filled) * _PER_SECOND
        self._tokens, self._filled = min(_BURST, self._tokens + refill), now
        if self._tokens < 1.0:
            raise RefusedError(429, "too many payloads; wait a second, send more in one")
        self._tokens -= 1.0

    async def _secret(self, value: str | SecretRef | None) -> str:
        if not isinstance(value, SecretRef):
            return value or ""
        try:
            told = await asyncio.to_thread(resolve, value)
        except SecretError as error:
            log.warning("inbound secret cannot be read", source=self.source.name, reason=str(error))
            raise RefusedError(503, "the source's secret cannot be read here") from error
        if not told.strip():  # an empty one would let everybody in
            log.warning("inbound secret is empty", source=self.source.name, secret=str(value))
            raise RefusedError(503, "the source's secret is empty here")
        return told

    def _seconds(self) -> float:
        return self._clock.now() / 1e6


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST:
            raise RefusedError(413, f"the body has more than {LONGEST // 1024} KiB; send less")
    return bytes(body)


def _read(source: Source, body: bytes, now: Instant) -> list[Told]:
    try:
        return read(source, body, now)
    except PayloadError as error:
        raise RefusedError(error.status, str(error)) from error


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()


def _answer(status: int, text: str) -> Response:
    headers = {"content-type": "text/plain; charset=utf-8"}
    if status == 401:  # noqa: PLR2004 - HTTP's own word
        headers["www-authenticate"] = "Bearer"
    if status == 429:  # noqa: PLR2004 - HTTP's own word
        headers["retry-after"] = "1"
    return Response(f"{text}\n", status, headers=headers)
