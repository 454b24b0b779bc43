"""What a fault is: how it comes, how it goes, and how the outcome is seen from outside."""

from __future__ import annotations

import string
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.nightshift.machines import Machines
from tests.nightshift.tool import Tool

HERE = "mon"
"""The place where the tools run: this machine, as the hosts' network sees it."""


@dataclass
class Stage:
    """The hosts and who is on duty.

    `left` holds what an injection must take back by itself, `seen` what it counted before;
    `patience` shortens the wait for wrong actions, `together` is where the stages of several tools
    meet before each fault, so that all have it at the same instant.
    """

    machines: Machines
    tool: Tool
    left: list[Callable[[], object]] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    patience: float = 1.0
    together: threading.Barrier = field(default_factory=lambda: threading.Barrier(1))

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
    may be open as well. `answers` is where and how the oracle of the file is asked; None where the
    file asks the tool how often it acted. `may_act` is how many repairs may be tried, `may_change`
    the things of the witness that a right repair changes, `may_start` how often it may start what.
    `says` stands in the ticket, each text of it. What `never` prints must not change. `within` (s)
    is the limit to be found and repaired, or found and told; `watch` (s) how long a wrong action is
    waited for beyond that. `before` is done once the tool is on duty, `also` judges what no witness
    sees. `ours_alone` marks what other tools have no counterpart of.
    """

    inject: Deed
    undo: Deed = nothing
    answers: tuple[str, str] | None = None
    key: str = ""
    others: tuple[str, ...] = ()
    may_act: int = 0
    may_change: frozenset[str] = frozenset()
    may_start: Mapping[str, int] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    never: tuple[tuple[str, str], ...] = ()
    before: Deed = nothing
    also: Callable[[Stage], list[str]] = lambda _: []
    ours_alone: bool = False
    within: float = 60.0
    watch: float = 15.0


def repair(answers: tuple[str, str], key: str, thing: str, start: str, **more: Any) -> Fault:
    """Give a fault whose right repair changes one thing by one start; see Fault for the rest."""
    changes, starts = frozenset({thing}), {start: 1} if start else {}
    fields: dict[str, Any] = {"may_act": 1, "may_change": changes, "may_start": starts, **more}
    return Fault(answers=answers, key=key, **fields)
