"""The files in which a test host differs from the machine: identity, accounts, keys, sshd.

They are laid into the overlay before the host boots; everything else is the machine's own.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED_UID = 4711
UNPRIVILEGED_USER = "monitord"

SSHD_CONFIG = """\
# A stock server with keys only; PAM is off because logind is not part of a test host.
Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
AcceptEnv LANG LC_*
Subsystem sftp internal-sftp
"""

TARGET = """\
[Unit]
Description=A monitord test host: the basic system and its way in
Requires=basic.target
After=basic.target
Wants=ssh.service
AllowIsolate=yes
"""

SYSTEM_CONF = """\
[Manager]
DefaultTimeoutStartSec=20s
DefaultTimeoutStopSec=5s
"""

JOURNALD_CONF = """\
[Journal]
Storage=volatile
RuntimeMaxUse=16M
RateLimitBurst=0
"""


MACHINE_LOGS = ("dpkg.log", "dpkg.log.1", "apt/history.log", "wtmp")


@dataclass(frozen=True)
class Identity:
    """What a host is: its name, address, who may log in, and what sudo allows them."""

    name: str
    address: str
    public_key: str
    sudoers: str


def lay_out(folder: Path, identity: Identity) -> None:
    """Write the host's own files below `folder`, to be copied over the overlay's upper layer."""
    home = f"home/{UNPRIVILEGED_USER}"
    for path, text, mode in [*_system_files(identity), *_account_files(identity)]:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(mode)
    for path in ("root", "root/.ssh", home, f"{home}/.ssh"):
        (folder / path).chmod(0o700)
    for path in (home, f"{home}/.ssh", f"{home}/.ssh/authorized_keys"):
        os.chown(folder / path, UNPRIVILEGED_UID, UNPRIVILEGED_UID)


def _system_files(identity: Identity) -> list[tuple[str, str, int]]:
    hosts = f"127.0.0.1 localhost\n{identity.address} {identity.name}\n"
    units = "etc/systemd/system"
    return [
        # init.sh refuses to boot a root without this file.
        ("etc/monitord-test-host", identity.name + "\n", 0o644),
        ("etc/hostname", identity.name + "\n", 0o644),
        ("etc/hosts", hosts, 0o644),
        ("etc/resolv.conf", "# no resolver: a lookup fails at once\n", 0o644),
        ("etc/machine-id", uuid.uuid4().hex + "\n", 0o444),
        ("etc/fstab", "", 0o644),
        ("etc/ssh/sshd_config", SSHD_CONFIG, 0o644),
        (f"{units}/monitord-test-host.target", TARGET, 0o644),
        ("etc/systemd/system.conf.d/test-host.conf", SYSTEM_CONF, 0o644),
        ("etc/systemd/journald.conf.d/test-host.conf", JOURNALD_CONF, 0o644),
        # What was done to the machine was not done to this host: it begins with empty logs.
        *((f"var/log/{log}", "", 0o644) for log in MACHINE_LOGS),
        ("var/log/auth.log", "", 0o640),
        # Heavy start-up files of the machine's root are no part of a test.
        ("root/.bashrc", "", 0o644),
        ("root/.profile", "", 0o644),
    ]


def _account_files(identity: Identity) -> list[tuple[str, str, int]]:
    user, uid = UNPRIVILEGED_USER, UNPRIVILEGED_UID
    rows = {
        "etc/passwd": (f"{user}:x:{uid}:{uid}::/home/{user}:/bin/sh\n", 0o644),
        "etc/group": (f"{user}:x:{uid}:\n", 0o644),
        # "*" and not "!": without PAM, sshd takes "!" for a locked account.
        "etc/shadow": (f"{user}:*:19000:0:99999:7:::\n", 0o640),
    }
    files = [(path, _without(path, user) + row, mode) for path, (row, mode) in rows.items()]
    key = identity.public_key + "\n"
    files += [(f"{home}/.ssh/authorized_keys", key, 0o600) for home in ("root", f"home/{user}")]
    if identity.sudoers:
        files.append((f"etc/sudoers.d/{user}", identity.sudoers.rstrip() + "\n", 0o440))
    return files


def _without(path: str, user: str) -> str:
    lines = Path("/", path).read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(f"{user}:"))
