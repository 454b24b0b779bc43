"""The lock on a login reads a text as the shell behind it does, whatever awk the host has."""

import hashlib
import os
import shlex
import subprocess
from pathlib import Path

from monitord.transports import runner
from monitord.transports.ssh import COMMAND
from tests.world.needs import requires

MARK = "@monitord-00"


def lock(folder: Path) -> Path:
    """Write a lock that lets a step be adopted, on a host whose awk is busybox's."""
    listed = hashlib.sha256(runner.wording("adopt")).hexdigest()
    lists = {
        "command": COMMAND,
        "most": "100000",
        "runner": hashlib.sha256(runner.program()).hexdigest(),
        "runner_first": runner.program().decode().partition("\n")[0],
        "orders": listed,
        "variables": "none_",
    }
    told = [f"{name}={shlex.quote(value)}" for name, value in lists.items()]
    told.append('awk() { busybox awk "$@"; }')
    template = Path(runner.__file__).with_name("locked.sh").read_text()
    path = folder / "locked"
    path.write_text(template.replace("#LISTS\n", "\n".join(told) + "\n"))
    return path


def ask(folder: Path, text: bytes) -> bytes:
    env = {**os.environ, "SSH_ORIGINAL_COMMAND": COMMAND, "HOME": str(folder), "LOGNAME": "kim"}
    argv = ["sh", str(lock(folder)), "act"]
    return subprocess.run(argv, input=text, env=env, capture_output=True, check=False).stdout


@requires("busybox")
def test_a_text_with_a_nul_is_refused(tmp_path: Path) -> None:
    """The awk of busybox ends a line at it, and the shell reads on behind it."""
    honest = runner.to_adopt(runner.Record("", "store", "9-9"), MARK, late=1)
    assert ask(tmp_path, honest) == f"{MARK} never\n".encode()
    hidden = honest.replace(b"mode='adopt'", b"mode='adopt'\0; echo taken over")
    said = ask(tmp_path, hidden)
    assert b"taken over" not in said
    assert b"refused: no text of monitord holds a NUL" in said
