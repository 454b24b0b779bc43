"""The `apache` probe: how many of its workers are busy, as server-status?auto tells.

It judges that page only; what Apache serves is the business of `http`.
Source: Apache HTTP Server, "Module mod_status", machine readable form.
"""

from collections.abc import Mapping, Sequence

from pydantic import Field

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Measurement, Result
from monitord.probes.limits import show_percent
from monitord.probes.service.limits import Limits, limits, number
from monitord.probes.service.page import PageSpec, answered, page, request_of, senseless, slow, took
from monitord.probes.verdict import verdict

_LINES = 200


class ApacheSpec(PageSpec):
    """Apache: workers that are busy, of all that it may have.

    It needs mod_status (`a2enmod status`) and `Require ip MONITOR` in its location.
    """

    example = """
        apache:
          url: http://10.1.1.11/server-status?auto
          workers: {warning: 80%, critical: 95%}
    """

    workers: Limits = Field(
        limits("80", "95"),
        description="Limits on busy workers in percent of all slots (MaxRequestWorkers).",
        examples=[{"warning": "80%", "critical": "95%"}],
    )


async def probe(spec: ApacheSpec, target: Target) -> Sequence[Result]:
    """Fetch the page and judge it; see NetworkProbe for the contract."""
    got = await page(request_of(spec), target)
    if isinstance(got, Result):
        return [got]
    told = _fields(got.text.decode("utf-8", "replace"))
    try:
        busy, idle = number(told["BusyWorkers"]), number(told["IdleWorkers"])
    except (KeyError, ValueError):
        return [senseless(got, "Apache's server-status?auto")]
    slots = max(len(told.get("Scoreboard", "")), busy + idle, 1)
    percent = 100 * busy / slots
    sentence = (
        f"{busy:.0f} of {slots:.0f} workers busy ({show_percent(percent)} %): "
        "requests will wait; what is behind it is slow, or MaxRequestWorkers is too low"
    )
    measurements = [
        took(spec, got),
        spec.workers.measured("workers_used", percent, "%"),
        Measurement("busy", busy),
        Measurement("idle", idle),
        *_counters(told),
    ]
    good = f"{answered(got)}, {busy:.0f} of {slots:.0f} workers busy"
    findings = [slow(spec, got), spec.workers.judge(sentence, percent, "%")]
    return [verdict(got.thing, findings, good, tuple(measurements))]


def _fields(text: str) -> Mapping[str, str]:
    pairs = (line.partition(": ") for line in text.splitlines()[:_LINES])
    return {name: value for name, colon, value in pairs if colon}


def _counters(told: Mapping[str, str]) -> list[Measurement]:
    found: list[Measurement] = []
    for name, key, factor, unit in (
        ("requests", "Total Accesses", 1, "c"),
        ("uptime", "ServerUptimeSeconds", 1, "s"),
    ):
        try:
            found.append(Measurement(name, number(told[key]) * factor, unit))
        except (KeyError, ValueError):  # ExtendedStatus Off tells neither
            continue
    return found


KIND = NetworkProbe("apache", ApacheSpec, probe)
