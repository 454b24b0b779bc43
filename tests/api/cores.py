"""Starts and ends `fake_core` as a process of its own, for tests of what talks to the core."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from monitord.control import Core
from tests.world.process import Peer

ROOT = Path(__file__).parents[2]


class FakeCore(Peer):
    """A context manager: `state` is its folder, `client` a client, `calls()` what it was told."""

    name = "core"

    def __init__(self, *, uvloop: bool = False) -> None:
        super().__init__()
        self.state = self.folder / "var"
        self.state.mkdir()
        (self.state / "spool").mkdir()
        self.socket = self.state / "core.sock"
        self.client = Core(self.socket, timeout=10)
        self.argv = [sys.executable, "-m", "tests.api.fake_core", str(self.state)]
        self.environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
        if uvloop:
            self.environment = {**self.environment, "FAKE_CORE_UVLOOP": "1"}

    def is_ready(self) -> bool:
        """Whether the socket answers."""
        try:
            self.client.get("/healthz")
        except Exception:  # noqa: BLE001 - not yet
            return False
        return True

    def calls(self, what: str = "") -> list[dict[str, Any]]:
        """What the engine was told to do, oldest first."""
        path = self.state / "calls.jsonl"
        if not path.exists():
            return []
        every = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [call for call in every if not what or call["call"] == what]
