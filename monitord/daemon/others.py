"""Starts the executor and the web process with what they need, and nothing more."""

import sys
from pathlib import Path

from monitord import config as configuration
from monitord import pings
from monitord.daemon.kinds import KINDS
from monitord.daemon.memory import resume
from monitord.daemon.places import prepare
from monitord.daemon.tied import configure_log


def run_executor(config: Path) -> int:
    """Serve the core's requests until told to stop."""
    from monitord import executor

    configure_log()
    settings = configuration.load(config, KINDS).settings
    state, run = prepare(settings)
    resume()
    return executor.run(config.absolute(), state=state, run=run, kinds=KINDS)


def run_web(config: Path) -> int:
    """Serve pings, health and metrics until told to stop."""
    from monitord.web.process import run

    configure_log()
    sys.setswitchinterval(0.0005)
    catalog = configuration.load(config, KINDS)
    jobs = list(pings.watched(catalog.checks))
    resume()
    return run(catalog.settings, jobs, catalog.inbound)
