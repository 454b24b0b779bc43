"""Runs monitord-web as a process: `python -m tests.web.web_process STATE_DIR ADDRESS JOB…`."""

from __future__ import annotations

import sys

from monitord.log import configure
from monitord.model.catalog import Settings
from monitord.model.inbound import Source
from monitord.web import run

if __name__ == "__main__":
    configure("info")
    state, address, *jobs = sys.argv[1:]
    settings = Settings("test", "lab", observe=False, state=state, store="", web=address)
    sources = {
        "prom": Source("prom", "alertmanager", token="a-token-of-the-test"),
        "signed": Source("signed", "results", hmac="a-key-of-the-test"),
    }
    sys.exit(run(settings, jobs, sources))
