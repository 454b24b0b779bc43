"""The live incidents as one batch of transitions sees and changes them: read once, kept up to date.

It decides nothing; what it shows is what the rows of the transaction say.
"""

from collections.abc import Iterable, Sequence

from monitord.decisions.incidents import is_shared
from monitord.model.ids import CheckKey, StateKey, split_state_key
from monitord.model.incident import OPEN_STATUSES, Incident, IncidentStatus
from monitord.store.contract import Tx

_ALL = 1_000_000
_NOT_CLOSED = (*OPEN_STATUSES, IncidentStatus.RESOLVED)


class Picture:
    """The not-CLOSED incidents by key, and which of those that checks share an item is in."""

    def __init__(self, tx: Tx) -> None:
        # One query for the batch: at a start thousands of transitions come, hardly any incident.
        self._tx = tx
        self._rows: dict[str, Incident] = {}
        self._members: dict[str, frozenset[str]] = {}
        self._of_item: dict[str, dict[str, None]] = {}
        self._of_check: dict[CheckKey, dict[str, None]] = {}
        for incident in tx.incidents(_NOT_CLOSED, limit=_ALL):
            self._take(incident.key, incident)

    def get(self, key: str) -> Incident | None:
        """Give the live incident of a key."""
        return self._rows.get(key)

    def some(self, keys: Iterable[str]) -> dict[str, Incident]:
        """Give those of these keys that have one, in their order."""
        return {key: self._rows[key] for key in keys if key in self._rows}

    def holding(self, item: StateKey) -> Sequence[str]:
        """Give the keys of the shared incidents that an item is in."""
        return tuple(self._of_item.get(item, ()))

    def sharing(self, check: CheckKey) -> Sequence[str]:
        """Give the keys of the shared incidents that any item of a check is in."""
        return tuple(self._of_check.get(check, ()))

    def read(self, key: str) -> None:
        """Bring one key up to date after a decision was applied."""
        self._take(key, self._tx.live_incident(key))

    def _take(self, key: str, incident: Incident | None) -> None:
        self._rows.pop(key, None)
        if incident is not None:
            self._rows[key] = incident
        if is_shared(key):
            old = self._members.get(key, frozenset())
            new = self._members[key] = frozenset(incident.items if incident is not None else ())
            for item in old - new:
                self._of_item[item].pop(key, None)
                self._of_check[_check(item)].pop(key, None)
            for item in new - old:
                self._of_item.setdefault(item, {})[key] = None
            # Only what has changed, since a storm adds to one of thousands; but a check that one
            # of its items has left may have others there.
            for item in new if old - new else new - old:
                self._of_check.setdefault(_check(item), {})[key] = None


def _check(item: str) -> CheckKey:
    return split_state_key(StateKey(item))[0]
