"""What devices tell over SNMP: one file per kind, all of them in `SNMP`."""

from collections.abc import Mapping

from monitord.model.kinds import ProbeKind
from monitord.probes.snmp import interfaces, sensors, ups, value

SNMP: Mapping[str, ProbeKind] = {
    "snmp": value.KIND,
    "snmp_interfaces": interfaces.KIND,
    "snmp_sensors": sensors.KIND,
    "snmp_ups": ups.KIND,
}
