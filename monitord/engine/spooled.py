"""Takes what was written into the spool while no core listened: job reports and inbound results.

A file goes once its report is stored; one that names nothing of ours is set aside as `*.bad`.
"""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from monitord import inbound_spool, pings
from monitord.errors import NotFoundError, StoreError
from monitord.log import get_logger
from monitord.model.ids import Instant
from monitord.model.inbound import Taken, Told

log = get_logger(__name__)


async def take_reports(folder: Path, now: Instant, take: Callable[..., Awaitable[None]]) -> None:
    """Take the reports of jobs; `take` is Engine.job_event (monitord/api/ports.py)."""
    for path, report in pings.spooled(folder, now=now):
        how = {name: getattr(report, name) for name in ("exit_code", "output", "at", "by")}
        try:
            await take(report.key, report.event, **how)
        except NotFoundError as error:
            _set_aside(path, error)
            continue
        except StoreError:
            return  # kept on disk; the next beat tries again
        path.unlink(missing_ok=True)


async def take_told(
    folder: Path, now: Instant, take: Callable[[str, Sequence[Told]], Awaitable[Taken]]
) -> None:
    """Take what inbound sources told."""
    for path, source, reports in inbound_spool.waiting(folder, now=now):
        try:
            await take(source, reports)
        except NotFoundError as error:
            _set_aside(path, error)
            continue
        except StoreError:
            return  # kept on disk; the next beat tries again
        path.unlink(missing_ok=True)


def _set_aside(path: Path, error: NotFoundError) -> None:
    log.warning("a spooled report is of nothing of ours", file=path.name, error=str(error))
    path.rename(path.with_suffix(".bad"))
