"""How `monitord job run` reports: to the core, to a ping URL, or to the spool; and finding a job.

Nothing here raises towards the job: a report that nobody takes becomes one line on stderr.
"""

import getpass
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import asdict
from pathlib import Path
from typing import Any

from monitord.cli import places
from monitord.control import Core, CoreDownError, CoreSaysNoError
from monitord.errors import MonitordError, NotFoundError
from monitord.model.ids import Instant
from monitord.pings import Report, spool, tail

_PATIENCE = 3.0  # seconds that a report may take, so much later the next line of a script runs
_GONE = 404


class Reporter:
    """Tells of one run of one job. `url` is a ping URL; empty: the core on this machine."""

    def __init__(self, name: str, url: str) -> None:
        self._name, self._url = name, url.rstrip("/")
        self._starting: threading.Thread | None = None

    def started(self) -> None:
        """Report the start beside the job, which does not wait for it."""
        report = self._report("start")
        self._starting = threading.Thread(target=self._send, args=(report,), daemon=True)
        self._starting.start()

    def ended(self, exit_code: int, output: bytes) -> None:
        """Report the end, after the start."""
        if self._starting is not None:
            self._starting.join(_PATIENCE)
        event = "success" if exit_code == 0 else "fail"
        self._send(self._report(event, exit_code, tail(output)))

    def _report(self, event: str, exit_code: int | None = None, output: str = "") -> Report:
        at = Instant(time.time_ns() // 1000)
        return Report(self._name, event, at, exit_code, output, _me())

    def _send(self, report: Report) -> None:
        try:
            if self._url:
                _ping(self._url, report)
            else:
                _tell_core(report)
        except (MonitordError, OSError, KeyError) as error:
            sys.stderr.write(f"monitord: job {report.key} ({report.event}) not reported: {error}\n")


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in a container
        return f"uid:{os.getuid()}"


def _tell_core(report: Report) -> None:
    where = places.place()
    body = {name: value for name, value in asdict(report).items() if name != "by"}
    try:
        Core(where.socket, timeout=_PATIENCE).post("/v1/jobs/report", body)
    except CoreDownError:
        spool(where.state / "spool", report)
    except CoreSaysNoError as error:
        if error.status == _GONE:
            raise
        spool(where.state / "spool", report)


def _ping(url: str, report: Report) -> None:
    last = "start" if report.event == "start" else str(report.exit_code)
    request = urllib.request.Request(  # noqa: S310 - the scheme is tested below
        f"{url}/{last}", data=report.output.encode(), method="POST"
    )
    if request.type not in ("http", "https"):
        raise CoreDownError(f"{url} is not an http or https URL")
    try:
        urllib.request.urlopen(request, timeout=_PATIENCE).close()  # noqa: S310 - as above
    except urllib.error.HTTPError as error:
        error.close()
        raise CoreDownError(f"{url} answered {error.code}") from error


def one(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Give the row of a job by key or unique name.

    Raises:
        NotFoundError: no such job, or several.
    """
    from difflib import get_close_matches

    found = [row for row in rows if name in (row["key"], row["key"].partition("/")[2])]
    if len(found) == 1:
        return found[0]
    keys = [row["key"] for row in found or rows]
    near = ", ".join(get_close_matches(name, keys, n=3, cutoff=0.1) or keys[:3])
    which = "is a job on several hosts" if found else "is no job"
    raise NotFoundError(f"{name!r} {which}; use one of: {near or 'none is configured'}")


def from_files(view: Any) -> dict[str, Any]:
    """Give what GET /v1/jobs gives, from the files and the database.

    Raises:
        NotFoundError: the files that lie here are another monitord's than the one that is asked.
    """
    from monitord.api import shapes
    from monitord.cli.composed import load
    from monitord.pings import read_secret, token, watched

    file = places.config()
    catalog = load(file)
    meant = places.place().state
    if Path(catalog.settings.state).resolve() != meant.resolve():
        raise NotFoundError(
            f"no core answers for {meant}, and {file} is not its configuration; start the core, "
            "or name the file with --config"
        )
    secret = read_secret(Path(catalog.settings.state))
    states = shapes.by_check(view.states())
    jobs = [
        {
            "key": key,
            "status": shapes.status_of_job(states, key),
            "ping": f"/ping/{token(secret, key)}",
            "record": shapes.job(shapes.job_of(view, key)),
        }
        for key in watched(catalog.checks)
    ]
    return {"jobs": jobs, "base": f"http://{catalog.settings.web}"}
