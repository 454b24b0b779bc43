"""What can be looked at on a host, over its login: one file per kind, all of them in `HOST`."""

from collections.abc import Mapping

from monitord.model.kinds import ProbeKind
from monitord.probes.host import clock, disk, file, load, memory, process, ssh, supervisor, systemd

HOST: Mapping[str, ProbeKind] = {
    "clock": clock.KIND,
    "disk": disk.KIND,
    "file": file.KIND,
    "load": load.KIND,
    "memory": memory.KIND,
    "process": process.KIND,
    "ssh": ssh.KIND,
    "supervisor": supervisor.KIND,
    "systemd": systemd.KIND,
}
