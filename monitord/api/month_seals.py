"""What a month was sealed as, beside what its rows give now: views.

It shapes rows, and seals nothing; what a seal is stands in decisions/seals.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from monitord.decisions import seals
from monitord.decisions.availability import Account, canonical, measure
from monitord.decisions.ticket_document import iso
from monitord.errors import NotFoundError
from monitord.model.sla import Sealed

_BROKEN = "the account in the store is not the one that was sealed: somebody has changed the row"


@dataclass(frozen=True, slots=True)
class Proof:
    """The account that a month's figure is of, its seals, and how it compares with the rows.

    `recomputed` is the seal of what the rows give now; None where they are not kept any more.
    """

    account: Account
    seal: str
    rows: Sequence[Sealed]
    recomputed: str | None
    differs: Sequence[str]

    def shown(self) -> dict[str, Any]:
        """Give it as JSON values, the newest seal last."""
        return {
            "seal": self.seal,
            "sealed": iso(self.rows[-1].made) if self.rows else None,
            "seals": [_shown(row) for row in self.rows],
            "recomputed": self.recomputed,
            "differs": list(self.differs),
        }


def proof(rows: Sequence[Sealed], now: Account, *, whole: bool) -> Proof:
    """Compare the newest seal of a month, if there is one, with its account as computed now.

    `whole`: all rows of the month are still kept.
    """
    again = measure(now).seal
    if not rows:
        return Proof(now, again, (), again, ())
    newest = rows[-1]
    if not seals.holds(newest):
        return Proof(now, newest.seal, rows, again if whole else None, (_BROKEN,))
    sealed = seals.account_in(newest)
    differs = seals.differences(sealed, now) if whole and again != newest.seal else ()
    return Proof(sealed, newest.seal, rows, again if whole else None, differs)


def text(found: Proof, number: int) -> dict[str, Any]:
    """Give the account behind a seal: the newest (0), or one before it.

    Raises:
        NotFoundError: there is no such seal of this service and month.
    """
    if not found.rows and not number:
        return {"seal": found.seal, "account": canonical(found.account)}
    row = next((row for row in reversed(found.rows) if number in (0, row.id)), None)
    if row is None or not seals.holds(row):
        known = ", ".join(str(row.id) for row in found.rows if seals.holds(row)) or "none"
        raise NotFoundError(f"there is no seal {number} of it that holds; there are: {known}")
    return {"seal": row.seal, "account": seals.text_of(row)}


def _shown(row: Sealed) -> dict[str, Any]:
    return {
        "number": row.id,
        "seal": row.seal,
        "made": iso(row.made),
        "replaces": row.replaces,
        "reason": row.reason,
        "holds": seals.holds(row),
    }
