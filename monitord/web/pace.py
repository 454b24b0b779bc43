"""How often somebody may ask: so many at once, so many a second after that. It only counts.

Whose requests are counted together is the caller's to say; how many names are kept is bounded.
"""

from collections import OrderedDict


class Pace:
    """A bucket for each name: `burst` at once, filled again at `rate` a second.

    `now` is any clock's seconds that never go back.
    """

    def __init__(self, *, rate: float, burst: int, names: int = 5000) -> None:
        self._rate, self._burst, self._names = rate, burst, names
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, name: str, now: float) -> float:
        """Give the seconds until the next may come; 0 when one may come now."""
        return max(0.0, (1.0 - self._filled(name, now)) / self._rate)

    def spend(self, name: str, now: float) -> None:
        """Count one."""
        self._left[name] = (max(0.0, self._filled(name, now) - 1.0), now)
        self._left.move_to_end(name)
        while len(self._left) > self._names:
            self._left.popitem(last=False)

    def _filled(self, name: str, now: float) -> float:
        left, at = self._left.get(name, (float(self._burst), now))
        return min(float(self._burst), left + (now - at) * self._rate)
