"""Runs monitord-web as a process: `python -m tests.web.web_process STATE_DIR ADDRESS JOB…`."""

from __future__ import annotations

import sys

from monitord.log import configure
from monitord.model.catalog import Settings
from monitord.web import run
from tests.api.fake_rows import SOURCES

if __name__ == "__main__":
    configure("info")
    state, address, *jobs = sys.argv[1:]
    settings = Settings("test", "lab", observe=False, state=state, store="", web=address)
    sys.exit(run(settings, jobs, SOURCES))
