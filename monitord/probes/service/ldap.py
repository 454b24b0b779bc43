"""The `ldap` probe: a directory lets us in, finds what it should, and keeps up with its provider.

It decides on login, search and replication; it reads only, and no attribute but contextCSN.
Source: RFC 4511; for contextCSN OpenLDAP's syncrepl (its newest change, one value per provider).
"""

import math
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Literal

from pydantic import Field, model_validator

from monitord.errors import BusyError
from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Library
from monitord.model.text import one_line
from monitord.probes import blocking
from monitord.probes.limits import show_age
from monitord.probes.network.connect import Endpoint, patience
from monitord.probes.network.latency import judge_latency, show
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.network.tls import BadAuthorityError, TlsSpec, context_for
from monitord.probes.service.limits import Limits, limits
from monitord.probes.service.server import RefusedError, ServerSpec, connect_time, look
from monitord.probes.verdict import Finding, verdict

_MOST = 1000  # entries of one search
_WITHIN = 10.0  # seconds of one exchange where nobody told a deadline
_REFUSED = {8, 13, 48, 49, 50, 53}  # RFC 4511 §4.1.9: of our login and our rights
_NO_SUCH, _TOO_MANY = 32, 4


class LdapSpec(ServerSpec):
    """A directory: lets us in over TLS, finds entries, and has what its provider has."""

    library = Library("ldap3", "ldap")
    example = """
        ldap:
          starttls: true
          user: uid=monitor,ou=services,dc=example,dc=com
          password: !secret file:/etc/monitord/ldap.password
          base: ou=people,dc=example,dc=com
          filter: (uid=kim)
          provider: ldap1.example.com
    """

    port: int | None = Field(
        None, ge=1, le=65535, description="The port; left out: 389, or 636 with tls alone."
    )
    user: str = Field(
        "", description="The DN that we log in as; left out: nobody (anonymous).",
        examples=["uid=monitor,ou=services,dc=example,dc=com"],
    )  # fmt: skip
    starttls: bool = Field(
        default=False, description="Begin in clear text and go on in TLS, on port 389."
    )
    in_clear: bool = Field(
        default=False, description="Send the password without TLS: whoever listens has it."
    )
    base: str = Field(
        "", description="Where to search; left out: no search.", examples=["dc=example,dc=com"]
    )
    filter: str = Field("(objectClass=*)", description="What to search for.")
    scope: Literal["base", "one", "subtree"] = Field("subtree", description="How deep to search.")
    entries: Limits = Field(
        limits(critical="1:"), description=f"Limits on the entries found (at most {_MOST} are)."
    )
    provider: str = Field(
        "",
        description="The server that this one copies: their newest changes are compared.",
        examples=["ldap1.example.com"],
    )
    behind: Limits = Field(
        limits("60", "600"), description="Limits on how far it is behind its provider, in seconds."
    )

    @model_validator(mode="after")
    def _safe(self) -> "LdapSpec":
        if self.user and self.password is None:
            raise ValueError("user without a password would be let in as nobody: give password")
        if self.user and not (self.tls or self.starttls or self.in_clear):
            raise ValueError(
                "user and password without TLS: write starttls: true (port 389), tls: yes "
                "(port 636), or in_clear: true if everybody on the way may read them"
            )
        if self.provider and not self.base:
            raise ValueError("provider needs base: the suffix whose newest changes are compared")
        return self

    @property
    def place(self) -> int:
        """The port."""
        return self.port or (636 if self.tls and not self.starttls else 389)


@dataclass(frozen=True, slots=True)
class Said:
    """What a directory answered: entries found (None: no such base), and its newest changes."""

    elapsed: float
    entries: int | None = 0
    more: bool = False
    changes: Mapping[str, datetime] = field(default_factory=dict)


async def probe(spec: LdapSpec, target: Target) -> Sequence[Result]:
    """Log in, search, compare; see NetworkProbe for the contract."""
    endpoint = Endpoint.of(target.address, spec.place)
    within = (patience(target.timeout) or _WITHIN) / 3  # connect, bind and search may each wait

    async def work(password: str) -> Result:
        try:
            secure = spec.tls or (TlsSpec() if spec.starttls else None)
            context = await context_for(secure) if secure else None
            said = await blocking.run(lambda: _ask(spec, target.address, password, context, within))
            if not spec.provider:
                return judge(spec, endpoint.place, said, None)
            other = await blocking.run(lambda: _compared(spec, password, context, within))
        except BusyError as error:
            return Result.unknown(f"{endpoint.place}: {error}", Cause.TIMEOUT)
        except BadAuthorityError as error:
            return Result.unknown(f"{endpoint.place}: {error}", Cause.MISSING)
        return judge(spec, endpoint.place, said, other)

    return await look(spec, endpoint, target, work)


def _compared(
    spec: LdapSpec, password: str, context: ssl.SSLContext | None, within: float
) -> Mapping[str, datetime]:
    """Ask the provider; its failure is no fault of the server that is looked at."""
    try:
        return _ask(spec, spec.provider, password, context, within, search=False).changes
    except UnreachedError as error:
        text = f"its provider {one_line(spec.provider, 80)} cannot be asked: {error}"
        raise UnreachedError(text, error.cause or Cause.MISSING) from error


def _ask(
    spec: LdapSpec,
    host: str,
    password: str,
    context: ssl.SSLContext | None,
    within: float,
    *,
    search: bool = True,
) -> Said:
    """Hold one conversation; blocks, each exchange `within` seconds at most.

    Raises:
        UnreachedError: it cannot be reached, or refuses.
    """
    import ldap3
    from ldap3.core.exceptions import LDAPException

    server = ldap3.Server(
        host,
        port=spec.place,
        use_ssl=spec.tls is not None and not spec.starttls,
        tls=_tls(context, (spec.tls and spec.tls.server_name) or host) if context else None,
        get_info=ldap3.NONE,
        connect_timeout=within,
    )
    connection = ldap3.Connection(
        server,
        spec.user or None,
        password or None,
        receive_timeout=math.ceil(within),  # the library takes whole seconds only
        read_only=True,
        auto_referrals=False,  # a server must not send our password elsewhere
    )
    started = perf_counter()
    try:
        connection.open()
        if spec.starttls and not connection.start_tls():
            raise UnreachedError(f"STARTTLS is refused: {_words(connection)}")
        if not connection.bind():
            raise _refusal(connection)
        elapsed = perf_counter() - started
        entries, more = _search(spec, connection) if spec.base and search else (0, False)
        return Said(elapsed, entries, more, _changes(spec, connection) if spec.provider else {})
    except (LDAPException, OSError, ValueError) as error:
        raise UnreachedError(_told(error)) from error
    finally:
        _close(connection)


def _close(connection: Any) -> None:
    """Close the socket itself: the library leaves it open where the handshake or login failed."""
    if connection.socket is not None:
        connection.socket.close()


def _tls(context: ssl.SSLContext, name: str) -> Any:
    """Give the library a handshake of OpenSSL's own: its own check of names is older than that."""
    import ldap3

    class Ours(ldap3.Tls):  # type: ignore[misc] # the library has no types
        def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
            connection.socket = context.wrap_socket(
                connection.socket, server_hostname=name, do_handshake_on_connect=do_handshake
            )

    return Ours()


def _search(spec: LdapSpec, connection: Any) -> tuple[int | None, bool]:
    import ldap3

    scope = {"base": ldap3.BASE, "one": ldap3.LEVEL, "subtree": ldap3.SUBTREE}[spec.scope]
    connection.search(
        spec.base, spec.filter, scope, attributes=[ldap3.NO_ATTRIBUTES], size_limit=_MOST
    )
    code = connection.result["result"]
    if code == _NO_SUCH:
        return None, False
    if code not in {0, _TOO_MANY}:
        raise _refusal(connection)
    found = [one for one in connection.response or () if one.get("type") == "searchResEntry"]
    return len(found), code == _TOO_MANY


def _changes(spec: LdapSpec, connection: Any) -> dict[str, datetime]:
    """Read contextCSN: `20261123150000.123456Z#000000#001#000000`, by the provider's number."""
    import ldap3

    connection.search(spec.base, "(objectClass=*)", ldap3.BASE, attributes=["contextCSN"])
    found = {}
    for entry in connection.response or ():
        for value in entry.get("raw_attributes", {}).get("contextCSN", ()):
            stamp, _, rest = value.decode("ascii", "replace").partition("Z#")
            when = datetime.strptime(stamp[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            found[rest.split("#")[1] if "#" in rest else ""] = when
    return found


def _words(connection: Any) -> str:
    result = connection.result or {}
    said = ": ".join(
        str(part) for part in (result.get("description"), result.get("message")) if part
    )
    return one_line(said, 120) or "no reason is told"


def _refusal(connection: Any) -> UnreachedError:
    code = (connection.result or {}).get("result")
    if code in _REFUSED:
        return RefusedError(_words(connection))
    return UnreachedError(f"answers with an error: {_words(connection)}")


def _told(error: Exception) -> str:
    return one_line(str(error), 160) or type(error).__name__


def judge(
    spec: LdapSpec, place: str, said: Said, provider: Mapping[str, datetime] | None
) -> Result:
    """Give the verdict on what a directory answered; `provider`: its newest changes, if asked."""
    findings: list[Finding | None] = [judge_latency(spec, said.elapsed)]
    measured: list[Measurement] = [connect_time(spec, said.elapsed)]
    who = "let us in" if spec.user else "lets anybody in"
    good = f"{who} in {show(said.elapsed)}"
    if spec.base:
        if said.entries is None:
            findings.append((Status.CRITICAL, f"has no entry {one_line(spec.base, 80)}"))
        else:
            count = f"{said.entries}{' or more' if said.more else ''} entries"
            sentence = f"finds {count} of {one_line(spec.filter, 80)}"
            findings.append(spec.entries.judge(sentence, said.entries))
            measured.append(spec.entries.measured("entries", said.entries))
            good += f", {count} found"
    if provider is not None:
        late, finding = _lag(spec, said.changes, provider)
        findings.append(finding)
        measured.append(spec.behind.measured("behind", late, "s"))
    return verdict(place, findings, good, tuple(measured))


def _lag(
    spec: LdapSpec, here: Mapping[str, datetime], there: Mapping[str, datetime]
) -> tuple[float, Finding | None]:
    name = one_line(spec.provider, 60)
    if not there or not here:
        who = "it" if there else f"its provider {name}"
        return 0.0, (Status.WARNING, f"{who} tells no contextCSN: does it replicate at all?")
    late = max(
        (when - here.get(number, min(here.values()))).total_seconds()
        for number, when in there.items()
    )
    late = max(0.0, late)
    sentence = (
        f"{show_age(late)} behind its provider {name}: replication stands or its login failed"
    )
    return late, spec.behind.judge(sentence, late, "s")


KIND = NetworkProbe("ldap", LdapSpec, probe)
"""The `ldap` probe: see LdapSpec."""
