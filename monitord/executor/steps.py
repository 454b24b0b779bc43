"""Doing a step, adopting one, ending one: from a granted intent to what the core is told.

Each step runs under the runner where it takes effect, so what is here may die at any line; the run
record answers then. The core alone writes what became of it.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from monitord.clock import Clock
from monitord.errors import (
    NotBegunError,
    NotReachedError,
    RefusedByExecutorError,
    TransportError,
)
from monitord.executor import http, records
from monitord.executor.answers import Answer, answer
from monitord.executor.hosts import Hosts, Script
from monitord.executor.intents import Grant, Intent, must_not_be_halted
from monitord.executor.threads import in_thread
from monitord.log import get_logger, hide
from monitord.model.catalog import Host
from monitord.model.effect import (
    Command,
    DeviceCall,
    Effect,
    HttpCall,
    Pause,
    describe,
    from_json,
)
from monitord.model.ids import Instant
from monitord.secrets import SecretRef, resolve
from monitord.transports import runner
from monitord.transports.runner import End, Ending, Order, Record

log = get_logger(__name__)

_RETRY = 2.0  # seconds between two tries to reach a host whose connection broke under a step
_RECORDS_KEPT = 6 * 86_400_000_000  # µs; the runner removes records after 7 days
_ENDED_BY_THE_SHUTDOWN = frozenset({129, 137, 143})  # HUP, KILL, TERM, as a shell tells them
_HEARD = 512 * 1024  # bytes of the runner's own voice, output included


@dataclass(frozen=True, slots=True)
class Secrets:
    """The resolved values of one step: what replaces the references, and what must not be told."""

    values: Mapping[str, str]
    hidden: tuple[str, ...]


class Steps:
    """The steps of this executor. `state` holds HALT and the records of this machine."""

    def __init__(self, hosts: Hosts, state: Path, clock: Clock) -> None:
        self._hosts, self._state, self._clock = hosts, state, clock

    async def run(
        self, grant: Grant, started: Callable[[], None], again: Callable[[], Awaitable[Grant]]
    ) -> Answer:
        """Do a step once; `started` is called when it is on its way.

        `again` asks for the grant once more, where a login lies between it and the effect and
        nothing on the far side tests the epoch.

        Raises:
            NotBegunError: halted, late, of an old epoch, or not ours to do; nothing was done.
            RefusedByExecutorError: it was begun before.
            SecretError: a secret cannot be resolved; nothing was done.
            NotReachedError: the host was not reached; nothing was done.
        """
        effect, host = grant.planned.effect, grant.host
        if isinstance(effect, Pause):
            raise NotBegunError("waiting is the core's own work")
        secrets = _secrets(_named(effect))
        record = self._record(grant.intent, host, effect)
        seconds = grant.planned.timeout.total_seconds()
        log.info("step begins", step=grant.intent.step.id, host=host.name, does=describe(effect))
        if isinstance(effect, HttpCall):
            self._still_time(grant)
            must_not_be_halted(self._state)
            started()
            call = partial(http.call, effect, secrets.values, record, seconds)
            ending = await in_thread(call)
        elif isinstance(effect, DeviceCall):
            ending = await self._type(grant, effect, record, seconds, started, again)
        else:
            order = _order(grant, effect, secrets, seconds)
            ending = await self._run(grant, record, order, started)
        return answer(ending, effect, secrets.hidden, seconds)

    async def _type(
        self,
        grant: Grant,
        call: DeviceCall,
        record: Record,
        seconds: float,
        started: Callable[[], None],
        again: Callable[[], Awaitable[Grant]],
    ) -> Ending:
        async def last_word() -> None:
            self._still_time(await again())
            must_not_be_halted(self._state)

        seconds = min(seconds, self._still_time(grant))
        step = grant.intent.step.id
        return await self._hosts.devices.run(
            grant.host, call, record, step, seconds, last_word, started
        )

    async def _run(
        self, grant: Grant, record: Record, order: Order, started: Callable[[], None]
    ) -> Ending:
        mark = runner.new_mark()
        watch = _Started(mark, started)

        def script() -> bytes:
            return self._last_word(grant, record, order, mark)

        try:
            ending = await self._ask(grant.host, script, mark, order.limit, watch)
        except NotReachedError:
            raise
        except TransportError:
            ending = Ending(End.CUT)
        if ending.end is End.REFUSED and ending.text.startswith(runner.ALREADY):
            raise RefusedByExecutorError(ending.text)
        if ending.end is End.REFUSED:
            raise NotBegunError(ending.text)
        if ending.end is End.CUT:  # it may be on its way all the same: the record knows
            ending = await self._settle(grant.intent, grant.host, record, watch)
        if ending.end is End.NEVER:
            raise NotBegunError("the runner did not begin the step")
        if order.restarts:
            ending = await self._come_back(grant.intent, grant.host, record, ending)
        return ending

    def _last_word(self, grant: Grant, record: Record, order: Order, mark: str) -> bytes:
        """Give the runner's text at the moment it is sent: a queue or a slow login lies before."""
        left = self._still_time(grant)
        must_not_be_halted(self._state)
        if order.sudo and left < order.limit / 2:
            text = f"step {grant.intent.step.id} got its place too late for its exact time limit"
            raise NotBegunError(text)
        # What sudo is asked for is the same each time, or no line of sudoers could be exact.
        limit = order.limit if order.sudo else min(order.limit, left)
        try:
            return runner.to_run(record, replace(order, limit=limit), mark)
        except ValueError as error:
            raise NotBegunError(str(error)) from None

    def _still_time(self, grant: Grant) -> float:
        left = (grant.intent.step.deadline - self._clock.now()) / 1e6
        if left <= 0:
            raise NotBegunError(f"step {grant.intent.step.id} got its place after its own deadline")
        return left

    async def _ask(
        self,
        host: Host,
        script: Script,
        mark: str,
        seconds: float,
        watch: Callable[[bytes], None] | None = None,
    ) -> Ending:
        ran = await self._hosts.shell(
            host, script, act=True, timeout=seconds + runner.GRACE, limit=_HEARD, watch=watch
        )
        ending = runner.read(ran.stdout, mark)
        if ending.end is End.CUT:
            log.warning(
                "the runner broke off",
                host=host.name,
                said=ran.stderr[-300:].decode("utf-8", "replace"),
            )
        return ending

    async def adopt(self, intent: Intent, host: Host, started: Callable[[], None]) -> Answer:
        """Tell what became of a step, waiting for it until its deadline; never begins one."""
        step = intent.step
        effect = from_json(step.effect)
        record = self._record(intent, host, effect)
        if isinstance(effect, HttpCall | DeviceCall):
            ending = records.recall(record)
        elif isinstance(effect, Command):
            ending = await self._settle(intent, host, record, _Started("", started))
            if effect.restarts and ending.end is not End.NEVER:
                ending = await self._come_back(intent, host, record, ending)
        else:
            ending = Ending(End.NEVER)
        seconds = (step.deadline - step.intended) / 1e6
        secrets = _secrets(_named(effect), must=False)
        if ending.end is End.NEVER and self._clock.now() - step.intended > _RECORDS_KEPT:
            ending = Ending(End.LOST, "it is so old that its run record may have been removed")
        return answer(ending, effect, secrets.hidden, seconds)

    async def _settle(
        self, intent: Intent, host: Host, record: Record, watch: "_Started"
    ) -> Ending:
        """Read the record until it tells an end, over as many connections as that takes."""
        while True:
            late = _seconds_until(intent.step.deadline, self._clock) + runner.GRACE
            mark = watch.mark = runner.new_mark()
            script = runner.to_adopt(record, mark, late=late)
            try:
                ending = await self._ask(host, script, mark, late, watch)
            except TransportError as error:
                ending = Ending(End.LOST, f"the run record cannot be read: {error}")
                if error.cause == "login":
                    return ending
            if ending.end not in {End.CUT, End.LOST} or late <= runner.GRACE:
                return ending
            if ending.end is End.LOST and not ending.text.startswith("the run record"):
                return ending
            await asyncio.sleep(_RETRY)

    async def _come_back(
        self, intent: Intent, host: Host, record: Record, ending: Ending
    ) -> Ending:
        """Wait until the machine that a step restarts answers under another boot id."""
        began = self._clock.monotonic()
        while not _has_restarted(ending):
            if ending.exit_code not in {None, 0, *_ENDED_BY_THE_SHUTDOWN}:
                return ending  # it said that it would not
            if _seconds_until(intent.step.deadline, self._clock) <= 0:
                return Ending(End.FINISHED, _not_back(ending, self._clock.monotonic() - began))
            await asyncio.sleep(_RETRY)
            ending = await self._settle(intent, host, record, _Started("", lambda: None))
        took = self._clock.monotonic() - began
        told = f"it answers again, {took:.0f} s after, under another boot id\n".encode()
        return Ending(End.FINISHED, exit_code=0, output=ending.output + told)

    async def kill(self, intent: Intent, host: Host) -> None:
        """End a step's process group now.

        Raises:
            RefusedByExecutorError: it runs as root and sudo does not let us.
            TransportError: the host was not reached.
        """
        effect = from_json(intent.step.effect)
        if isinstance(effect, DeviceCall):
            self._hosts.devices.cut(intent.step.id)
        if not isinstance(effect, Command):
            return
        record, mark = self._record(intent, host, effect), runner.new_mark()
        ending = await self._ask(host, runner.to_kill(record, mark), mark, runner.GRACE)
        if ending.end not in {End.STOPPED, End.NEVER}:
            raise RefusedByExecutorError(ending.text or "the runner did not answer")

    def _record(self, intent: Intent, host: Host, effect: Effect) -> Record:
        """Name the record: the step's number and its instant, so that a new database meets no old.

        Records stand where the effect happens; those of requests stand here.
        """
        here = host.login.kind == "local" or isinstance(effect, HttpCall | DeviceCall)
        base = str(self._state / "runs") if here else ""
        return Record(base, intent.store, f"{intent.step.id}-{intent.step.intended}")


def _has_restarted(ending: Ending) -> bool:
    if ending.end is End.FINISHED:
        return ending.how == "restarted"
    return ending.end is End.LOST and ending.text.startswith(runner.RESTARTED)


def _not_back(ending: Ending, seconds: float) -> str:
    if ending.end is End.FINISHED:
        return f"it was told to restart and has not, after {seconds:.0f} s"
    return f"it has not come back after {seconds:.0f} s: {ending.text}"


class _Started:
    """Listens for the runner's word that the step is on its way, and passes it on once."""

    def __init__(self, mark: str, tell: Callable[[], None]) -> None:
        self.mark, self._tell = mark, tell
        self.heard = False

    def __call__(self, heard: bytes) -> None:
        if not self.heard and runner.has_started(heard, self.mark):
            self.heard = True
            self._tell()


def _order(grant: Grant, effect: Command, secrets: Secrets, seconds: float) -> Order:
    login = grant.host.login.act
    sudo = effect.sudo
    root_here = grant.host.login.kind == "local" and os.geteuid() == 0
    if sudo and login is not None and not login.sudo and login.user != "root" and not root_here:
        raise NotBegunError(
            f"{grant.host.name}: the step needs root; allow it with `act: {{sudo: true}}`"
        )
    return Order(
        argv=effect.argv,
        limit=seconds,
        epoch=grant.intent.step.epoch,
        stdin=_told(grant.intent, effect.stdin) if effect.stdin else "",
        env=secrets.values,
        cwd=effect.cwd,
        sudo=sudo,
        restarts=effect.restarts,
    )


def _told(intent: Intent, script: str) -> str:
    """Give a script of ours what it may need to know, which is no part of the plan: numbers."""
    since = intent.first_failed // 1_000_000
    told = f"monitord_step={intent.step.id} monitord_since={since}"
    if intent.takes_back is not None:
        told += " monitord_first={} monitord_last={}".format(*intent.takes_back)
    return f"{told}\n{script}"


def _named(effect: Effect) -> Mapping[str, str]:
    if isinstance(effect, Command):
        return effect.env
    return effect.headers if isinstance(effect, HttpCall) else {}


def _secrets(named: Mapping[str, str], *, must: bool = True) -> Secrets:
    """Resolve the references among the values; with `must` off a missing one is left out."""
    values, hidden = dict(named), []
    for name, text in named.items():
        if text.startswith("!secret "):
            scheme, _, place = text.removeprefix("!secret ").partition(":")
            try:
                values[name] = resolve(SecretRef(scheme, place))
            except Exception:
                if must:
                    raise
                continue
            hide(values[name])
            hidden.append(values[name])
    return Secrets(values, tuple(hidden))


def _seconds_until(deadline: Instant, clock: Clock) -> float:
    return max(0.0, (deadline - clock.now()) / 1e6)
