"""What a step can do: one file per kind, all of them in `ACTIONS`."""

from collections.abc import Mapping
from types import MappingProxyType

from monitord.actions import (
    cleanup,
    command,
    database,
    device,
    evidence,
    http,
    job,
    link,
    process,
    ready,
    reboot,
    restore,
    supervisor,
    systemd,
    wait,
)
from monitord.model.kinds import ActionKind

ACTIONS: Mapping[str, ActionKind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            command.KIND,
            systemd.KIND,
            supervisor.KIND,
            job.KIND,
            link.KIND,
            restore.KIND,
            http.KIND,
            wait.KIND,
            evidence.KIND,
            ready.KIND,
            cleanup.KIND,
            process.KIND,
            reboot.KIND,
            database.KIND,
            device.KIND,
        )
    }
)
"""Every kind of step, by the key that stands in YAML."""
