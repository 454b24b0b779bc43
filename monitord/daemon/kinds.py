"""All kinds of probes, actions and backends in one place: what every process is composed with.

Third parties add theirs by entry points of the groups monitord.probes, monitord.actions and
monitord.tickets; a name that is taken already is refused. Nothing is called here.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from monitord.actions import ACTIONS
from monitord.errors import MonitordError
from monitord.model.kinds import Kinds
from monitord.probes import PROBES
from monitord.tickets import BACKENDS


def with_entry_points(group: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """Give our own kinds and those that installed packages add.

    Raises:
        MonitordError: two packages claim one name.
    """
    kinds = dict(own)
    for point in entry_points(group=group):
        if point.name in kinds:
            raise MonitordError(
                f"{point.value} claims the kind {point.name!r}, which exists; uninstall its package"
            )
        kinds[point.name] = point.load()
    return kinds


KINDS = Kinds(
    with_entry_points("monitord.probes", PROBES),
    with_entry_points("monitord.actions", ACTIONS),
    with_entry_points("monitord.tickets", BACKENDS),
)
