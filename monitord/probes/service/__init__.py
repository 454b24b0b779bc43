"""What servers say of themselves in their own protocol: one file per kind, all in `SERVICE`."""

from collections.abc import Mapping

from monitord.model.kinds import ProbeKind

SERVICE: Mapping[str, ProbeKind] = {}
