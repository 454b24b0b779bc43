"""What probes of servers with a protocol of their own share: where to, as whom, and failed logins.

It decides whose fault a failed connection is; what the server says then the kinds judge.
"""

import asyncio
from collections.abc import Awaitable, Callable

from pydantic import Field

from monitord.errors import SecretError
from monitord.model.kinds import Target
from monitord.model.result import Cause, Measurement, Result
from monitord.model.spec import SecretText, Spec
from monitord.probes.credentials import reveal
from monitord.probes.network.connect import CONNECTING, Endpoint, overdue, patience
from monitord.probes.network.latency import Latency
from monitord.probes.network.resolver import UnreachedError, resolve
from monitord.probes.network.tls import Tls


class ServerSpec(Spec):
    """A server that speaks a protocol of its own."""

    user: str = Field("", description="Who we log in as; a reader, no owner.", examples=["monitor"])
    password: SecretText | None = Field(
        None, description="Its password.", examples=["!secret file:/etc/monitord/db.password"]
    )
    tls: Tls = Field(
        None,
        description="Speak TLS: `yes`, or settings (ca, verify).",
        examples=["yes", {"ca": "/etc/ssl/our-ca.pem"}],
    )
    warning: Latency | None = Field(
        None, description="WARNING when connecting takes longer, in seconds.", examples=["500ms"]
    )
    critical: Latency | None = Field(
        None, description="CRITICAL when connecting takes longer, in seconds.", examples=["3s"]
    )


class RefusedError(UnreachedError):
    """The server is there and does not let us in: no fault of its own."""

    def __init__(self, text: str) -> None:
        super().__init__(f"our login is refused: {text}", Cause.LOGIN)


async def look(
    spec: ServerSpec,
    endpoint: Endpoint,
    target: Target,
    work: Callable[[str], Awaitable[Result]],
) -> list[Result]:
    """Run `work` with the password within the deadline; tell what it raises (UnreachedError)."""
    try:
        password = "" if spec.password is None else reveal(spec.password)
        async with asyncio.timeout(patience(target.timeout)):
            if not endpoint.literal:
                await resolve(endpoint.host, endpoint.family)
            return [await work(password)]
    except SecretError as error:
        return [Result.unknown(f"{endpoint.place}: {error}", Cause.MISSING)]
    except UnreachedError as error:
        return [error.result(endpoint.place)]
    except TimeoutError:
        late = overdue(f"{CONNECTING} or no answer", target.timeout)
        return [late.result(endpoint.place)]


def connect_time(spec: ServerSpec, seconds: float) -> Measurement:
    """Give how long it took to be let in."""
    warning = spec.warning.text if spec.warning else ""
    critical = spec.critical.text if spec.critical else ""
    return Measurement("time", round(seconds, 6), "s", warning, critical, 0.0)
