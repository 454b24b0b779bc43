"""Network devices: a command typed for a check, or the lines of a step; one session each.

A device has no shell, so no run record can stand there and no epoch is tested: the record of a step
stands here, as an http step's does, and what was cut off under way is unknown. At most two sessions
at once on one device, one that looks and one that acts, for many have only five.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial

from monitord.errors import NotReachedError, SecretError
from monitord.executor import records
from monitord.executor.gate import Gate, blocking
from monitord.executor.threads import in_thread
from monitord.log import hide
from monitord.model.catalog import Host
from monitord.model.dialects import DIALECTS
from monitord.model.effect import DeviceCall
from monitord.model.facts import PluginOutput
from monitord.model.ids import StepId
from monitord.model.result import Cause
from monitord.secrets import redact, resolve, veil
from monitord.transports.device import Said, Session, open_session
from monitord.transports.runner import CUT, KEEP, End, Ending, Record
from monitord.transports.ssh_connect import Deadline

_LOOKING = 32  # sessions that look, over all devices
_ACTING = 8  # sessions that change something


class Devices:
    """Sessions with the devices of this executor. Made inside the event loop."""

    def __init__(self) -> None:
        self._looking = Gate(_LOOKING, 1)
        self._acting = Gate(_ACTING, 1)
        self._open: dict[StepId, Session] = {}

    async def look(self, host: Host, command: str, seconds: float) -> PluginOutput:
        """Type one command as the reading login; exit code 1 and its words where it is refused.

        Raises:
            NotReachedError: nothing was asked: no way in, no prompt, netmiko is missing.
            SecretError: its password cannot be resolved.
            TransportError: no answer came in time.
        """
        ask = partial(_look, host, command, seconds)
        return await blocking(self._looking, host.name, ask, seconds)

    async def run(
        self,
        host: Host,
        call: DeviceCall,
        record: Record,
        step: StepId,
        seconds: float,
        last_word: Callable[[], Awaitable[None]],
        started: Callable[[], None],
    ) -> Ending:
        """Do a step; `last_word` is asked when the prompt is there, before anything is typed.

        Raises:
            NotBegunError, RefusedByExecutorError: it may not be done now, or was begun before.
            NotReachedError: no way in, no prompt; nothing was done.
            SecretError: its password cannot be resolved; nothing was done.
        """
        tell = partial(asyncio.get_running_loop().call_soon_threadsafe, started)
        deadline = Deadline(seconds)
        async with self._acting.place(host.name, seconds):
            # Not cut off by our own clock: the session's deadline ends it, and its record tells.
            session, hidden = await in_thread(partial(_session, host, deadline, act=True))
            self._open[step] = session
            try:
                await last_word()
                return await in_thread(partial(_type, session, call, record, tell, hidden))
            finally:
                del self._open[step]
                with contextlib.suppress(NotReachedError):  # no thread: what was typed stays so
                    await in_thread(session.close)

    def cut(self, step: StepId) -> None:
        """End a step's session now; what it did until then is unknown."""
        session = self._open.get(step)
        if session is not None:
            in_thread(session.close)


def _type(
    session: Session,
    call: DeviceCall,
    record: Record,
    tell: Callable[[], object],
    hidden: tuple[str, ...],
) -> Ending:
    """Take the record, type the lines, note what came of them."""
    records.begin(record)
    tell()
    said = session.carry_out(call.commands, call.configure, call.save)
    ending = _ending(said, call.says, hidden)
    records.keep(record, ending)
    return ending


def _look(host: Host, command: str, seconds: float) -> PluginOutput:
    session, hidden = _session(host, Deadline(seconds), act=False)
    try:
        said = session.ask(command)
    finally:
        session.close()
    if said.lost:
        raise NotReachedError(f"{host.name}: {command}: {said.lost}", cause=Cause.TIMEOUT)
    told = veil(redact(said.transcript, hidden))
    return PluginOutput(1, said.refused, "") if said.refused else PluginOutput(0, told, "")


def _session(host: Host, deadline: Deadline, *, act: bool) -> tuple[Session, tuple[str, ...]]:
    """Give a session, and what of it must not be told."""
    login = host.login.act if act else host.login.read
    if host.login.kind != "device" or login is None:
        text = f"{host.name} has no {'acting' if act else 'reading'} login of a network device"
        raise NotReachedError(text, cause=Cause.LOGIN)
    password = ""
    if login.password is not None:
        password = resolve(login.password)
        hide(password)
        if not password:
            raise SecretError(f"{login.password}: is empty (write the password into it)")
    dialect = DIALECTS[host.login.dialect]
    known_hosts = host.login.known_hosts
    session = open_session(host.address, login, known_hosts, dialect, deadline, password)
    return session, (password,) if password else ()


def _ending(said: Said, must: str, hidden: tuple[str, ...]) -> Ending:
    output = _cut(veil(redact(said.transcript, hidden)).encode())
    if said.lost:
        return Ending(End.LOST, f"{said.lost}; it may have taken effect", output=output)
    if said.refused:
        return Ending(End.FINISHED, redact(said.refused, hidden), output=output)
    if must and must not in said.transcript:
        return Ending(End.FINISHED, f"the device does not say {must!r}", output=output)
    return Ending(End.FINISHED, "", 0, output=output)


def _cut(output: bytes) -> bytes:
    if len(output) <= 2 * KEEP:
        return output
    return output[:KEEP] + CUT + output[-KEEP:]
