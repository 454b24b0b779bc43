"""What belongs together: how close in time outages of one cause begin. Shapes only."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Correlate:
    """When outages are taken for one: they began to fail `within` so long of each other.

    A site or service is out as a whole when more than `share` (0 to 1) of its hosts or checks fail,
    and at least `least` of them.
    """

    within: timedelta = timedelta(minutes=5)
    share: float = 0.5
    least: int = 5
