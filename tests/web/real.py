"""A whole monitord as a person starts it, `monitord run`: core, executor and monitord-web."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, Protocol

import psutil
import yaml

from monitord.control import Core, CoreDownError, CoreSaysNoError
from tests.api.cores import ROOT
from tests.world.process import Peer, answers, free_port


class HasClient(Protocol):
    """What can be asked and told."""

    @property
    def client(self) -> Core: ...


class Served(Protocol):
    """A console on a port of this machine, and the core behind it."""

    port: int

    @property
    def core(self) -> HasClient: ...


class Whole(Peer):
    """The three processes over a configuration; `client` may all."""

    name = "whole"

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        super().__init__()
        self.port = free_port()
        self.state = self.folder / "var"
        file = self.folder / "monitord.yaml"
        address = f"127.0.0.1:{self.port}"
        whole = {"state": str(self.state), "web": address, **configuration}
        file.write_text(yaml.safe_dump(whole, sort_keys=False), encoding="utf-8")
        self.client = Core(self.state / "core.sock", timeout=20)
        self.argv = [sys.executable, "-m", "monitord", "run", "--config", str(file)]
        self.environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}

    @property
    def core(self) -> Whole:
        """Itself: a console's tests ask for the core behind it."""
        return self

    def is_ready(self) -> bool:
        """Whether the core answers and the console can be opened."""
        try:
            self.client.get("/healthz")
        except (CoreDownError, CoreSaysNoError):
            return False
        return answers(self.port)

    def process(self, name: str) -> psutil.Process:
        """Give one of the three: executor, core, web."""
        for child in psutil.Process(self.pid).children():
            if name in child.cmdline()[:4]:
                return child
        raise LookupError(f"{name} does not run: {self.last_words()}")
