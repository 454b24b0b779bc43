"""What goes wrong with the web server's disks and its link, by the ids of scenarios.json."""

from __future__ import annotations

from collections.abc import Mapping

from tests.nightshift.fault import HERE, Fault, on, repair

FULL = """
size=$(df --output=size -B1 /var/log/app | tail -1)
used=$(df --output=used -B1 /var/log/app | tail -1)
each=$(((size * 96 / 100 - used) / 5))
for number in 1 2 3 4 5; do
    fallocate -l "$each" "/var/log/app/old-$number.log.gz"
    touch -d "$((30 + number)) days ago" "/var/log/app/old-$number.log.gz"
done
"""
SESSIONS = """
cd /var/lib/app/sessions
seq 9000 | sed s/^/old-/ | xargs touch -d '3 days ago' 2>/dev/null || true
"""

FAULTS: Mapping[str, Fault] = {
    "F13": repair(
        (
            "web1",
            "test $(df --output=pcent /var/log/app | tail -1 | tr -dc 0-9) -lt 90 && echo ok",
        ),
        "web1/disk-space",
        "web1 /var/log/app",
        "",
        inject=on("web1", FULL),
        undo=on("web1", "rm -f /var/log/app/old-*.log.gz"),
        never=(("web1", "sha256sum /var/log/app/app.log /var/log/app/app.log.1.gz"),),
    ),
    "F15": repair(
        (
            "web1",
            "test $(df --output=ipcent /var/lib/app | tail -1 | tr -dc 0-9) -lt 90 && echo ok",
        ),
        "web1/session-space",
        "web1 /var/lib/app",
        "",
        inject=on("web1", SESSIONS),
        undo=on("web1", "find /var/lib/app/sessions -name 'old-*' -delete"),
        never=(("web1", "ls /var/lib/app/sessions/young-*"),),
    ),
    "F16": Fault(
        inject=on("web1", "mount -o remount,ro /srv/data"),
        undo=on("web1", "mount -o remount,rw /srv/data"),
        answers=("web1", "findmnt -no OPTIONS /srv/data | tr , '\\n' | grep -cx ro"),
        key="web1/disk-space",
        says=("read-only", "/srv/data"),
    ),
    "F19": Fault(
        inject=lambda stage: stage.machines.hosts["web1"].cut(),
        undo=lambda stage: stage.machines.hosts["web1"].restore(),
        answers=(HERE, "ip -br link show $cable_web1 | awk '{print $2}'"),
        key="web1/reach",
    ),
}
