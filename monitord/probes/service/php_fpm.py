"""The `php_fpm` probe: requests that wait for a worker, as a pool's status page tells as JSON.

It judges that page only. Source: PHP manual, "FastCGI Process Manager: status page".
"""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import Field

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result
from monitord.model.text import one_line
from monitord.probes.limits import show_percent
from monitord.probes.service.limits import Limits, grown, limits, number, remembering
from monitord.probes.service.page import (
    PageSpec,
    answered,
    document,
    request_of,
    senseless,
    slow,
    took,
)
from monitord.probes.verdict import verdict

_KEYS = (
    "listen queue",
    "active processes",
    "total processes",
    "max children reached",
    "slow requests",
    "accepted conn",
)


class PhpFpmSpec(PageSpec):
    """PHP-FPM: requests that wait, workers that are busy, how often their number was not enough.

    It needs `pm.status_path = /fpm-status` in the pool and a location of the web server that
    passes it on, for the monitor's address alone.
    """

    example = """
        php_fpm:
          url: http://10.1.1.11/fpm-status?json
          queue: {warning: 0, critical: 20}
    """

    queue: Limits = Field(
        limits("0", "20"),
        description="Limits on requests that wait for a free worker.",
        examples=[{"warning": 0, "critical": 20}],
    )
    children_reached: Limits = Field(
        limits("0"),
        description="Limits on how often pm.max_children was reached since the last look.",
    )
    slow_requests: Limits = Field(
        Limits(), description="Limits on slow requests since the last look (request_slowlog)."
    )


async def probe(spec: PhpFpmSpec, target: Target) -> Sequence[Result]:
    """Fetch the page and judge it; see NetworkProbe for the contract."""
    got = await document(request_of(spec), target)
    if isinstance(got, Result):
        plain = got.cause is Cause.PLUGIN and "json" not in spec.url
        return [replace(got, summary=f"{got.summary} (add ?json to the URL)") if plain else got]
    at, told = got
    try:
        queue, active, total, reached, lazy, accepted = (number(told[key]) for key in _KEYS)
        pool = one_line(str(told["pool"]), 60)
    except (KeyError, TypeError, ValueError):
        return [senseless(at, "PHP-FPM's status as JSON (add ?json to the URL)")]
    memory = target.memory.get("", {})
    ends, crawled = grown(memory, "reached", reached), grown(memory, "slow", lazy)
    busy = f"{active:.0f} of {total:.0f} workers busy"
    percent = 100 * active / max(total, 1)
    findings = [
        slow(spec, at),
        spec.queue.judge(
            f"pool {pool}: {queue:.0f} requests wait, {busy} ({show_percent(percent)} %)", queue
        ),
        spec.children_reached.judge(
            f"pool {pool}: pm.max_children reached {ends:.0f} times since the last look: "
            "it is too low, or scripts are slow",
            ends,
        ),
        spec.slow_requests.judge(f"pool {pool}: {crawled:.0f} slow requests", crawled),
    ]
    measurements = (
        took(spec, at),
        spec.queue.measured("queue", queue),
        Measurement("active", active),
        Measurement("workers", total),
        Measurement("children_reached", reached, "c"),
        Measurement("slow_requests", lazy, "c"),
        Measurement("requests", accepted, "c"),
    )
    result = verdict(at.thing, findings, f"{answered(at)}, pool {pool}: {busy}", measurements)
    return [remembering(result, reached=reached, slow=lazy)]


KIND = NetworkProbe("php_fpm", PhpFpmSpec, probe)
