"""What the tests of scripts that look share: a real shell runs them, as the executor does."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

from monitord.executor.scripts import with_environment, word
from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import ScriptProbe, Target
from monitord.model.result import Result
from monitord.probes import PROBES

START = 1_790_000_000
_WORD = "0a1b2c3d-0000-4000-8000-000000000000"
Run = Callable[[str], PluginOutput]


def answer(*frames: str) -> PluginOutput:
    """Give an answer of these frames, as look.sh would have framed them."""
    text = "".join(f"\n{_WORD} {frame}\n" for frame in (*frames, "done"))
    return PluginOutput(0, f"\nmonitord-look 1 {_WORD}\n{text}", "")


def shell(*argv: str, path: str = "", user: str = "", env: Mapping[str, str] | None = None) -> Run:
    """Give a way to feed a script to this shell; `path` is all that its tools are found in."""

    def run(text: str) -> PluginOutput:
        done = subprocess.run(
            argv or ("sh",),
            input=text.encode(),
            capture_output=True,
            check=False,
            env={"PATH": path or os.environ["PATH"], "HOME": "/", **(env or {})},
            timeout=60,
            user=user or None,
            extra_groups=[] if user else None,
        )
        out, err = (stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr))
        return PluginOutput(done.returncode, out, err)

    return run


class Watch:
    """One check that is looked at again and again: its memory goes through JSON as in the store."""

    def __init__(self, kind: str, given: Mapping[str, Any], run: Run | None = None) -> None:
        probe = PROBES[kind]
        assert isinstance(probe, ScriptProbe)
        self.probe = probe
        self.spec = probe.spec.model_validate(dict(given))
        self.run = run or shell("dash")
        self.memory: dict[str, Mapping[str, Any]] = {}
        self.now = START

    def looks(self, after: int = 60) -> dict[str, Result]:
        """Look `after` seconds later; gives the results by item and keeps what they remember."""
        self.now += after
        target = Target("web1", "", json.loads(json.dumps(self.memory)), 60)
        text = with_environment(self.probe.script(self.spec, target).text, {}).decode()
        if self.probe.since is not None:
            text = f"since='{word(self.probe.since(target))}'\n{text}"
        return self.judged(self.run(text), target)

    def judged(self, output: PluginOutput, target: Target | None = None) -> dict[str, Result]:
        """Judge what a script left."""
        target = target or Target("web1", "", json.loads(json.dumps(self.memory)), 60)
        found = self.probe.judge(self.spec, output, target, Instant(self.now * 1_000_000))
        by_item = {result.item: result for result in found}
        assert len(by_item) == len(found), "one result per item"
        self.memory |= {item: one.memory for item, one in by_item.items() if one.memory}
        return by_item

    def look(self, after: int = 60) -> Result:
        """Look, where there are no items."""
        return self.looks(after)[""]
