"""What can be looked at: one file per kind, all of them in `PROBES`."""

from collections.abc import Mapping

from monitord.model.kinds import ProbeKind
from monitord.probes import clock, disk, http, icmp, load, memory, process, ssh, systemd, tcp

PROBES: Mapping[str, ProbeKind] = {
    "http": http.KIND,
    "icmp": icmp.KIND,
    "tcp": tcp.KIND,
    "clock": clock.KIND,
    "disk": disk.KIND,
    "load": load.KIND,
    "memory": memory.KIND,
    "process": process.KIND,
    "ssh": ssh.KIND,
    "systemd": systemd.KIND,
}
