"""What monitord counts of itself, and the Prometheus text of it, made only when somebody asks.

The engine bumps plain numbers (`counters.checks_run += 1`); nothing else here is touched on the hot
path. No series per check unless asked for. It decides nothing, reads no clock and no database.
"""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from monitord import __version__
from monitord.decisions.ledger import Line
from monitord.model.kinds import Health
from monitord.model.result import Status
from monitord.model.state import CheckState

START_DELAYS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)
COMMIT_TIMES = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0, 10.0)


class Timing:
    """A histogram of seconds: one count per bucket and a sum. `observe` costs a bisection."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration; a bound belongs to its own bucket, as Prometheus has it."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def cumulated(self) -> list[tuple[str, float]]:
        """Give (upper bound, how many at or below it), the last being `+Inf`."""
        seen, rows = 0, []
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            seen += count
            rows.append((bound, float(seen)))
        return rows


@dataclass(slots=True)
class Counters:
    """The numbers of one core process since its start. The engine writes, the collector reads.

    Lists are indexed by `Status`; tallies by a fixed word (an outcome, a guard's name, a backend),
    never by a target's text. Gauges (`queue`, `running`, `executor_up`, …) hold the newest value.
    """

    started: float = 0.0  # seconds since the epoch, for uptime
    epoch: int = 0
    catalog: str = ""
    queue: int = 0
    running: int = 0
    executor_up: bool = False
    store_up: bool = True
    checks_run: int = 0
    checks_late: int = 0
    overlaps_refused: int = 0
    probe_timeouts: int = 0
    probe_errors: int = 0
    transitions: int = 0
    clock_steps: int = 0
    executor_reconnects: int = 0
    store_errors: int = 0
    history_written: int = 0
    history_dropped: int = 0
    history_bytes: int = 0
    history_seconds: float = 0.0
    history_waiting: int = 0
    history_lag: float = 0.0
    results: list[int] = field(default_factory=lambda: [0] * len(Status))
    start_delay: Timing = field(default_factory=lambda: Timing(START_DELAYS))
    commit: Timing = field(default_factory=lambda: Timing(COMMIT_TIMES))
    attempts: Tally[str] = field(default_factory=Tally)  # by outcome
    refusals: Tally[str] = field(default_factory=Tally)  # by guard
    tickets: Tally[str] = field(default_factory=Tally)  # opened, by tier
    delivered: Tally[str] = field(default_factory=Tally)  # by backend
    undelivered: Tally[str] = field(default_factory=Tally)  # failed tries, by backend
    notices: Tally[str] = field(default_factory=Tally)  # people told, by kind of way
    unnoticed: Tally[str] = field(default_factory=Tally)  # failed tries, by kind of way
    reloads: Tally[str] = field(default_factory=Tally)  # ok, failed
    job_events: Tally[str] = field(default_factory=Tally)  # start, success, fail
    inbound: Tally[str] = field(default_factory=Tally)  # taken, unknown


@dataclass(frozen=True, slots=True)
class Rows:
    """What only the database knows, counted by somebody who read it. Ages are seconds."""

    incidents: Mapping[str, int] = field(default_factory=dict)
    tickets: Mapping[str, int] = field(default_factory=dict)
    orders: Mapping[str, int] = field(default_factory=dict)
    outbox_pending: int = 0
    outbox_dead: int = 0
    outbox_age: float = 0.0
    runbooks: Sequence[Line] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything one scrape shows. `rows` is None when the database did not answer."""

    counters: Counters
    states: Sequence[CheckState]
    hosts: int
    checks: int
    health: Health
    rows: Rows | None
    instance: str = ""
    per_check: bool = False


def render(snapshot: Snapshot) -> bytes:
    """Give the Prometheus text of a snapshot (format 0.0.4, UTF-8)."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(snapshot))
    return generate_latest(registry)


class _Snapshot(Collector):
    """Hands prometheus-client the families of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """Give every family once."""
        shown = self._snapshot
        yield from _process(shown)
        yield from _checking(shown.counters)
        yield from _states(shown.states)
        yield from _repairing(shown.counters)
        yield from _database(shown.counters, shown.rows)
        yield from _history(shown.counters)
        if shown.per_check:
            yield from _each_check(shown.states)


def _process(shown: Snapshot) -> Iterator[Metric]:
    counters, health = shown.counters, shown.health
    labels = {"version": __version__, "instance": shown.instance, "catalog": counters.catalog[:12]}
    yield InfoMetricFamily("monitord_build", "Version, instance and catalog.", labels)
    yield _gauge("start_time_seconds", "When the core started.", counters.started)
    yield _gauge("epoch", "The fencing epoch of this core.", counters.epoch)
    yield _gauge("hosts", "Hosts in the catalog.", shown.hosts)
    yield _gauge("checks", "Checks in the catalog.", shown.checks)
    yield _gauge("loop_lag_seconds", "How late the event loop woke up last.", health.lag)
    yield _gauge("resident_memory_bytes", "Memory of the core.", health.rss)
    yield _gauge("open_descriptors", "File descriptors of the core.", health.descriptors)
    yield _gauge("problems", "Sentences that its own health holds.", len(health.problems))
    yield _gauge("executor_up", "1 while the executor answers.", counters.executor_up)
    yield _count("executor_reconnects", "Times it was lost.", counters.executor_reconnects)
    yield _count("clock_steps", "Steps of the wall clock noticed.", counters.clock_steps)
    yield _tally("reloads", "Reloads of the configuration.", "outcome", counters.reloads)


def _checking(counters: Counters) -> Iterator[Metric]:
    yield _count("checks_run", "Probe runs finished.", counters.checks_run)
    yield _count("checks_late", "Probe runs started a whole interval late.", counters.checks_late)
    yield _count("overlaps_refused", "Due while still running.", counters.overlaps_refused)
    yield _count("probe_timeouts", "Probe runs cut off.", counters.probe_timeouts)
    yield _count("probe_errors", "Probe runs that met a bug of ours.", counters.probe_errors)
    yield _count("transitions", "Changes of a hard state.", counters.transitions)
    yield _gauge("checks_queued", "Due and not started.", counters.queue)
    yield _gauge("checks_running", "Started and not finished.", counters.running)
    by_status = {Status(at).name.lower(): count for at, count in enumerate(counters.results)}
    yield _tally("results", "Results by status.", "status", by_status)
    yield _tally("job_events", "Reports of jobs.", "event", counters.job_events)
    yield _tally("inbound", "Results that others sent.", "outcome", counters.inbound)
    yield _timing("check_start_delay_seconds", "From due to started.", counters.start_delay)


def _states(states: Iterable[CheckState]) -> Iterator[Metric]:
    hard = [0] * len(Status)
    soft = flapping = unreachable = stale = 0
    for state in states:
        hard[state.hard] += 1
        soft += state.status is not state.hard
        flapping += state.flapping
        unreachable += state.unreachable
        stale += state.stale
    by_status = {status.name.lower(): hard[status] for status in Status}
    marks = {"soft": soft, "flapping": flapping, "unreachable": unreachable, "stale": stale}
    yield _gauges("states", "States by hard status.", "status", by_status)
    yield _gauges("states_marked", "States that are soft, flapping, …", "mark", marks)


def _repairing(counters: Counters) -> Iterator[Metric]:
    yield _tally("attempts", "Attempts ended.", "outcome", counters.attempts)
    yield _tally("refusals", "Attempts or steps refused.", "guard", counters.refusals)
    yield _tally("tickets_opened", "Tickets opened.", "tier", counters.tickets)
    yield _tally("delivered", "Messages taken by a backend.", "backend", counters.delivered)
    yield _tally("notices", "Messages to people.", "way", counters.notices)
    yield _tally("unnoticed", "Tries to tell people that failed.", "way", counters.unnoticed)
    yield _tally("undelivered", "Tries that failed.", "backend", counters.undelivered)


def _database(counters: Counters, rows: Rows | None) -> Iterator[Metric]:
    up = counters.store_up and rows is not None
    yield _gauge("store_up", "1 while the database takes and gives rows.", up)
    yield _count("store_errors", "Writes that it did not take.", counters.store_errors)
    yield _timing("store_commit_seconds", "From asking to committed.", counters.commit)
    if rows is None:
        return
    yield _gauges("incidents", "Incidents that are not closed.", "status", rows.incidents)
    yield _gauges("tickets", "Tickets that are not closed.", "status", rows.tickets)
    yield _gauges("orders", "Orders in force.", "verb", rows.orders)
    yield _gauge("outbox_pending", "Messages waiting (counted to 100).", rows.outbox_pending)
    yield _gauge("outbox_dead", "Messages refused for good (to 100).", rows.outbox_dead)
    yield _gauge("outbox_oldest_seconds", "Age of the oldest waiting.", rows.outbox_age)
    yield from _worth(rows.runbooks)


def _history(counters: Counters) -> Iterator[Metric]:
    yield _count("history_written", "Results written to the history.", counters.history_written)
    yield _count("history_dropped", "Results that it had no room for.", counters.history_dropped)
    yield _count("history_bytes", "Bytes of results as they came.", counters.history_bytes)
    yield _count("history_cpu_seconds", "CPU time of its thread.", counters.history_seconds)
    yield _gauge("history_waiting", "Results not in a file yet.", counters.history_waiting)
    yield _gauge("history_lag_seconds", "Since its queue was emptied.", counters.history_lag)


def _worth(lines: Sequence[Line]) -> Iterator[Metric]:
    """Give what each runbook was worth in the last 30 days: one label, the names in the files."""

    def each(name: str, text: str, value: Callable[[Line], float | None]) -> Metric:
        family = GaugeMetricFamily(f"monitord_runbook_{name}", text, labels=["runbook"])
        for line in lines:
            number = value(line)
            if number is not None:
                family.add_metric([line.name], float(number))
        return family

    yield each("attempts", "Attempts in 30 days that had an effect.", lambda line: line.attempts)
    yield each("verified", "Those that were verified.", lambda line: line.verified)
    yield each("wrong", "Those that a person called wrong.", lambda line: line.wrong)
    yield each("recurred", "Verified, and bad again within 24 h.", lambda line: line.recurred)
    yield each("refused", "Refusals, of any guard.", lambda line: sum(line.refused.values()))
    yield each("success_low", "Lower bound of its success (95 %).", lambda line: line.low)
    yield each("success_high", "Upper bound of its success (95 %).", lambda line: line.high)
    yield each("repair_seconds_p50", "Median from start to proof.", lambda line: line.repair_p50)
    yield each("repair_seconds_p95", "95 % were quicker.", lambda line: line.repair_p95)


def _each_check(states: Iterable[CheckState]) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "monitord_check_status", "Hard status: 0 OK … 4 PENDING.", labels=["key"]
    )
    for state in states:
        family.add_metric([state.key], float(state.hard))
    yield family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"monitord_{name}", text, value=float(value))


def _count(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"monitord_{name}", text, value=float(value))


def _gauges(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(f"monitord_{name}", text, labels=[label])
    for word, value in sorted(values.items()):
        family.add_metric([word], float(value))
    return family


def _tally(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"monitord_{name}", text, labels=[label])
    for word, value in sorted(values.items()):
        family.add_metric([word], float(value))
    return family


def _timing(name: str, text: str, timing: Timing) -> Metric:
    family = HistogramMetricFamily(f"monitord_{name}", text)
    family.add_metric([], buckets=timing.cumulated(), sum_value=timing.total)
    return family
