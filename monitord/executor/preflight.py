"""Looks whether hosts are ready: login, host key, clock, tools, and sudo against what ladders need.

It only looks: facts, `command -v`, and sudo's own answer about each argv (`sudo -l`), which runs
nothing. Many hosts at once, each with its own deadline.
"""

import asyncio
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field

from monitord.errors import MonitordError, NotReachedError
from monitord.executor.foreseen import Gap, foreseen
from monitord.executor.hosts import Hosts
from monitord.model.catalog import Catalog, Host
from monitord.model.effect import Command
from monitord.model.facts import Section
from monitord.model.kinds import Kinds
from monitord.model.text import one_line
from monitord.transports import runner

_SECONDS = 20.0  # for each look at one host
_AT_ONCE = 32
_CLOCK = 5.0  # seconds that a clock may be off
_READ = ("awk", "df", "stat", "timeout")
_ACT = ("setsid", "timeout")
_TIMEOUT = "/usr/bin/timeout"
_KEY = "host key"
_TOLD = "missing "
_DENIED = "denied "
_WIDE = "wide "


@dataclass(slots=True)
class Ready:
    """What was found of one host. An empty text or list: nothing is wrong there.

    `clock` is the host's clock minus ours in seconds. `wide`: sudo allows everything. `notes` say
    what could not be looked at.
    """

    host: str
    login: str = ""
    host_key: str = ""
    clock: float | None = None
    tools: list[str] = field(default_factory=list)
    sudo: list[str] = field(default_factory=list)
    act: str = ""
    wide: bool = False
    notes: list[str] = field(default_factory=list)
    may_act: bool = False

    @property
    def can_check(self) -> bool:
        """Whether checks that look inside can be done."""
        return not (self.login or self.host_key or self.tools) and self.in_time

    @property
    def in_time(self) -> bool:
        """Whether the clock is right, as far as anybody could look."""
        return self.clock is None or abs(self.clock) <= _CLOCK

    @property
    def can_repair(self) -> bool:
        """Whether every step that its ladders may ask for can be done."""
        return self.can_check and self.may_act and not (self.act or self.sudo)


async def look(catalog: Catalog, hosts: Iterable[Host], kinds: Kinds, doors: Hosts) -> list[Ready]:
    """Look at hosts, some at a time; their order stays."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(host: Host) -> Ready:
        async with places:
            return await _look(catalog, host, kinds, doors)

    return list(await asyncio.gather(*(one(host) for host in hosts)))


async def _look(catalog: Catalog, host: Host, kinds: Kinds, doors: Hosts) -> Ready:
    found = Ready(host.name, may_act=host.login.may_act)
    try:
        facts = await doors.facts(host, (Section("clock"),), _SECONDS)
    except MonitordError as error:
        text = str(error)
        if _KEY in text:
            found.host_key = text
        else:
            found.login = text
        return found
    found.clock = facts.clock.offset if facts.clock else None
    said = await _ask(host, _tools(_READ), doors, act=False)
    if said is None:
        found.notes.append("this login takes only monitord's own scripts: tools were not looked at")
    else:
        found.tools = [line.removeprefix(_TOLD) for line in said if line.startswith(_TOLD)]
    if host.login.may_act:
        await _look_at_acting(catalog, host, kinds, doors, found)
    return found


async def _look_at_acting(
    catalog: Catalog, host: Host, kinds: Kinds, doors: Hosts, found: Ready
) -> None:
    wanted: dict[str, list[str]] = {}
    for what, steps in foreseen(catalog, host, kinds):
        if isinstance(steps, Gap):
            found.notes.append(one_line(f"{what}: {steps.why}; {steps.cure}", 300))
            continue
        for step in steps:
            if isinstance(step.effect, Command) and step.effect.sudo and not step.effect.stdin:
                _, *rest = runner.with_deadline(step.effect.argv, step.timeout.total_seconds())
                argv = [_TIMEOUT, *rest]
                wanted[shlex.join(argv)] = argv
    try:
        said = await _ask(host, _tools(_ACT) + _permissions(list(wanted)), doors, act=True)
    except NotReachedError as error:
        found.act = str(error)
        return
    if said is None:
        found.notes.append("the acting login takes only monitord's own scripts: sudo not looked at")
        return
    missing = [line.removeprefix(_TOLD) for line in said if line.startswith(_TOLD)]
    found.tools = list(dict.fromkeys([*found.tools, *missing]))
    found.sudo = [line.removeprefix(_DENIED) for line in said if line.startswith(_DENIED)]
    found.wide = any(line.startswith(_WIDE) for line in said)
    if found.wide:
        found.notes.append(f"sudo allows everything there (monitord sudoers {host.name} is exact)")


async def _ask(host: Host, script: str, doors: Hosts, *, act: bool) -> list[str] | None:
    """Give what a script says, or None where the login is locked to other scripts."""
    text = f"{script}echo looked\n".encode()
    ran = await doors.shell(host, text, act=act, timeout=_SECONDS)
    lines = ran.stdout.decode("utf-8", "replace").splitlines()
    return lines if lines and lines[-1] == "looked" else None


def _tools(names: Iterable[str]) -> str:
    words = " ".join(names)
    return (
        f"for tool in {words}; do\n"
        f'  command -v "$tool" >/dev/null 2>&1 || echo "{_TOLD}$tool"\n'
        "done\n"
    )


def _permissions(lines: list[str]) -> str:
    """Ask sudo about each argv; root needs none, and without sudo each is denied."""
    asked = "".join(
        f"sudo -n -l -- {line} >/dev/null 2>&1 || printf '%s\\n' {shlex.quote(_DENIED + line)}\n"
        for line in lines
    )
    wide = f"if sudo -n -l -- /bin/sh -c id >/dev/null 2>&1; then echo '{_WIDE}'; fi\n"
    return f'if [ "$(id -u)" != 0 ]; then\n{asked}{wide}fi\n'
