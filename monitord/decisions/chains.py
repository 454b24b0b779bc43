"""Chains: when a run starts, which links may begin, what is late, and what will be missed. Pure.

Days come from the house's calendars, times from the chain's zone: a time that the clock jumps over
is the first moment after it, a doubled one its first. A failed link holds up what stands behind it,
which waits and has not failed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from statistics import median
from typing import Any

from monitord.decisions.calendars import instant_of, open_periods, wall_time, zone_of
from monitord.model.calendar import Calendar
from monitord.model.catalog import Catalog
from monitord.model.chain import (
    BROKEN,
    PASSED,
    Chain,
    ChainRecord,
    ChainRun,
    Job,
    Link,
    LinkStatus,
    RunStatus,
)
from monitord.model.ids import CheckKey, Instant
from monitord.model.result import Status

EARLY = timedelta(minutes=15)
"""How long before its time a run may be begun by a job that others start."""

_LONGEST_GAP = 400  # days without a start that are looked ahead
_S = LinkStatus
Finding = tuple[Status, str]


@dataclass(frozen=True, slots=True)
class Night:
    """One run to come: its business date, when it starts, and by when it must be done."""

    date: str
    starts: Instant
    done_by: Instant


def of_catalog(catalog: Catalog) -> dict[CheckKey, Chain]:
    """Give the chains of a catalog; the zone of a calendar is that of a chain which says none."""
    found: dict[CheckKey, Chain] = {}
    for key, check in catalog.checks.items():
        if check.kind == "chain":
            spec: Any = check.spec
            found[key] = spec.chain(key, catalog.calendars[spec.days].zone)
    return found


def nights(chain: Chain, calendar: Calendar, since: Instant) -> Iterator[Night]:
    """Give the runs that start after `since`, in order; none is over a year away.

    A day is one of the chain's when its calendar is open at any time of it.
    """
    zone = zone_of(chain.timezone)
    first = wall_time(zone, since).date() - timedelta(days=1)
    for ahead in range(_LONGEST_GAP):
        day = first + timedelta(days=ahead)
        midnight = datetime.combine(day, time())
        starts = instant_of(zone, midnight + timedelta(minutes=chain.starts))
        tomorrow = midnight + timedelta(days=1)
        whole = instant_of(zone, midnight), instant_of(zone, tomorrow)
        if starts <= since or not open_periods(calendar, *whole):
            continue
        end = midnight if chain.done_by > chain.starts else tomorrow
        done_by = instant_of(zone, end + timedelta(minutes=chain.done_by))
        yield Night(day.isoformat(), starts, done_by)


def following(
    chain: Chain, calendar: Calendar, since: Instant, now: Instant
) -> tuple[list[Night], Night | None]:
    """Give the runs after `since` that are missed for good, and the one that is next.

    Of several whose time has passed only the newest is still run.
    """
    missed: list[Night] = []
    chosen: Night | None = None
    for night in nights(chain, calendar, since):
        if chosen is not None and night.starts > now:
            break
        if chosen is not None:
            missed.append(chosen)
        chosen = night
        if night.starts > now:
            break
    return missed, chosen


def ready(chain: Chain, links: Sequence[Link]) -> list[Job]:
    """Give the jobs that wait and have nothing unfinished before them, in the order written."""
    status = {link.name: link.status for link in links}
    return [
        job
        for job in chain.jobs.values()
        if status.get(job.name) is _S.WAITING
        and all(status.get(name, _S.SKIPPED) in PASSED for name in job.after)
    ]


def is_over(links: Sequence[Link]) -> bool:
    """Tell whether every link is done or skipped."""
    return all(link.status in PASSED for link in links)


def may_rerun(chain: Chain, links: Sequence[Link]) -> Link | str:
    """Give the failed link that may run again by itself, or why none may."""
    bad = [link for link in links if link.status in BROKEN]
    if not bad:
        return "no link has failed"
    if len(bad) > 1:
        return f"{', '.join(link.name for link in bad)} have failed: a person decides which first"
    (link,) = bad
    job = chain.jobs.get(link.name)
    if link.status is _S.INTERRUPTED:
        return f"nobody knows how {link.name} ended: a person must look before it runs again"
    if job is None or not job.run:
        return f"{link.name} is started by others: it can only be run again where it is started"
    if job.rerun == "never":
        return f"{link.name} never runs again by itself (rerun: never)"
    return link


def usual(job: Job, measured: Mapping[str, float]) -> timedelta | None:
    """Give how long a job takes: as measured, else the middle of what was said; None: unknown."""
    if job.name in measured:
        return timedelta(seconds=measured[job.name])
    if job.most is not None:
        return (job.most + (job.least or job.most)) / 2
    return None


def measured(times: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Give the median of each link's measured seconds."""
    return {name: median(values) for name, values in times.items() if values}


def ends_at(chain: Chain, record: ChainRecord, now: Instant) -> Instant:
    """Give when the run will be done, if everything that is left takes as long as usual.

    What nobody has measured or told takes no time here: the answer is then the earliest.
    """
    start = now if record.run is None else max(now, record.run.starts)
    return max(forecast(chain, record, now).values(), default=start)


def forecast(chain: Chain, record: ChainRecord, now: Instant) -> dict[str, Instant]:
    """Give when each link has ended or will; as `ends_at`."""
    rows = {link.name: link for link in record.links}
    start = now if record.run is None else max(now, record.run.starts)
    ends: dict[str, Instant] = {}
    for name, job in chain.jobs.items():  # in an order in which each stands behind what it needs
        link, takes = rows.get(name), usual(job, record.usual) or timedelta()
        behind = max((ends[other] for other in job.after if other in ends), default=start)
        if link is not None and link.status in PASSED:
            ends[name] = link.ended or start
        elif link is not None and link.status is _S.RUNNING and link.started is not None:
            ends[name] = max(now, _later(link.started, takes))
        else:
            ends[name] = _later(max(behind, start), takes)
    return ends


def judge(chain: Chain, record: ChainRecord, now: Instant) -> list[Finding]:
    """Give what is wrong with a chain now; nothing where it waits for its night or goes well."""
    run = record.run
    if run is None or run.status is not RunStatus.RUNNING:
        return []
    found = [
        finding
        for link in record.links
        for finding in _of_link(chain.jobs.get(link.name), link, chain, record.links, now)
    ]
    return [*found, *_of_time(chain, record, run, now)]


def _of_link(
    job: Job | None, link: Link, chain: Chain, links: Sequence[Link], now: Instant
) -> Iterator[Finding]:
    if link.status is _S.FAILED:
        why = "" if link.exit_code is None else f" with exit code {link.exit_code}"
        yield Status.CRITICAL, f"{link.name} failed{why}{_behind(link.name, chain, links)}"
    elif link.status is _S.INTERRUPTED:
        text = f"nobody knows how {link.name} ended: look, then rerun or skip it"
        yield Status.CRITICAL, text + _behind(link.name, chain, links)
    elif job is not None and link.started is not None:
        yield from _of_duration(job, link, link.started, now)


def _of_duration(job: Job, link: Link, started: Instant, now: Instant) -> Iterator[Finding]:
    if link.status is _S.RUNNING and job.most is not None and _between(started, now) > job.most:
        yield (
            Status.CRITICAL,
            f"{job.name} still runs after {show(_between(started, now))} (limit {show(job.most)})",
        )
    if link.status is not _S.DONE or link.ended is None:
        return
    took = _between(started, link.ended)
    if job.most is not None and took > job.most:
        yield Status.WARNING, f"{job.name} took {show(took)} (limit {show(job.most)})"
    if job.least is not None and took < job.least:
        text = f"{job.name} took only {show(took)}, too little to have done its work"
        yield Status.WARNING, f"{text} (at least {show(job.least)})"


def _of_time(chain: Chain, record: ChainRecord, run: ChainRun, now: Instant) -> Iterator[Finding]:
    goal = clock_of(chain, run.done_by)
    if now >= run.done_by:
        yield Status.CRITICAL, f"not done by {goal}: {_left(record.links)}"
        return
    late = _between(run.done_by, ends_at(chain, record, now))
    if late >= timedelta(minutes=1):
        yield Status.WARNING, f"will miss {goal} by {show(late)}: {_left(record.links)}"


def _left(links: Sequence[Link]) -> str:
    left = [f"{link.name} {_WORDS[link.status]}" for link in links if link.status not in PASSED]
    more = f" and {len(left) - 4} more" if len(left) > 4 else ""  # noqa: PLR2004 - a line of text
    return ", ".join(left[:4]) + more


_WORDS: Mapping[LinkStatus, str] = {
    _S.WAITING: "waits",
    _S.RUNNING: "runs",
    _S.FAILED: "failed",
    _S.INTERRUPTED: "is in doubt",
}


def _behind(name: str, chain: Chain, links: Sequence[Link]) -> str:
    """Say what waits for a link, directly or not."""
    held = {name}
    for job in chain.jobs.values():
        if held & set(job.after):
            held.add(job.name)
    waiting = [link.name for link in links if link.name in held and link.status is _S.WAITING]
    if not waiting:
        return ""
    return f"; {', '.join(waiting)} {'wait' if len(waiting) > 1 else 'waits'} for it"


def good(chain: Chain, record: ChainRecord, now: Instant) -> str:
    """Say how a chain of which nothing is wrong stands."""
    run = record.run
    if run is None:
        return "no day of its calendar is known"
    if run.status is RunStatus.WAITING:
        return f"next on {run.business_date} at {clock_of(chain, run.starts)}"
    done = sum(link.status in PASSED for link in record.links)
    held = f", held by {run.held_by}" if run.held else ""
    end = clock_of(chain, ends_at(chain, record, now))
    return f"{done} of {len(record.links)} done for {run.business_date}, ready about {end}{held}"


def clock_of(chain: Chain, at: Instant) -> str:
    """Give the wall time of an instant in the chain's zone, as HH:MM."""
    return wall_time(zone_of(chain.timezone), at).strftime("%H:%M")


def _later(start: Instant, wait: timedelta) -> Instant:
    return Instant(start + wait // timedelta(microseconds=1))


def _between(start: Instant, end: Instant) -> timedelta:
    return timedelta(microseconds=end - start)


def show(span: timedelta) -> str:
    """Give a time as people say it: 25 min, 1 h 05 min, 40 s."""
    seconds = int(span.total_seconds())
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
