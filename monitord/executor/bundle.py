"""An Ansible role that prepares hosts: accounts, keys locked to our scripts, exact sudoers. Pure.

It gives files by name; what is in them is derived from the catalog as for `sudoers` and
`locked-login`. It installs nothing of monitord itself: hosts need none.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from monitord.executor import locked, sudoers
from monitord.model.catalog import Catalog, Host
from monitord.model.kinds import Kinds

ROLE = "roles/monitord"
_LOCKED = "/usr/local/lib/monitord-locked"
_README = """\
# Hosts of the group {group}, made ready for monitord

Written by `monitord bundle {group}`; write it again when checks or ladders change.

    ansible-playbook -i inventory.ini site.yml --check --diff     # see
    ansible-playbook -i inventory.ini site.yml                    # do

It makes the accounts that monitord logs in as, lets in its public keys with a forced command that
takes monitord's own scripts alone, and gives the acting account the sudo lines of its ladders, to
the argument. Needed there: sudo, where a ladder needs root.
"""


def role(
    catalog: Catalog,
    group: str,
    hosts: Iterable[Host],
    kinds: Kinds,
    keys: Mapping[str, str],
) -> tuple[dict[str, str], list[str]]:
    """Give the files of the folder, and what a person should know.

    `keys` maps the path of a login's key to its public key, one line.
    """
    files = {"site.yml": _yaml([_play()]), "README.md": _README.format(group=group)}
    files[f"{ROLE}/tasks/main.yml"] = _yaml(_tasks())
    files[f"{ROLE}/meta/main.yml"] = _yaml(_meta())
    notes, lines = [], ["[monitord]"]
    for host in hosts:
        login = host.login.read
        if host.login.kind != "ssh" or login is None:
            notes.append(f"{host.name} is left out: it has no SSH login")
            continue
        lines.append(f"{host.name} ansible_host={host.address} ansible_port={login.port}")
        allowed = sudoers.privileges(catalog, host, kinds)
        notes.extend(f"{host.name}: not allowed: {gap.what}: {gap.cure}" for gap in allowed.gaps)
        has_sudo = bool(allowed.allowed)
        variables = {"monitord_accounts": _accounts(host, keys), "monitord_sudo": has_sudo}
        files[f"host_vars/{host.name}.yml"] = _yaml(variables)
        files[f"{ROLE}/files/{host.name}.locked"] = locked.lock(catalog, host, kinds)
        if has_sudo:
            text = "\n".join(sudoers.lines(allowed))
            files[f"{ROLE}/files/{host.name}.sudoers"] = f"{text}\n"
    files["inventory.ini"] = "\n".join([*lines, ""])
    return files, notes


def _accounts(host: Host, keys: Mapping[str, str]) -> list[dict[str, str]]:
    """Give each account with the one line of its authorized_keys."""
    read, act = host.login.read, host.login.act
    found = []
    for line in locked.keys(host):
        user, _, rest = line.partition(") ")
        name = user.removeprefix("(")
        used = read if read is not None and name == read.user else act
        key = keys[used.key if used else ""]
        found.append({"name": name, "key": f"{rest.removesuffix('KEY')}{key}"})
    return found


def _play() -> dict[str, Any]:
    return {"name": "Make hosts ready", "hosts": "monitord", "become": True, "roles": ["monitord"]}


def _meta() -> dict[str, Any]:
    about = {
        "author": "monitord",
        "description": "Accounts, keys and sudo for monitord",
        "license": "proprietary",
        "min_ansible_version": "2.14",
    }
    return {"galaxy_info": about, "dependencies": []}


def _tasks() -> list[dict[str, Any]]:
    root = {"owner": "root", "group": "root"}
    home = "~{{ item.name }}/.ssh"
    own = {"owner": "{{ item.name }}"}
    folder = {"path": home, "state": "directory", "mode": "0700", **own}
    keys = {"dest": f"{home}/authorized_keys", "content": "{{ item.key }}\n", "mode": "0600"}
    lock = {"src": "{{ inventory_hostname }}.locked", "dest": _LOCKED, "mode": "0644", **root}
    rules = {"src": "{{ inventory_hostname }}.sudoers", "dest": "/etc/sudoers.d/monitord", **root}
    gone = {"path": "/etc/sudoers.d/monitord", "state": "absent"}
    user = {"name": "{{ item.name }}", "shell": "/bin/sh", "system": True, "password": "*"}
    return [
        {"name": "The forced command of the logins", "ansible.builtin.copy": lock},
        {"name": "The accounts", "ansible.builtin.user": user, **_each()},
        {"name": "Their folder of keys", "ansible.builtin.file": folder, **_each()},
        {"name": "The one key of each", "ansible.builtin.copy": {**keys, **own}, **_each()},
        {
            "name": "What the acting account may do as root",
            "ansible.builtin.copy": {**rules, "mode": "0440", "validate": "visudo -cf %s"},
            "when": "monitord_sudo",
        },
        {
            "name": "Nothing as root where no ladder needs it",
            "ansible.builtin.file": gone,
            "when": "not monitord_sudo",
        },
    ]


def _each() -> dict[str, Any]:
    return {"loop": "{{ monitord_accounts }}", "loop_control": {"label": "{{ item.name }}"}}


def _yaml(value: Any) -> str:
    return "---\n" + yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
