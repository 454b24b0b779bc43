"""What can be looked at: one file per kind, by field; all of them in `PROBES`.

A field's own map is in its folder. What is left here judges what others reported or ran.
"""

from collections.abc import Mapping

from monitord.model.kinds import ProbeKind
from monitord.probes import chain, composite, device, health, job, nagios, passive
from monitord.probes.backup import BACKUP
from monitord.probes.host import HOST
from monitord.probes.network import NETWORK
from monitord.probes.service import SERVICE
from monitord.probes.snmp import SNMP

PROBES: Mapping[str, ProbeKind] = {
    **NETWORK,
    **HOST,
    **SERVICE,
    **SNMP,
    **BACKUP,
    "chain": chain.KIND,
    "composite": composite.KIND,
    "device": device.KIND,
    "health": health.KIND,
    "job": job.KIND,
    "nagios": nagios.KIND,
    "passive": passive.KIND,
}
