"""Runs monitord-web as a process: `python -m tests.web.web_process STATE_DIR ADDRESS JOB…`.

PROXY in the environment is the network of the proxies that are believed.
"""

from __future__ import annotations

import os
import sys

from monitord.log import configure
from monitord.model.catalog import Settings
from monitord.web import run
from tests.api.fake_rows import SOURCES

if __name__ == "__main__":
    configure("info")
    state, address, *jobs = sys.argv[1:]
    proxy = os.environ.get("PROXY", "")
    settings = Settings(
        "test",
        "lab",
        observe=False,
        state=state,
        store="",
        web=address,
        trusted_proxy=(proxy,) if proxy else (),
    )
    sys.exit(run(settings, jobs, SOURCES))
