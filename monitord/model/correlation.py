"""What belongs together: how close in time outages of one cause begin. Shapes only."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Correlate:
    """When outages are taken for one: they began to fail `within` so long of each other."""

    within: timedelta = timedelta(minutes=5)
