"""Pauses of clocks and corrections of availability, as rows: the same on both engines."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from monitord.model.ids import IncidentId
from monitord.model.sla import Corrected, Paused, Sealed
from monitord.model.ticket import Event
from monitord.store.contract import Store, Tx
from tests.store.rows import at, incident

PAUSE = Paused(0, IncidentId(7), at(100), at(200), "no spare part", "kim", vendor="acme")
SAID = Corrected(0, "shop", at(100), at(200), "up", "seen", "kim", at(300), "ann")


def test_a_pause_is_changed_until_somebody_ends_it(store: Store) -> None:
    number = store.write_now(lambda tx: tx.add_pause(PAUSE))
    store.write_now(lambda tx: tx.add_pause(replace(PAUSE, incident=IncidentId(8))))
    assert store.write_now(lambda tx: tx.change_pause(number, answered=at(110)))
    assert store.write_now(lambda tx: tx.change_pause(number, ended=at(150), ended_by="lee"))
    assert not store.write_now(lambda tx: tx.change_pause(number, ended=at(160), ended_by="ann"))
    (kept,) = store.read_now(lambda view: view.pauses(IncidentId(7)))
    assert (kept.answered, kept.ended_by, kept.end) == (at(110), "lee", at(150))


def test_what_was_told_of_those_that_opened_in_a_span_is_read_at_once(store: Store) -> None:
    def write(tx: Tx) -> list[IncidentId]:
        own = [tx.add_incident(incident(key=f"h{n}/c", opened=at(n))) for n in range(4)]
        for one in own:
            tx.add_pause(replace(PAUSE, incident=one))
            tx.add_events([Event(one, at(9), kind, "x", "kim", {}) for kind in ("ack", "noted")])
        return own

    own = store.write_now(write)
    span, within = (at(1), at(3)), own[1:3]
    told = store.read_now(lambda view: view.told_of_opened(["ack"], *span))
    assert [(one, [line.kind for line in told[one]]) for one in told] == [
        (one, ["ack"]) for one in within
    ]
    pauses = store.read_now(lambda view: view.pauses_of_opened(*span))
    assert [row.incident for rows in pauses.values() for row in rows] == within
    keys = store.read_now(lambda view: view.keys_of([*within, IncidentId(999)]))
    assert keys == dict(zip(within, ("h1/c", "h2/c"), strict=True))


def test_a_correction_is_found_by_its_time_and_taken_back_once(store: Store) -> None:
    number = store.write_now(lambda tx: tx.add_correction(SAID))
    assert store.write_now(lambda tx: tx.revoke_correction(number, at(400), "lee"))
    assert not store.write_now(lambda tx: tx.revoke_correction(number, at(500), "kim"))
    (kept,) = store.read_now(lambda view: view.corrections(at(199)))
    assert kept == replace(SAID, id=number, revoked=at(400), revoked_by="lee")
    assert store.read_now(lambda view: view.corrections(at(200))) == []


def test_a_seal_has_one_heir(store: Store) -> None:
    """Two seals that replace the same one would be two truths about a month."""
    first = Sealed(0, "shop", "2027-01", "ab", "text", at(100))
    number = store.write_now(lambda tx: tx.add_seal(first))
    heir = replace(first, seal="cd", replaces=number, reason="correction 3")
    store.write_now(lambda tx: tx.add_seal(heir))
    with pytest.raises(IntegrityError):
        store.write_now(lambda tx: tx.add_seal(heir))
    store.write_now(lambda tx: tx.add_seal(replace(first, month="2027-02")))
    kept = store.read_now(lambda view: view.seals(service="shop", month="2027-01"))
    assert [(one.seal, one.replaces) for one in kept] == [("ab", 0), ("cd", number)]
    assert store.read_now(lambda view: view.seal(number)) == replace(first, id=number)
