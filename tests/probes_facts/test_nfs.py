"""A mounted share as a host's own shell sees it. The kernel may have no NFS: a tmpfs stands in.

What is real: the mount table, the reading, and a file that never answers (a FIFO).
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from pydantic import ValidationError

from monitord.model.facts import PluginOutput
from monitord.model.result import Cause, Result, Status
from monitord.probes.host.nfs import NfsSpec
from tests.probes_facts.looking import Watch, answer, shell
from tests.world.needs import requires


def look(before: str = "", **given: Any) -> Result:
    """Look at a share in a mount namespace of its own, `before` being done to it."""
    settings = {"mount": "/mnt/share", "file": "probe.txt", "types": ["tmpfs"], "within": "1s"}

    def inside(text: str) -> PluginOutput:
        folder = "mount -t tmpfs none /mnt && mkdir /mnt/share"
        made = (
            f"{folder} && mount -t tmpfs srv:/share /mnt/share && echo alive >/mnt/share/probe.txt"
        )
        return shell("unshare", "--mount", "sh")(f"{made}\n{before}\n{text}")

    return Watch("nfs", {**settings, **given}, inside).look()


@requires("root")
@pytest.mark.parametrize(
    ("before", "given", "status", "told"),
    [("", {"contains": "alive"}, "OK", "/mnt/share: probe.txt read, tmpfs from srv:/share"),
     ("umount /mnt/share", {}, "CRITICAL", "nothing is mounted there, expected tmpfs"),
     ("", {"types": ["nfs", "nfs4"]}, "CRITICAL", "a tmpfs is mounted there, expected nfs or nfs4"),
     ("rm /mnt/share/probe.txt", {}, "CRITICAL", "cannot be read: head: cannot open"),
     ("", {"contains": "well"}, "CRITICAL", 'has no "well"; it begins "alive"'),
     ("rm /mnt/share/probe.txt; mkfifo /mnt/share/probe.txt", {}, "CRITICAL",
      "was not read within 1s: srv:/share does not answer, and whoever looks at the mount hangs")],
)  # fmt: skip
def test_a_share(before: str, given: dict[str, Any], status: str, told: str) -> None:
    result = look(before, **given)
    assert result.status.name == status, result.summary
    assert told in result.summary


def test_a_file_that_we_may_not_read_is_our_own_matter() -> None:
    watched = Watch("nfs", {"mount": "/srv/a", "file": "b"})
    said = answer("mounted nfs4 srv:/a", "begin file", "end file 1")
    refused = PluginOutput(0, said.stdout, f"head: cannot open b: {os.strerror(13)}")
    result = watched.judged(refused)[""]
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)
    stale = PluginOutput(0, said.stdout, "head: cannot open b: Stale file handle")
    result = watched.judged(stale)[""]
    assert result.summary == "/srv/a: b cannot be read: head: cannot open b: Stale file handle"


@pytest.mark.parametrize(
    ("given", "told"),
    [({"mount": "srv"}, "is not a mount point"), ({"file": "../etc/shadow"}, "is not a file below"),
     ({"within": "5m"}, "is not between 1s and 1m")],
)  # fmt: skip
def test_mistakes_are_told(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        NfsSpec.model_validate({"mount": "/srv/a", "file": "b", **given})
    assert told in str(raised.value)
