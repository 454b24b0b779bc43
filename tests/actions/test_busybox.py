"""What a script says can be read where a small host has nothing but busybox."""

import os
import subprocess
from pathlib import Path

import pytest

from monitord.actions import ACTIONS
from monitord.model.effect import Command, StepContext
from tests.world.needs import requires

KIND = ACTIONS["ready"]


@requires("busybox", "root")
@pytest.mark.parametrize(
    ("owner", "sentence"),
    [
        ("nobody", "{folder} belongs to root, not to nobody\n"),
        ("root", "{folder}/./a b does not belong to root\n"),
    ],
)
def test_its_tr_knows_no_classes_of_characters(tmp_path: Path, owner: str, sentence: str) -> None:
    tools, folder = tmp_path / "bin", tmp_path / "data"
    for made in (tools, folder):
        made.mkdir()
    for applet in subprocess.check_output(["busybox", "--list"], text=True).split():
        (tools / applet).symlink_to("/bin/busybox")
    (folder / "a b").touch()
    os.chown(folder / "a b", 65534, 65534)
    written = KIND.spec.model_validate({"folder": str(folder), "owner": owner})
    effect = KIND.render(written, StepContext("web1", "10.0.0.1"))
    assert isinstance(effect, Command)
    argv, given = ["/bin/busybox", *effect.argv], effect.stdin.encode()
    done = subprocess.run(argv, env={"PATH": str(tools)}, input=given, capture_output=True)  # noqa: PLW1510 - exit 1 says what stands in the way
    assert done.stdout.decode() == sentence.format(folder=folder)
