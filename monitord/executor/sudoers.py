"""The sudoers file of a host: every argv that may run there as root, exact, and what cannot be.

Derived from the catalog by the same rendering that the executor does steps with; nothing is listed
by hand. What sudoers could not hold to the letter is left out and told with its cure. Pure.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from monitord.executor.foreseen import Gap, foreseen, in_shadow, lines_typed
from monitord.model.catalog import Catalog, Host
from monitord.model.effect import Command, PlannedStep, describe
from monitord.model.kinds import Kinds
from monitord.transports import runner
from monitord.transports.local import PATH

_SPECIAL = re.compile(r"([\\*?\[\],:=#])")
"""What sudoers or the pattern matching of its arguments would not take as the character it is."""
_PLAIN = re.compile(r"[!-~]+")
_LOCAL_USER = "monitord-executor"  # of the shipped unit; a local login acts as its own user
_TIMEOUT = "/usr/bin/timeout"


@dataclass(slots=True)
class Privileges:
    """What a host's acting login needs of sudo. `allowed` maps each argv's text to who asks it.

    On a network device there is no sudo: `typed` are the lines that its account must be allowed.
    """

    host: str
    user: str
    allowed: dict[str, list[str]] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)


def privileges(catalog: Catalog, host: Host, kinds: Kinds, *, user: str = "") -> Privileges:
    """Give what sudo must allow on `host` for every rung there that is not in shadow.

    `user` is who logs in, where the catalog does not say it (a local login).
    """
    login = host.login.act
    of_login = login.user if login and host.login.kind != "local" else _LOCAL_USER
    found = Privileges(host.name, user or of_login)
    if login is None:
        found.notes.append(f"{host.name} is only watched: its login has no act")
        return found
    if host.login.kind == "device":
        found.typed = lines_typed(catalog, host)
        return found
    if found.user == "root":
        found.notes.append(f"{host.name} is acted on as root, which needs no sudo")
        return found
    if not login.sudo:
        found.notes.append(f"{host.name} allows no sudo yet (write act: {{sudo: true}})")
    for what, steps in foreseen(catalog, host, kinds):
        if isinstance(steps, Gap):
            found.gaps.append(steps)
        else:
            _add(found, what, steps)
    if shadows := in_shadow(catalog, host):
        names = ", ".join(shadows)
        found.notes.append(f"left out, for they only show what they would do (shadow): {names}")
    return found


def _add(found: Privileges, what: str, steps: Iterable[PlannedStep]) -> None:
    for step in steps:
        if not isinstance(step.effect, Command) or not step.effect.sudo:
            continue
        gap = _gap(step.effect, f"{what}: {describe(replace(step.effect, sudo=False))}")
        if gap is None:
            found.allowed.setdefault(allowed(step), []).append(what)
        elif gap not in found.gaps:
            found.gaps.append(gap)


def _gap(effect: Command, what: str) -> Gap | None:
    if effect.stdin:
        why = "it feeds a script to a shell: whoever may do that as root may do anything"
        return Gap(what, why, "let a login act that owns what it changes (sudo: false), or root")
    for word in effect.argv:
        if not _PLAIN.fullmatch(word):
            why = f"sudoers cannot tell {word!r} from other words (blanks, nothing, beyond ASCII)"
            return Gap(what, why, "put the command into a script of its own, owned by root")
    return None


def allowed(step: PlannedStep) -> str:
    """Give a step's argv as sudoers writes it: the deadline inside, special characters escaped."""
    if not isinstance(step.effect, Command):
        raise TypeError(f"{step.kind} runs no argv")
    _, *rest = runner.with_deadline(step.effect.argv, step.timeout.total_seconds())
    return " ".join((_TIMEOUT, *(_SPECIAL.sub(r"\\\1", word) for word in rest)))


def lines(found: Privileges) -> Iterator[str]:
    """Give the file, line by line; what is not covered stands in it as comments."""
    if found.typed:
        yield f"# {found.host} is a network device: no sudo. Let {found.user} type this alone:"
        yield from found.typed
        return
    yield f"# What monitord may do as root on {found.host}: exactly this."
    yield f"# /etc/sudoers.d/monitord, root's, mode 0440; written by: monitord sudoers {found.host}"
    for note in found.notes:
        yield f"# {note}"
    for gap in found.gaps:
        yield f"# NOT ALLOWED {_comment(gap.what)}"
        yield f"#   {_comment(gap.why)}; {_comment(gap.cure)}"
    if not found.allowed:
        return
    yield f'Defaults:{found.user} env_reset, secure_path="{PATH}", !requiretty'
    for argv, askers in sorted(found.allowed.items()):
        yield f"# {_comment(', '.join(dict.fromkeys(askers)))}"
        yield f"{found.user} ALL=(root) NOPASSWD: {argv}"


def _comment(text: str) -> str:
    """Keep a comment one: its end must not be a backslash, nor hold what ends a line."""
    return "".join(c if c.isprintable() else "?" for c in text).rstrip("\\")
