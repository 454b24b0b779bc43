"""Markers: what somebody or something did to the fleet, as told to us (a deployment, a change)."""

from dataclasses import dataclass

from monitord.model.ids import Instant


@dataclass(frozen=True, slots=True)
class Marker:
    """One told change. `selector` names the hosts or checks that it is about ("*": all of them)."""

    id: int
    at: Instant
    by: str
    selector: str
    text: str
