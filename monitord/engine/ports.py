"""What the engine needs from outside itself: the executor's process, and a door that is counted.

The real ones are in executor_client.py; `monitord test` puts a scripted world behind the same
ports. No decision is made here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from monitord.model.catalog import Catalog, Check
from monitord.model.facts import Facts, PluginOutput, Section
from monitord.model.ids import Instant, StepId
from monitord.model.incident import StepStatus
from monitord.model.result import Result


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """How a step ended. `never_started` means that no run record exists: it may safely be run."""

    status: StepStatus
    exit_code: int | None = None
    output: str = ""
    error: str = ""
    never_started: bool = False


class Executor(Protocol):
    """The process that forks and logs in. All calls raise ExecutorLostError when it is gone."""

    @property
    def connected(self) -> bool:
        """Tell whether it can be asked now."""
        ...

    async def facts(self, host: str, sections: Sequence[Section], deadline: float) -> Facts:
        """Read facts within `deadline` seconds; TransportError when the host does not let us."""
        ...

    async def plugin(self, check: str, deadline: float, since: str = "") -> PluginOutput:
        """Run the plugin of a check within `deadline` seconds; `since` as in ScriptProbe."""
        ...

    async def run(self, step: StepId) -> StepOutcome:
        """Do a committed step.

        Raises:
            NotBegunError: it was refused before a record of it was made: nothing was done.
            RefusedByExecutorError: it could not be answered for; it may be under way (adopt it).
        """
        ...

    async def adopt(self, step: StepId) -> StepOutcome:
        """Learn what became of a step that an earlier process of ours began.

        Raises:
            RefusedByExecutorError: nobody can tell now: the step may be under way all the same.
        """
        ...

    async def kill(self, step: StepId) -> None:
        """Kill a running step's process group."""
        ...

    async def parse(self) -> dict[str, Any]:
        """Parse the configuration in a child: {"sources": …} or {"problems": […]}."""
        ...

    async def load(self, catalog: str) -> None:
        """Have it load the configuration that hashes to `catalog`."""
        ...


class Probing(Protocol):
    """Runs checks: the prober in production, a script of given results in `monitord test`."""

    def use(self, catalog: Catalog) -> None:
        """Take over a catalog."""
        ...

    def shares_a_trip(self, check: Check) -> bool:
        """Tell whether the check reads facts, which are brought once for all checks of a host."""
        ...

    def booted(self, host: str) -> Instant | None:
        """Give when a host came up, as far as it was ever told."""
        ...

    async def single(self, check: Check) -> list[Result]:
        """Run one check that needs no facts; never raises for a target."""
        ...

    async def facts(self, checks: Sequence[Check]) -> dict[str, list[Result]]:
        """Run fact checks of one host in one round trip; gives results by check key."""
        ...

    async def look(self, checks: Sequence[Check]) -> dict[str, list[Result]]:
        """Run checks of one host now; gives the results by check key, never raises for a target."""
        ...
