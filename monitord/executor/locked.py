"""The lock on a login: locked.sh with its lists, for one host, derived from the catalog.

What a locked login takes: the fact script by its hash with quoted words in their places, probes'
scripts whole, and of the runner (by its hash) only orders whose words a ladder of the host gives.
Pure: it prints a file and nothing else.
"""

import hashlib
import shlex
from collections.abc import Iterator
from pathlib import Path

from monitord.executor.foreseen import Gap, foreseen
from monitord.executor.scripts import with_environment
from monitord.model.catalog import Catalog, Check, Host
from monitord.model.effect import Command
from monitord.model.facts import Section
from monitord.model.kinds import FactProbe, HostScript, Kinds, ScriptProbe, Target
from monitord.model.text import one_line
from monitord.secrets import SecretRef
from monitord.transports import facts_remote, runner
from monitord.transports.facts_sections import LIMITS
from monitord.transports.ssh import COMMAND

_MOST = 4_000_000  # bytes that one request may have
_TEMPLATE = Path(runner.__file__).with_name("locked.sh")
_STEP = "monitord_step=0\n"
_OWN_CHECK = "program"  # the one section whose words are a command


def lock(catalog: Catalog, host: Host, kinds: Kinds) -> str:
    """Give the file that a host's authorized_keys calls, with everything that it takes."""
    orders, gaps = _orders(catalog, host, kinds)
    words = {runner.wording("adopt"), runner.wording("kill"), *map(_wording, orders)}
    lists = {
        "command": COMMAND,
        "most": str(_MOST),
        "facts": " ".join(sorted(_facts_programs(), key=_lines, reverse=True)),
        "functions": "|".join(sorted(_functions())),
        "programs": " ".join(sorted(_program_calls(catalog, host, kinds))),
        "scripts": " ".join(sorted(_scripts(catalog, host, kinds))),
        "runner": _hash(runner.program()),
        "runner_first": runner.program().decode().partition("\n")[0],
        "orders": " ".join(sorted(map(_hash, words))),
        "variables": "|".join(sorted({name for one in orders for name in one.env})) or "none_",
    }
    told = [f"# For {host.name}; made by: monitord locked-login {host.name}"]
    told += [f"# In authorized_keys: {line}" for line in keys(host)]
    told += [f"# NOT TAKEN {gap}" for gap in gaps]
    text = [*told, *(f"{name}={shlex.quote(value)}" for name, value in lists.items())]
    return _TEMPLATE.read_text(encoding="utf-8").replace("#LISTS\n", "\n".join(text) + "\n")


def keys(host: Host) -> list[str]:
    """Give the lines for authorized_keys, each with the account that it belongs to."""
    read, act = host.login.read, host.login.act
    if host.login.kind != "ssh" or read is None:
        return []
    both = act is not None and (act.user, act.key) == (read.user, read.key)
    uses = [(read.user, "both" if both else "read")]
    if act is not None and not both:
        uses.append((act.user, "act"))
    path = "/usr/local/lib/monitord-locked"
    return [f'({user}) restrict,command="/bin/sh {path} {use}" KEY' for user, use in uses]


def _facts_programs() -> set[str]:
    """Give LINES:HASH of each text that may stand before the calls of a fact script."""
    found = set()
    for name in LIMITS:
        text = facts_remote.script((Section(name),))
        head = text.removeprefix("{\n").partition("\nsection ")[0]
        body = head.rpartition("\n")[0] + "\n"  # the clock's line is none of it
        found.add(f"{body.count(chr(10))}:{_hash(body.encode())}")
    return found


def _lines(program: str) -> int:
    """Give how long a program is: one may be the beginning of another, so the longest is first."""
    return int(program.partition(":")[0])


def _functions() -> set[str]:
    calls = {name: _call(Section(name)) for name in LIMITS if name != _OWN_CHECK}
    return {shlex.split(call)[3] for call in calls.values()}


def _call(section: Section) -> str:
    lines = facts_remote.script((section,)).splitlines()
    return next(line for line in reversed(lines) if line.startswith("section "))


def _program_calls(catalog: Catalog, host: Host, kinds: Kinds) -> Iterator[str]:
    """Give the hash of each call in which a check's own words are run (a supervisorctl)."""
    for check, kind in _checks(catalog, host, kinds):
        if isinstance(kind, FactProbe):
            for section in kind.sections(check.spec):
                if section.name == _OWN_CHECK:
                    yield _hash(_call(section).encode())


def _scripts(catalog: Catalog, host: Host, kinds: Kinds) -> Iterator[str]:
    for check, kind in _checks(catalog, host, kinds):
        if isinstance(kind, ScriptProbe):
            target = Target(host.name, host.address, {}, check.timeout.total_seconds())
            asked: HostScript = kind.script(check.spec, target)
            values = {k: v for k, v in asked.env.items() if not isinstance(v, SecretRef)}
            if len(values) == len(asked.env):
                yield _hash(with_environment(asked.text, values))


def _checks(catalog: Catalog, host: Host, kinds: Kinds) -> Iterator[tuple[Check, object]]:
    for check in catalog.checks.values():
        if check.host == host.name:
            yield check, kinds.probes[check.kind]


def _orders(catalog: Catalog, host: Host, kinds: Kinds) -> tuple[list[Command], list[str]]:
    """Give each command that a ladder may give, and what cannot be foreseen."""
    found: list[Command] = []
    gaps = []
    for what, steps in foreseen(catalog, host, kinds):
        if isinstance(steps, Gap):
            gaps.append(one_line(f"{what}: {steps.why}; {steps.cure}", 300))
        else:
            found += [step.effect for step in steps if isinstance(step.effect, Command)]
    return found, gaps


def _wording(effect: Command) -> bytes:
    stdin = _STEP + effect.stdin if effect.stdin else ""
    order = runner.Order(effect.argv, 1, 1, stdin, cwd=effect.cwd, sudo=effect.sudo)
    return runner.wording("run", order)


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
