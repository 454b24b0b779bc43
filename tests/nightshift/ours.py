"""monitord on duty: a house of its own for each day, and what its journal says."""

from __future__ import annotations

from pathlib import Path

from monitord.model.incident import Attempt, Incident, IncidentStatus, Phase
from tests.nightshift.machines import Machines
from tests.nightshift.tool import Told
from tests.scenarios.house import House
from tests.world.until import until

HERE = Path(__file__).parent
CONFIG = HERE / "config" / "monitord.yaml"
NO_CONSOLE = "http://192.0.2.1"
"""An address that nobody has (RFC 5737)."""
CALM = 40.0
"""Seconds in which all checks must be OK on hosts that are well."""
_ACTS = (Phase.STEP, Phase.UNDO)
_OVER = (IncidentStatus.RESOLVED, IncidentStatus.CLOSED)


class Monitord:
    """Our tool.

    `console` is the URL of the hosts' console; `every` is how often a check runs, `settle` and
    `within` are the times of most proofs, `recoveries` the OKs until a check is believed to be well
    again.
    """

    name = "monitord"
    proves = True
    tells = True

    def __init__(
        self,
        machines: Machines,
        console: str = NO_CONSOLE,
        *,
        every: str = "5s",
        settle: str = "3s",
        within: str = "20s",
        recoveries: str = "2",
    ) -> None:
        self._machines = machines
        self._names = {
            "console": console,
            "plugins": str(HERE / "plugins"),
            "every": every,
            "settle": settle,
            "within": within,
            "recoveries": recoveries,
            **machines.names,
        }
        self._house: House | None = None

    @property
    def house(self) -> House:
        """The house of this day; there is none before `begin`."""
        assert self._house is not None, "nobody is on duty"
        return self._house

    def begin(self) -> None:
        if self._house is None:
            house = House(
                "{}",
                world=self._machines.world,
                hosts=list(self._machines.hosts.values()),
                preface=CONFIG.read_text(encoding="utf-8"),
                names=self._names,
                web=True,
            )
            self._house = house.__enter__()
        try:
            until(lambda: not self.unwell(), within=CALM, every=0.2, what="all is well")
        except AssertionError as error:
            error.add_note(f"not well: {', '.join(self.unwell())}\n{self.story()}")
            raise

    def end(self) -> None:
        if self._house is not None:
            self._house.close()
        self._house = None

    def unwell(self) -> list[str]:
        shown = self.house.get("/v1/checks")["checks"]
        unwell = [f"{one['key']} {one['status']}" for one in shown if one["status"] != "OK"]
        return unwell + [one.key for one in self.house.incidents() if one.status not in _OVER]

    def announce(self, key: str, reason: str) -> None:
        self.house.cli("maintenance", key, "--reason", reason, "--for", "30m", "--yes")

    def told(self, key: str, since: float) -> Told:
        mine = [one for one in self.house.incidents() if one.opened / 1e6 >= since]
        wanted = [one for one in mine if one.key == key]
        attempts = [attempt for one in mine for attempt in self.house.tried(one)]
        verified = [
            one.resolved / 1e6 for one in wanted if one.resolved and one.cause == "verified"
        ]
        return Told(
            found=min((one.opened / 1e6 for one in wanted), default=None),
            verified=min(verified, default=None),
            opened={one.key: one.opened / 1e6 for one in mine},
            tickets={one.key: self._ticket(one) for one in mine if one.ticket is not None},
            effects=tuple(filter(None, map(self._effects, attempts))),
            refused=tuple(
                event.text
                for one in mine
                for event in self.house.events(one)
                if event.kind == "refused" or "refused" in event.text
            ),
        )

    def ping(self, key: str) -> str:
        url = self.house.cli("job", "url", key.partition("/")[2])["url"]
        return f'curl -fsS --data-binary "$out" {url}/$code >/dev/null'

    def broken_rules(self) -> tuple[str, ...]:
        """Give what its own audit finds in the journal of the day."""
        return tuple(str(one) for one in self.house.cli("audit", check=False)["violations"])

    def story(self) -> str:
        return self._house.story() if self._house else "(it was not on duty)"

    def _effects(self, attempt: Attempt) -> str:
        """Give what an attempt did; "" when it did nothing to a host."""
        acting = [one.effect for one in self.house.steps(attempt) if one.phase in _ACTS]
        return f"{attempt.runbook}: {', '.join(acting)}" if acting else ""

    def _ticket(self, incident: Incident) -> str:
        document = self.house.get(f"/v1/tickets/{incident.ticket}")
        return str(document)
