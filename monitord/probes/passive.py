"""Judges nothing of its own: what a check says that others report is what was reported last."""

from collections.abc import Sequence
from typing import ClassVar

from monitord.model.ids import Instant
from monitord.model.inbound import PASSIVE
from monitord.model.kinds import PassiveRecord, Record, RecordProbe
from monitord.model.result import Result
from monitord.model.spec import Spec


class PassiveSpec(Spec):
    """Nothing to set: what may report stands under `inbound:`."""

    example: ClassVar[str] = """\
passive: {}
"""


def judge(_spec: PassiveSpec, record: Record, _now: Instant) -> Sequence[Result]:
    """Give what was told, item by item; nothing where nobody has told anything new."""
    if not isinstance(record, PassiveRecord):
        raise TypeError(f"passive is judged by a PassiveRecord, not by {type(record).__name__}")
    return record.results


# Whoever sends an alert has looked as often as its own rule asks: one is not a single sample.
KIND = RecordProbe(PASSIVE, PassiveSpec, PASSIVE, judge, sees_death=True, told=True)
