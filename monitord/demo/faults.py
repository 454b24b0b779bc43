"""The faults of the demo, in their order: what is told, what is really broken, how it must end.

A fault breaks something with ordinary commands and then keeps its hands off; it knows nothing of
how it is found and repaired.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from monitord.demo import DemoError
from monitord.demo.shop import Shop

_TAR = 10.0  # seconds within which the nightly job must have come to its archive
_LOOK = 0.05


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `key` is the check that must find it.

    `rungs` are the runbooks that must be tried, in order; `repaired` tells whether the last of them
    helps, or a ticket ends it.
    """

    name: str
    title: str
    story: str
    key: str
    strike: Callable[[Shop], None]
    rungs: tuple[str, ...]
    repaired: bool = True


def _kill_the_worker(shop: Shop) -> None:
    shop.do(f"kill -9 {shop.pid('worker')}  # the worker")


def _kill_the_backup(shop: Shop) -> None:
    state = ["--state", str(shop.state)]
    wrapped = [sys.executable, "-m", "monitord", *state, "job", "run", "nightly-job", "--"]
    job = shop.do_aside([*wrapped, *shop.backup()])
    deadline = time.monotonic() + _TAR
    while (tar := _child(job.pid, "tar")) is None:
        if job.poll() is not None or time.monotonic() > deadline:
            raise DemoError("the nightly job has ended before it could be killed")
        time.sleep(_LOOK)
    shop.do(f"kill -9 {tar}  # its tar; the kernel does that when memory is short")
    job.wait()


def _child(pid: int, name: str) -> int | None:
    try:
        children = psutil.Process(pid).children(recursive=True)
        return next((child.pid for child in children if child.name() == name), None)
    except psutil.NoSuchProcess:
        return None


def _delete_the_web_root(shop: Shop) -> None:
    shop.do(f"rm -r {shop.folder}/srv/www")


def _lose_the_licence(shop: Shop) -> None:
    shop.do(f"rm {shop.folder}/srv/billing/licence.key")


FAULTS = (
    Fault(
        "program-killed",
        "A program is killed",
        "The worker dies. Supervisor was told not to start it again by itself.",
        "localhost/worker",
        _kill_the_worker,
        ("restart-program",),
    ),
    Fault(
        "job-failed",
        "The nightly job fails",
        "The backup runs under a dead-man's switch, and is killed half-way.",
        "localhost/nightly-job",
        _kill_the_backup,
        ("rerun-job",),
    ),
    Fault(
        "web-root-deleted",
        "The web root is deleted",
        "The server runs and has nothing left to serve: a restart cannot help. The ladder has "
        "a second rung: restore last night's backup.",
        "localhost/site",
        _delete_the_web_root,
        ("restart-program", "restore-files"),
    ),
    Fault(
        "licence-lost",
        "A fault that nothing here can repair",
        "Billing loses its licence and stops. A restart cannot help, and the backup leaves "
        "licences out. It must end with a person, who gets all that is known.",
        "localhost/billing",
        _lose_the_licence,
        ("restart-program", "restore-files"),
        repaired=False,
    ),
)
