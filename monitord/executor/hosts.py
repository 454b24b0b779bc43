"""How the executor reaches a host: a shell there, facts from there, at most so many at once.

It chooses between this machine and SSH, and between the reading and the acting identity. It knows
no store and no step; a host that hangs costs its own places and nobody else's.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from monitord.clock import Clock
from monitord.errors import NotReachedError, TransportError
from monitord.executor.devices import Devices
from monitord.executor.gate import Gate, blocking
from monitord.model.catalog import Host, SshLogin
from monitord.model.facts import Facts, PluginOutput, Section
from monitord.model.result import Cause
from monitord.transports import facts_local, facts_remote, local
from monitord.transports.local import Ran
from monitord.transports.ssh import Ssh

Watch = Callable[[bytes], None]
Script = bytes | Callable[[], bytes]
"""What a shell is fed. A function is asked for it when the place is taken and the channel open,
right before anything happens; it may raise to call it off."""

FACTS_LIMIT = 4 * 1024 * 1024
"""Bytes of facts that one round trip may bring."""
_READING = 64  # threads over all hosts that only look
_ACTING = 32  # threads over all hosts that do steps: no hanging look takes their place
_AT_ONCE = 32  # plugins and local shells: two cores gain nothing from more
_PER_HOST = 4


class Hosts:
    """Shells and facts, on this machine and over SSH. Made inside the event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._reading = Gate(_READING, _PER_HOST)
        self._acting = Gate(_ACTING, _PER_HOST)
        self._local = Gate(_AT_ONCE, _AT_ONCE)
        self._steps = Gate(_ACTING, _ACTING)  # here: no slow plugin takes a step's place
        self._facts = Gate(_PER_HOST, _PER_HOST)
        self._ssh = Ssh()
        self.devices = Devices()

    async def shell(
        self,
        host: Host,
        script: Script,
        *,
        act: bool,
        timeout: float,  # noqa: ASYNC109 - the deadline ends the far side; cancelling would not
        limit: int = local.LIMIT,
        watch: Watch | None = None,
    ) -> Ran:
        """Feed `script` to a shell on `host`, as the acting or the reading login.

        Raises:
            NotReachedError: the host cannot be reached or logged into; nothing was run.
            TransportError: the connection failed when the script may have been run.
        """
        if host.login.kind == "local":
            async with (self._steps if act else self._local).place(host.name, timeout):
                text = script if isinstance(script, bytes) else script()
                return await local.run(
                    ("/bin/sh",),
                    timeout=timeout,
                    stdin=text,
                    limit=limit,
                    watch=watch,
                    whole=not act,
                )
        login = _identity(host, act=act)
        ask = partial(
            self._ssh.run,
            host.address,
            login,
            host.login.known_hosts,
            script,
            timeout=timeout,
            limit=limit,
            watch=_from_thread(watch),
            via=host.login.via,
        )
        gate = self._acting if act else self._reading
        return await blocking(gate, host.name, ask, timeout)

    async def facts(self, host: Host, sections: tuple[Section, ...], seconds: float) -> Facts:
        """Bring the sections within `seconds`.

        Raises:
            TransportError: the host cannot be reached, or the time was over.
        """
        if host.login.kind == "local":
            gather = partial(facts_local.gather, host.name, sections)
            return await blocking(self._facts, host.name, gather, seconds)
        asked = self._clock.now()
        script = facts_remote.script(sections).encode("utf-8", "surrogateescape")
        ran = await self.shell(host, script, act=False, timeout=seconds, limit=FACTS_LIMIT)
        if ran.timed_out:
            text = f"{host.name}: the facts took longer than {seconds:g} s"
            raise TransportError(text, cause=Cause.TIMEOUT)
        output = ran.stdout.decode("utf-8", "surrogateescape")
        return facts_remote.parse(host.name, output, asked_at=asked, answered_at=self._clock.now())

    async def plugin(self, argv: tuple[str, ...], seconds: float) -> PluginOutput:
        """Run a plugin here for `seconds` at most."""
        async with self._local.place(argv[0], seconds):
            ran = await local.run(argv, timeout=seconds, whole=True)
        out, err = (text.decode("utf-8", "replace") for text in (ran.stdout, ran.stderr))
        return PluginOutput(ran.exit_code, out, err, ran.timed_out, ran.truncated, ran.flooded)

    def sweep(self) -> None:
        """Close SSH connections that nobody used for a while."""
        self._ssh.sweep()

    def close(self) -> None:
        """Close every connection; threads that still wait end with the process."""
        self._ssh.close()


def _identity(host: Host, *, act: bool) -> SshLogin:
    login = host.login.act if act else host.login.read
    if host.login.kind != "ssh" or login is None:
        raise NotReachedError(
            f"{host.name} has no {'acting' if act else 'reading'} login (add `login: {{ssh: …}}`)",
            cause=Cause.LOGIN,
        )
    return login


def _from_thread(watch: Watch | None) -> Watch | None:
    if watch is None:
        return None
    loop, wanted = asyncio.get_running_loop(), watch

    def pass_on(heard: bytes) -> None:
        loop.call_soon_threadsafe(wanted, heard)

    return pass_on
