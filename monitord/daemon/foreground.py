"""`monitord run`: the three processes under one supervisor, with a line for whatever happens.

A process that dies is started again with back-off; the others go on meanwhile. One that says at
its first start that it cannot (a port or database in use, no right) ends all: no retry mends that.
Ctrl-C stops all in order: web, core, executor. Repairs that run then go on under their runners and
are adopted at the next start.
"""

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitord import config as configuration
from monitord.control import Core, CoreDownError, CoreSaysNoError
from monitord.daemon import CANNOT_START
from monitord.daemon.kinds import KINDS
from monitord.daemon.places import prepare, store_of
from monitord.model.catalog import Catalog
from monitord.model.text import one_line
from monitord.store.database import find

_ORDER = ("executor", "core", "web")
_DOUBLINGS = 10  # beyond, the longest is reached anyway and a float would overflow
_LONGEST_WAIT = 30.0  # seconds between two starts of a process that keeps dying
_STEADY = 60.0  # seconds alive after which the back-off begins anew
_STOP = 10.0  # seconds that a process gets to end
_QUIET = frozenset({"alive", "step-intended", "step-done", "verifying", "looked", "amended"})


def run(config: Path) -> int:
    """Run until Ctrl-C or SIGTERM; gives the exit code."""
    catalog = configuration.load(config, KINDS)
    _state, folder = prepare(catalog.settings)
    _say(banner(catalog, config, folder))
    supervisor = Supervisor(config)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: supervisor.stop())
    signal.signal(signal.SIGHUP, lambda *_: supervisor.pass_on(signal.SIGHUP))
    teller = threading.Thread(target=_tell, args=(folder / "core.sock", supervisor), daemon=True)
    teller.start()
    return supervisor.run()


class Child:
    """One process and its back-off."""

    def __init__(self, name: str, config: Path) -> None:
        self.name = name
        self._argv = [sys.executable, "-m", "monitord", name, "--config", str(config)]
        self._failures = 0
        self._started = 0.0
        self._ran = False
        self.refused = False
        self.start_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it ends with us even if we are killed."""
        self._started = time.monotonic()
        environment = {**os.environ, "MONITORD_PARENT": str(os.getpid())}
        # Its own session: Ctrl-C reaches the supervisor alone, which stops them in order.
        self.process = subprocess.Popen(self._argv, env=environment, start_new_session=True)

    def died(self) -> str:
        """Tell what to say when it has ended by itself (empty: it lives), and plan its restart."""
        if self.process is None or (code := self.process.poll()) is None:
            return ""
        alive = time.monotonic() - self._started
        self.refused = code == CANNOT_START and not self._ran and alive < _STEADY
        self._ran = True
        if self.refused:
            return f"{self.name} cannot start; its line above says why"
        self._failures = 0 if alive > _STEADY else self._failures + 1
        wait = min(_LONGEST_WAIT, 0.5 * 2 ** min(self._failures, _DOUBLINGS))
        self.process = None
        self.start_at = time.monotonic() + wait
        return (
            f"{self.name} ended with {code} after {alive:.0f} s; starting it again in {wait:.0f} s"
        )

    def end(self) -> None:
        """Ask it to end, and kill it when it does not."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(_STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Supervisor:
    """Keeps the three processes running."""

    def __init__(self, config: Path) -> None:
        self._children = [Child(name, config) for name in _ORDER]
        self._told = threading.Event()
        self._code = 0

    @property
    def stopping(self) -> bool:
        """Tell whether the end has begun."""
        return self._told.is_set()

    def stop(self) -> None:
        """Begin the end."""
        self._told.set()

    def pass_on(self, number: signal.Signals) -> None:
        """Send a signal to the core."""
        for child in self._children:
            if child.name == "core" and child.process is not None:
                child.process.send_signal(number)

    def run(self) -> int:
        """Start all and watch them until told to stop; gives the exit code."""
        while not self._told.is_set():
            for child in self._children:
                text = child.died()
                if text:
                    _say([text])
                if child.refused:
                    self._code = 1
                    self._told.set()
                    break
                if child.process is None and time.monotonic() >= child.start_at:
                    child.start()
            self._told.wait(0.2)
        _say(["stopping"])
        for child in reversed(self._children):
            child.end()
        return self._code


def banner(catalog: Catalog, config: Path, folder: Path) -> list[str]:
    """Give the lines that a person sees first."""
    settings = catalog.settings
    names = sorted({check.name for check in catalog.checks.values()})
    hosts = ", ".join(sorted(catalog.hosts)[:5]) + (" …" if len(catalog.hosts) > 5 else "")  # noqa: PLR2004 - a line's worth
    repairs = {
        "cautious": "repairs are only planned and shown (profile cautious: nothing is changed)",
        "standard": "repairs act where their runbook says auto (profile standard)",
        "lab": "repairs act at once (profile lab: for demos and tests)",
    }[settings.profile]
    if settings.observe:
        repairs = "observe is on: every decision is taken, nothing is let out"
    lines = [
        f"monitord watches {len(catalog.checks)} checks on {len(catalog.hosts)} hosts ({hosts})",
        f"  checks    {', '.join(names[:12])}{' …' if len(names) > 12 else ''}",  # noqa: PLR2004 - as above
        f"  repairs   {repairs}",
        f"  console   http://{settings.web}/   who may log in first:",
        f"            monitord --state {shlex.quote(settings.state)} user add NAME --role admin",
        f"  metrics   http://{settings.web}/metrics",
        f"  control   {folder / 'core.sock'} (monitord status, monitord incidents, …)",
        f"  store     {find(store_of(settings))}",
        f"  config    {config}",
    ]
    if catalog.backends:
        lines.append(f"  tickets   also go to {', '.join(catalog.backends)}")
    else:
        lines.append("  tickets   nobody will be woken yet: tickets stay here (monitord tickets);")
        lines.append("            to change that, name a way out under `tickets:` in the config")
    return [*lines, *(f"  warning   {text}" for text in catalog.warnings), "Ctrl-C stops it.", ""]


def _tell(socket: Path, supervisor: Supervisor) -> None:
    """Print what the core says happened, for as long as there is a supervisor."""
    while not supervisor.stopping:
        try:
            for event in Core(socket, timeout=60).follow("/v1/events"):
                if event.get("kind") not in _QUIET:
                    _say([line(event)])
        except (CoreDownError, CoreSaysNoError, ValueError):
            time.sleep(0.3)  # it is starting, or being started again


def line(event: dict[str, Any]) -> str:
    """Give one line for an event."""
    at = int(event.get("at") or time.time() * 1e6)
    when = datetime.fromtimestamp(at / 1e6, UTC).astimezone().strftime("%H:%M:%S")
    incident = f"incident {event['incident']}  " if event.get("incident") else ""
    return f"{when}  {incident}{one_line(str(event.get('text', '')), 300)}"


def _say(lines: list[str]) -> None:
    for each in lines:
        print(each, flush=True)  # noqa: T201 - the foreground speaks to its terminal
