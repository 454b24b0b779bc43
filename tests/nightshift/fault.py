"""What a fault is: how it comes, how it goes, and how the outcome is seen from outside."""

from __future__ import annotations

import string
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.nightshift.machines import Machines
from tests.nightshift.tool import Tool

HERE = "mon"
"""The place where the tools run: this machine, as the hosts' network sees it."""


@dataclass
class Stage:
    """The hosts and who is on duty. `left` holds what an injection must take back by itself."""

    machines: Machines
    tool: Tool
    left: list[Callable[[], object]] = field(default_factory=list)

    def sh(self, where: str, script: str, *, check: bool = True) -> str:
        """Run a script on a host, or here; `$web1` and `$db1` are their addresses."""
        text = string.Template(script).safe_substitute(self.machines.names)
        if where != HERE:
            return self.machines.sh(where, text, check=check)
        done = subprocess.run(
            ["sh", "-s"], input=text, capture_output=True, text=True, timeout=30, check=check
        )
        return done.stdout.rstrip("\n")


Deed = Callable[[Stage], object]


def on(where: str, script: str) -> Deed:
    """Give the deed of running a script somewhere."""
    return lambda stage: stage.sh(where, script)


def nothing(_: Stage) -> None:
    """Leave all as it is."""


@dataclass(frozen=True)
class Fault:
    """One scenario on these hosts.

    `key` is the check that must find it ("" where nothing may be found), `others` more keys that
    may be open as well. `answers` is where and how the oracle of the file is asked. `may_change`
    are the things of the witness that a right repair changes, `may_start` how often it may start
    what. `says` stands in the ticket, each word of it. `never` must print the same afterwards as
    before. `within` (s) is the limit to be found and repaired, or found and told; `watch` (s) how
    long a wrong action is waited for beyond that.
    """

    inject: Deed
    undo: Deed
    answers: tuple[str, str]
    key: str = ""
    others: tuple[str, ...] = ()
    may_change: frozenset[str] = frozenset()
    may_start: Mapping[str, int] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    never: tuple[tuple[str, str], ...] = ()
    before: Deed = nothing
    within: float = 60.0
    watch: float = 15.0
