"""Scripts of probes: rendered here, run as the login that reads, with secrets that stay ones."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.executor.core import Core, RefusalError
from tests.world.needs import requires
from tests.world.process import run_program

Start = Callable[..., Core]
HOST = """\
here:
    address: 127.0.0.1
    login: local
    checks: {{borg: {{backup: {{borg: {{repository: {repository}, passphrase: {secret}}}}}}}}}"""
PASSPHRASE = "correct horse battery"  # noqa: S105 - of a repository made here


@requires("borg")
def test_a_secret_reaches_the_tool_and_nobody_else(core: Start, tmp_path: Path) -> None:
    repository = tmp_path / "borg"
    run_program(["borg", "init", "-e", "repokey", str(repository)], BORG_PASSPHRASE=PASSPHRASE)
    argv = ["borg", "create", f"{repository}::{PASSPHRASE.partition(' ')[0]}", str(Path(__file__))]
    run_program(argv, BORG_PASSPHRASE=PASSPHRASE)
    host = HOST.format(repository=repository, secret="!secret env:BORG_SECRET")
    started = core(hosts=host, env={"BORG_SECRET": PASSPHRASE})
    left = started.ask("plugin", check="here/borg", timeout=30)
    assert '"name": "correct"' in left["stdout"], left["stderr"]
    assert PASSPHRASE not in str(left)


def test_a_secret_that_is_not_there_is_told_and_nothing_runs(core: Start) -> None:
    host = HOST.format(repository="/srv/borg", secret="!secret env:NOT_SET")
    with pytest.raises(RefusalError, match=r"NOT_SET.*not set") as caught:
        core(hosts=host).ask("plugin", check="here/borg", timeout=10)
    assert caught.value.type == "secret"
