"""What can be looked at on a host, over its login: one file per kind, all of them in `HOST`."""

from collections.abc import Mapping

from monitord.model.kinds import ProbeKind
from monitord.probes.host import (
    clock,
    cpu,
    disk,
    disk_io,
    file,
    load,
    memory,
    pressure,
    process,
    ssh,
    supervisor,
    swapping,
    systemd,
)

HOST: Mapping[str, ProbeKind] = {
    "clock": clock.KIND,
    "cpu": cpu.KIND,
    "disk": disk.KIND,
    "disk_io": disk_io.KIND,
    "file": file.KIND,
    "load": load.KIND,
    "memory": memory.KIND,
    "pressure": pressure.KIND,
    "process": process.KIND,
    "ssh": ssh.KIND,
    "supervisor": supervisor.KIND,
    "swapping": swapping.KIND,
    "systemd": systemd.KIND,
}
