"""Monit on duty on the same hosts: Debian's package with its sample rules, adapted.

It runs on each host as it is meant to. What it says is its own log; it proves no repair, so that
none is ever verified.
"""

from __future__ import annotations

import re
import string
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.nightshift.machines import Machines
from tests.nightshift.tool import Told
from tests.world.until import until

CONFIG = Path(__file__).with_name("config")
_LINE = re.compile(r"^\[(?P<at>[^]]+)\] (?P<level>\w+) +: (?P<text>.*)$")
_ACTS = re.compile(r"trying to restart| exec: '")
_QUIET = ("OK", "Not monitored")
_CALM = 40.0


class Monit:
    """The peer; what it finds and does is read from its log."""

    name = "Monit"
    proves = False
    tells = False

    def __init__(self, machines: Machines, console: str = "") -> None:
        del console  # it is on the hosts itself
        self._machines = machines
        self._on_duty = False

    def begin(self) -> None:
        if not self._on_duty:
            for name, host in self._machines.hosts.items():
                rules = (CONFIG / f"{name}.monitrc").read_text(encoding="utf-8")
                text = string.Template(rules).safe_substitute(self._machines.names)
                host.run(["mkdir", "-p", "/var/lib/monit"])
                host.write("/etc/monit.night", text, mode=0o600)
                self._machines.sh(name, "rm -rf /var/log/monit.log /var/lib/monit/*")
                self._machines.sh(name, "monit -c /etc/monit.night >/dev/null 2>&1")
            self._on_duty = True
        until(lambda: not self.unwell(), within=_CALM, every=0.5, what="all is well")

    def end(self) -> None:
        if self._on_duty:
            for name in self._machines.hosts:
                self._machines.sh(name, "monit -c /etc/monit.night quit", check=False)
                self._machines.sh(name, "while pgrep -x monit >/dev/null; do sleep 0.1; done")
        self._on_duty = False

    def unwell(self) -> list[str]:
        unwell = []
        for name in self._machines.hosts:
            said = self._machines.sh(name, "monit -c /etc/monit.night -B summary", check=False)
            rows = [re.split(r" {2,}", line.strip()) for line in said.splitlines()[2:]]
            named = [row for row in rows if len(row) > 1]
            unwell += [f"{name} {row[0]} {row[1]}" for row in named if row[1] not in _QUIET]
            unwell += [] if named else [f"{name} says nothing: {said}"]
        return unwell

    def announce(self, key: str, reason: str) -> None:
        del reason  # it keeps none
        host, _, check = key.partition("/")
        rule = "all" if check == "*" else check
        self._machines.sh(host, f"monit -c /etc/monit.night unmonitor {rule}")
        time.sleep(1)

    def told(self, key: str, since: float) -> Told:
        del key  # its rules have names of their own: the first error is the finding
        errors: list[tuple[float, str]] = []
        acts: list[str] = []
        for name in self._machines.hosts:
            for at, level, text in self._log(name):
                if at < since - 1:
                    continue
                if level == "error":
                    errors.append((at, f"{name}: {text}"))
                if _ACTS.search(text):
                    acts.append(f"{name}: {text}")
        return Told(
            found=min((at for at, _ in errors), default=None),
            tickets={f"line {number}": text for number, (_, text) in enumerate(errors)},
            effects=tuple(acts),
        )

    def ping(self, key: str) -> str:
        del key  # it takes no pings
        return ""

    def story(self) -> str:
        return "\n".join(
            f"--- {name}\n" + self._machines.sh(name, "cat /var/log/monit.log", check=False)
            for name in self._machines.hosts
        )

    def _log(self, name: str) -> list[tuple[float, str, str]]:
        """Give instant, level and text of each line; its instants are local, to the second."""
        found = []
        for line in self._machines.sh(name, "cat /var/log/monit.log", check=False).splitlines():
            match = _LINE.match(line)
            if match is None:
                continue
            at = datetime.fromisoformat(match["at"]) if match["at"][:4].isdigit() else None
            if at is not None:
                at = at if at.tzinfo else at.replace(tzinfo=UTC)
                found.append((at.timestamp(), match["level"], match["text"]))
        return found
