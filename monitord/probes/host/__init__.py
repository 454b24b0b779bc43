"""What can be looked at on a host, over its login: one file per kind, all of them in `HOST`."""

from collections.abc import Mapping

from monitord.model.kinds import ProbeKind
from monitord.probes.host import (
    clock,
    containers,
    cpu,
    disk,
    disk_io,
    file,
    handles,
    interfaces,
    kernel_log,
    load,
    log,
    memory,
    pressure,
    process,
    raid,
    sockets,
    ssh,
    supervisor,
    swapping,
    systemd,
    timers,
    uptime,
)

HOST: Mapping[str, ProbeKind] = {
    "clock": clock.KIND,
    "containers": containers.KIND,
    "cpu": cpu.KIND,
    "disk": disk.KIND,
    "disk_io": disk_io.KIND,
    "file": file.KIND,
    "handles": handles.KIND,
    "interfaces": interfaces.KIND,
    "kernel": kernel_log.KIND,
    "load": load.KIND,
    "log": log.KIND,
    "memory": memory.KIND,
    "pressure": pressure.KIND,
    "process": process.KIND,
    "raid": raid.KIND,
    "sockets": sockets.KIND,
    "ssh": ssh.KIND,
    "supervisor": supervisor.KIND,
    "swapping": swapping.KIND,
    "systemd": systemd.KIND,
    "timers": timers.KIND,
    "uptime": uptime.KIND,
}
