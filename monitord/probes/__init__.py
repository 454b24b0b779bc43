"""What can be looked at: one file per kind, all of them in `PROBES`."""

from collections.abc import Mapping

from monitord.model.kinds import ProbeKind
from monitord.probes import (
    backup,
    clock,
    device,
    disk,
    drill,
    file,
    health,
    http,
    icmp,
    job,
    load,
    memory,
    nagios,
    passive,
    process,
    ssh,
    supervisor,
    systemd,
    tcp,
)

PROBES: Mapping[str, ProbeKind] = {
    "http": http.KIND,
    "icmp": icmp.KIND,
    "tcp": tcp.KIND,
    "clock": clock.KIND,
    "device": device.KIND,
    "disk": disk.KIND,
    "load": load.KIND,
    "memory": memory.KIND,
    "process": process.KIND,
    "ssh": ssh.KIND,
    "systemd": systemd.KIND,
    "file": file.KIND,
    "backup": backup.KIND,
    "drill": drill.KIND,
    "health": health.KIND,
    "job": job.KIND,
    "nagios": nagios.KIND,
    "passive": passive.KIND,
    "supervisor": supervisor.KIND,
}
