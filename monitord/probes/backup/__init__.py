"""Whether what was saved is there, young enough and restorable: all kinds of it in `BACKUP`."""

from collections.abc import Mapping

from monitord.model.kinds import ProbeKind
from monitord.probes.backup import backup, drill

BACKUP: Mapping[str, ProbeKind] = {
    "backup": backup.KIND,
    "drill": drill.KIND,
}
