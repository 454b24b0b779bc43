"""One monitord on test hosts: its folder, its processes, and what it wrote.

    with House(SITES, world=world, hosts=[web1, web2]) as house:     # core and executor run
        web1.run(["pkill", "-9", "nginx"])
        incident = house.incident("web1/site", "RESOLVED")           # waits; a row of the store
        house.tried(incident)[0].runbook; house.steps(attempt)
        house.ticket(incident)["evidence"]                           # the document of the API
        house.core.kill(); house.core.start()                        # kill -9, and again
        house.cli("status")                                          # monitord status --json
        house.violations()                                           # what `monitord audit` finds

The configuration is YAML in which `$web1` stands for a host's address. `PREFACE` comes before it:
profile lab, every 2 s, two attempts, repair at once, and group `fleet`, whose hosts are logged into
as `monitord`: it owns /srv there, and sudo lets it do what `monitord sudoers` says, nothing else.
Nothing here knows a scenario. Rows are read from the database, so they are there with the core
dead.
"""

from __future__ import annotations

import contextlib
import json
import os
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from monitord import config
from monitord.control import Core, CoreDownError, CoreSaysNoError
from monitord.daemon.kinds import KINDS
from monitord.errors import StoreError
from monitord.executor import sudoers
from monitord.model.catalog import Budgets
from monitord.model.incident import Attempt, Incident, IncidentStatus, Step
from monitord.model.ticket import Event, OutboxItem, OutboxStatus
from monitord.store import audit, open_reader
from monitord.store.contract import View
from tests.world.host import Host
from tests.world.hosts import World
from tests.world.process import Peer, answers, free_port
from tests.world.until import until

T = TypeVar("T")
BUDGETS = Budgets(
    host_per_hour=100,
    host_per_day=100,
    fleet_per_hour=100,
    fleet_per_day=100,
    fleet_at_once=10,
)
PREFACE = """\
instance: house
profile: lab
state: $folder/state
web: $web
store: $store
after_boot: 0s
budgets: {host_per_hour: 100, host_per_day: 100, fleet_per_hour: 100, fleet_per_day: 100,
          fleet_at_once: 10}
defaults: {every: 2s, retry_every: 1s, attempts: 2, recoveries: 1, first_rung_after: 0s}
groups:
  fleet:
    login: {ssh: {user: monitord, key: $key, known_hosts: $known_hosts, act: {sudo: true}}}
    keep_healthy: 0
include: [scenario.yaml]
"""
FLEET = "fleet"
READY = 30.0
"""Seconds within which a process answers."""
FOUND = 20.0
"""Seconds within which a fault is found; a loaded machine takes some of them."""
REPAIRED = 30.0
"""Seconds within which it is repaired and proven, or handed over."""


class Process(Peer):
    """One process of monitord; ready when its socket answers."""

    def __init__(self, house: House, name: str) -> None:
        super().__init__()
        self.name = name
        self._house = house
        self._hasty = False
        self.argv = [sys.executable, "-m", "monitord", name, "--config", str(house.config)]
        self.environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    def launch(self) -> None:
        """Start it and do not wait: `await_ready` does."""
        self._hasty = True
        try:
            self.start()
        finally:
            self._hasty = False

    def await_ready(self) -> None:
        """Wait for a launched process; raise PeerError when it has ended instead."""
        until(lambda: self.is_ready() or not self.is_running, within=READY, what=self.name)
        _ = self.pid

    def is_ready(self) -> bool:
        """Whether it takes requests."""
        if self._hasty:
            return True
        if self.name == "core":
            return self._house.is_up()
        if self.name == "web":
            return answers(self._house.web_port, self._house.names["web"].partition(":")[0])
        return (self._house.state / f"{self.name}.sock").exists()


class House:
    """A folder with a configuration, and the processes on it. A context manager.

    `names` are more to fill in; `web` starts monitord-web too, where the hosts can reach it.
    `store` is a database URL; left out, it is SQLite.
    """

    def __init__(
        self,
        scenario: str,
        *,
        world: World | None = None,
        hosts: Collection[Host] = (),
        preface: str = PREFACE,
        names: Mapping[str, str] | None = None,
        web: bool = False,
        store: str = "",
    ) -> None:
        # Not below pytest's folder: a Unix socket's path has room for 107 bytes.
        self._folder = tempfile.TemporaryDirectory(prefix="house-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self.state = self.folder / "state"
        self.config = self.folder / "monitord.yaml"
        self.store = store or str(self.state / "state.db")
        self.commits = self.folder / "commits"
        self.web_port = free_port()
        self.names = {
            "folder": str(self.folder),
            "store": self.store,
            "web": f"{world.network.gateway if world else '127.0.0.1'}:{self.web_port}",
            "monitord": f"{sys.executable} -m monitord --config {self.config}",
            "key": str(world.key) if world else "none",
            "known_hosts": str(world.known_hosts) if world else "none",
            **{host.name: host.address for host in hosts},
            **(names or {}),
        }
        self._hosts = tuple(hosts)
        self.write("monitord.yaml", preface)
        self.write("scenario.yaml", scenario)
        self.executor = Process(self, "executor")
        self.core = Process(self, "core")
        self._processes = [self.executor, self.core, *([Process(self, "web")] if web else [])]

    def write(self, name: str, text: str) -> None:
        """Write a file of the configuration, with its `$names` filled in."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(string.Template(text).substitute(self.names), encoding="utf-8")

    def __enter__(self) -> Self:
        try:
            self._grant()
            for process in self._processes:
                process.launch()  # side by side: each takes a second to import what it needs
            for process in self._processes:
                process.await_ready()
        except BaseException:
            self.close()
            raise
        return self

    def _grant(self) -> None:
        """Give the fleet's login its own folder and, by sudo, exactly what its ladders need."""
        catalog = config.load(self.config, KINDS) if self._hosts else None
        for host in self._hosts:
            known = catalog.hosts.get(host.name) if catalog else None
            if catalog is None or known is None or FLEET not in known.groups:
                continue
            rights = sudoers.privileges(catalog, known, KINDS)
            assert rights.gaps == [], "a scenario needs more than sudoers can say"
            text = "\n".join(sudoers.lines(rights))
            host.write("/etc/sudoers.d/monitord", f"{text}\n", mode=0o440)
            host.run(["chown", "-R", f"{rights.user}:", "/srv"])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes and remove the folder."""
        for process in reversed(self._processes):
            process.close()
        self._folder.cleanup()

    def story(self) -> str:
        """Give the logs and the timelines, for a person who reads a failed test."""
        parts = [f"--- {one.name}\n{one.last_words()}" for one in self._processes]
        with contextlib.suppress(StoreError):
            for one in self.incidents():
                parts.append(f"--- incident {one.id} {one.key} {one.status} {one.waiting_for}")
                parts += [f"{e.at / 1e6:.3f} {e.kind}: {e.text}" for e in self.events(one)]
        return "\n".join(parts)

    def start_mortal(self, point: str) -> None:
        """Start a core that dies at a commit, such as `before step-done 2` (see dying.py).

        The commits are counted from the moment at which the file `commits` exists.
        """
        immortal, environment = self.core.argv, self.core.environment or {}
        python, _, _, *rest = immortal
        self.core.argv = [python, "-m", "tests.scenarios.dying", *point.split(), *rest]
        self.core.environment = {**environment, "MONITORD_COMMITS": str(self.commits)}
        try:
            self.core.start()
        finally:
            self.core.argv, self.core.environment = immortal, environment

    # -- what it wrote -----------------------------------------------------------------------

    def rows(self, work: Callable[[View], T]) -> T:
        """Read the store as it stands on disk."""
        reader = open_reader(self.store)
        try:
            return reader.read_now(work)
        finally:
            reader.close()

    def incidents(self, key: str = "") -> list[Incident]:
        """Give all incidents (of a key), oldest first, whatever their status."""
        every = self.rows(lambda view: view.incidents(IncidentStatus, limit=1000))
        return [one for one in every if key in ("", one.key)]

    def incident(self, key: str, *statuses: str, within: float = REPAIRED) -> Incident:
        """Wait for the newest incident of this key, and until it is in one of these statuses."""

        def found() -> Incident | None:
            mine = self.incidents(key)[-1:]
            return next((one for one in mine if not statuses or one.status in statuses), None)

        what = f"an incident {key} {' or '.join(statuses)}"
        incident = until(found, within=within, every=0.1, what=what)
        assert incident is not None
        return incident

    def tried(self, incident: Incident) -> list[Attempt]:
        """Give the attempts of an incident, oldest first."""
        return self.rows(lambda view: view.attempts(incident=incident.id))

    def steps(self, attempt: Attempt) -> list[Step]:
        """Give the steps of an attempt, in order."""
        return self.rows(lambda view: view.steps(attempt.id))

    def events(self, incident: Incident) -> list[Event]:
        """Give the timeline of an incident."""
        return list(self.rows(lambda view: view.events(incident.id)))

    def outbox(self) -> list[OutboxItem]:
        """Give all messages that tickets sent or will send."""
        return self.rows(
            lambda view: [
                item for status in OutboxStatus for item in view.outbox(status=status, limit=1000)
            ]
        )

    def violations(self) -> list[str]:
        """Give what breaks an invariant (the audit of the store's own module)."""
        return self.rows(lambda view: [str(one) for one in audit(view, BUDGETS, matches=_named)])

    # -- what it says ------------------------------------------------------------------------

    def is_up(self) -> bool:
        """Whether the core answers."""
        try:
            self.get("/healthz")
        except (CoreDownError, CoreSaysNoError):
            return False
        return True

    def get(self, route: str, **query: str | int | None) -> Any:
        """Ask the core's API."""
        return Core(self.state / "core.sock").get(route, **query)

    def post(self, route: str, **body: Any) -> Any:
        """Command through the core's API."""
        return Core(self.state / "core.sock").post(route, body)

    def ticket(self, incident: Incident) -> dict[str, Any]:
        """Wait for the ticket of an incident and give it, whole."""

        def number() -> int | None:
            return next(one.ticket for one in self.incidents() if one.id == incident.id)

        found = until(number, within=FOUND, every=0.1, what=f"a ticket of {incident.key}")
        document: dict[str, Any] = self.get(f"/v1/tickets/{found}")
        return document

    def check(self, key: str) -> dict[str, Any]:
        """Give a check with the states of its items, as `monitord checks` does."""
        shown = self.get("/v1/checks", select=key)["checks"]
        found: dict[str, Any] = next(one for one in shown if one["key"] == key)
        return found

    def status(self, key: str) -> str:
        """Give the hard status of a check (PENDING before it is known), or UNREACHABLE."""
        check = self.check(key)
        if any(item["unreachable"] for item in check["items"]):
            return "UNREACHABLE"
        return str(check["status"])

    def await_status(self, status: str, *keys: str, within: float = FOUND) -> None:
        """Wait until these checks all have this status."""

        def others() -> list[str]:
            return [key for key in keys if self.status(key) != status]

        until(lambda: not others(), within=within, every=0.1, what=f"{keys} {status}")

    def await_ok(self, *keys: str, within: float = FOUND) -> None:
        """Wait until these checks are all OK."""
        self.await_status("OK", *keys, within=within)

    def cli(self, *words: str, check: bool = True) -> Any:
        """Run a command of ours with --json; give what it printed, as JSON where it is that."""
        argv = [sys.executable, "-m", "monitord", "--config", str(self.config), *words, "--json"]
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
            env=self.core.environment,
        )
        if check and done.returncode:
            raise AssertionError(f"{words} ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stderr


def _named(selector: str, host: str) -> bool:
    return selector == "*" or selector.partition("/")[0] == host


def now() -> int:
    """Give the wall time as the store keeps it, in µs."""
    return time.time_ns() // 1000
