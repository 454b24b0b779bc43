"""Decides who may approve a correction of availability, and what corrections mean. Pure.

Whoever says that a time was otherwise than it was seen needs another person's yes.
"""

from collections.abc import Iterable, Mapping

from monitord.decisions.availability import Correction, Period, Time
from monitord.errors import CommandRefusedError, NotFoundError
from monitord.model.ids import CheckKey, Instant
from monitord.model.oncall import Person
from monitord.model.sla import Corrected

_MEANS: Mapping[str, Time] = {"up": Time.UP, "down": Time.DOWN, "excluded": Time.EXCUSED}


def approver(people: Mapping[str, Person], by: str, named: str) -> str:
    """Give the name of who approves; where people are configured, it is one of them.

    Raises:
        NotFoundError: it is nobody of them.
        CommandRefusedError: nobody is named, or it is who asks.
    """
    if not named.strip():
        raise CommandRefusedError("a correction needs another's yes; add --approved-by NAME")
    found = _person(people, named)
    if people and found is None:
        known = ", ".join(sorted(people))
        raise NotFoundError(f"{named} is nobody of people: (there are {known})")
    asks = _person(people, by)
    if named == by or (found is not None and found == asks):
        raise CommandRefusedError(f"{by} asks for it: another person must approve")
    return found.name if found is not None else named


def for_account(
    rows: Iterable[Corrected], service: str, checks: Iterable[CheckKey], window: Period
) -> tuple[Correction, ...]:
    """Give the corrections that bear on a service or its checks, cut at the window, by number."""
    names = {service, *checks}
    return tuple(
        Correction(
            Instant(max(row.starts, window[0])),
            Instant(min(row.ends, window[1])),
            _MEANS[row.said],
            row.reason,
            row.approved_by,
            row.about if row.about != service else "",
            row.by,
            row.id,
        )
        for row in rows
        if row.revoked is None
        and row.about in names
        and row.starts < window[1]
        and row.ends > window[0]
    )


def _person(people: Mapping[str, Person], named: str) -> Person | None:
    if named in people:
        return people[named]
    return next((one for one in people.values() if one.login == named), None)
