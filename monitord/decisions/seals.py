"""Decides when a month is sealed, what a seal holds, and in what two accounts differ. Pure.

A month is sealed once, from what was known then. What people correct later makes a new seal, from
the sealed account and their corrections alone; no reload changes it, and no end of retention.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from monitord.decisions.availability import (
    Account,
    Correction,
    Period,
    Piece,
    Time,
    Work,
    canonical,
)
from monitord.decisions.corrections import for_account
from monitord.model.ids import CheckKey, StateKey, split_state_key
from monitord.model.sla import Corrected, Sealed

SETTLES = timedelta(hours=1)
"""A month is sealed so long after its end: what began in it is believed by then."""

_SHOWN = 5
_OF_RULES = "service "  # the name of a service's own track begins so


def packed(account: Account) -> str:
    """Give the account's sealed text for a row: compressed, then Base64."""
    return base64.b64encode(zlib.compress(canonical(account).encode(), 9)).decode()


def text_of(row: Sealed) -> str:
    """Give the text whose SHA-256 is the seal.

    Raises:
        ValueError: what the row holds is no such text (somebody has changed it).
    """
    try:
        return zlib.decompress(base64.b64decode(row.account, validate=True)).decode("ascii")
    except zlib.error as error:
        raise ValueError(f"the account of seal {row.id} is damaged: {error}") from error


def holds(row: Sealed) -> bool:
    """Tell whether the text of a seal is the one that was sealed."""
    try:
        return hashlib.sha256(text_of(row).encode()).hexdigest() == row.seal
    except ValueError:
        return False


def account_in(row: Sealed) -> Account:
    """Give the account that was sealed.

    Raises:
        ValueError: the row does not hold one (any more).
    """
    found = json.loads(text_of(row))
    try:
        return replace(
            Account(**found),
            agreed=tuple((start, end) for start, end in found["agreed"]),
            tracks={key: tuple(map(_piece, own)) for key, own in found["tracks"].items()},
            works=tuple(Work(**one) for one in found["works"]),
            outages=tuple((start, end) for start, end in found["outages"]),
            corrections=tuple(
                Correction(**{**one, "time": Time(one["time"])}) for one in found["corrections"]
            ),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"the account of seal {row.id} is damaged: {error!r}") from error


def _piece(raw: dict[str, Any]) -> Piece:
    return Piece(raw["start"], raw["end"], Time(raw["time"]))


def is_known(account: Account) -> bool:
    """Tell whether anything was seen in the account's time; else there is nothing to seal."""
    return any(account.tracks.values())


def corrected(account: Account, rows: Iterable[Corrected]) -> Account:
    """Give a sealed account with the corrections that hold now, in place of those in it."""
    window: Period = (account.start, account.end)
    found = for_account(rows, account.service, _checks(account), window)
    return replace(account, corrections=found)


def _checks(account: Account) -> set[CheckKey]:
    keys = (key for key in account.tracks if not key.startswith(_OF_RULES))
    return {split_state_key(StateKey(key))[0] for key in keys}


def what_came(before: Account, after: Account) -> str:
    """Say which corrections came and went between two accounts."""
    old, new = ({one.id for one in each.corrections} for each in (before, after))
    said = [f"correction {number} of {_by(after, number)} came" for number in sorted(new - old)]
    said += [f"correction {number} was taken back" for number in sorted(old - new)]
    return "; ".join(said)


def _by(account: Account, number: int) -> str:
    found = next(one for one in account.corrections if one.id == number)
    return f"{found.by} ({found.reason}; yes of {found.approved_by})"


def differences(sealed: Account, again: Account) -> list[str]:
    """Say in what an account that was computed again differs from the sealed one, if it does."""
    return list(_differences(sealed, again))


def _differences(sealed: Account, again: Account) -> Iterator[str]:
    if sealed.sla != again.sla:
        yield f"its level was {sealed.sla} and is {again.sla}"
    if (sealed.start, sealed.end) != (again.start, again.end):
        yield "the month begins or ends at another time (the level's calendar has another zone)"
    if sealed.agreed != again.agreed:
        yield "other times are agreed (the level's calendar was changed)"
    yield from _tracks(sealed, again)
    for name, one, other in (
        ("maintenance", sealed.works, again.works),
        ("the times in which monitord did not watch", sealed.outages, again.outages),
    ):
        if one != other:
            yield f"{name}: {len(one)} when it was sealed, {len(other)} now"
    if sealed.corrections != again.corrections:
        came = what_came(sealed, again) or "the same corrections say something else"
        yield f"{came}; a new seal follows within a minute"


def _tracks(sealed: Account, again: Account) -> Iterator[str]:
    gone = sorted(sealed.tracks.keys() - again.tracks.keys())
    new = sorted(again.tracks.keys() - sealed.tracks.keys())
    both = sealed.tracks.keys() & again.tracks.keys()
    other = sorted(key for key in both if sealed.tracks[key] != again.tracks[key])
    for keys, what in (
        (gone, "was part of it and is not any more"),
        (new, "is part of it and was not"),
        (other, "was otherwise then: its rows are told differently now, or are kept no more"),
    ):
        yield from (f"{key} {what}" for key in keys[:_SHOWN])
        if len(keys) > _SHOWN:
            yield f"and {len(keys) - _SHOWN} more like {keys[0]}"
