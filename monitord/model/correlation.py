"""What belongs together: outages of one cause, and which incident is told instead of which."""

from dataclasses import dataclass
from datetime import timedelta

from monitord.model.result import Status


@dataclass(frozen=True, slots=True)
class Correlate:
    """When outages are taken for one: they began to fail `within` so long of each other.

    A site or service is out as a whole when more than `share` (0 to 1) of its hosts or checks fail,
    and at least `least` of them.
    """

    within: timedelta = timedelta(minutes=5)
    share: float = 0.5
    least: int = 5


@dataclass(frozen=True, slots=True)
class Inhibition:
    """A rule: while a `source` is bad, people hear of that and not of its `target`s.

    Both are selectors; `severity` is that of the source's incident, `equal` what both must have
    alike (host, site, customer, service). `holds`: nothing of the targets is repaired either.
    """

    name: str
    source: str
    target: str
    severity: frozenset[Status] = frozenset({Status.CRITICAL})
    equal: tuple[str, ...] = ()
    holds: bool = False
