"""The `nginx` probe: how busy it is and what it dropped, as its stub_status page tells.

It judges that page only; what nginx serves is the business of `http`.
Source: nginx, "Module ngx_http_stub_status_module".
"""

import re
from collections.abc import Sequence

from pydantic import Field

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Measurement, Result
from monitord.probes.service.limits import Limits, grown, limits, remembering
from monitord.probes.service.page import PageSpec, answered, page, request_of, senseless, slow, took
from monitord.probes.verdict import verdict

_NUMBER = r"\s+(\d{1,18})\s+"
_PAGE = re.compile(
    rf"Active connections:{_NUMBER}server accepts handled requests{_NUMBER[:-3]}"
    r"\s+(\d{1,18})\s+(\d{1,18})\s+"
    rf"Reading:{_NUMBER}Writing:{_NUMBER}Waiting:\s+(\d{{1,18}})"
)
_NAMES = ("active", "accepts", "handled", "requests", "reading", "writing", "waiting")


class NginxSpec(PageSpec):
    """nginx: connections open, at work and idle, and those that it dropped.

    It needs `location = /status { stub_status; allow MONITOR; deny all; }` in a server block.
    """

    example = """
        nginx:
          url: http://10.1.1.11/status
          connections: {warning: 800, critical: 950}
    """

    connections: Limits = Field(
        Limits(),
        description="Limits on open connections; all that worker_processes × worker_connections "
        "allow is the end.",
        examples=[{"warning": 800, "critical": 950}],
    )
    dropped: Limits = Field(
        limits("0", "100"),
        description="Limits on connections dropped since the last look.",
        examples=[{"warning": 0, "critical": 100}],
    )


async def probe(spec: NginxSpec, target: Target) -> Sequence[Result]:
    """Fetch the page and judge it; see NetworkProbe for the contract."""
    got = await page(request_of(spec), target)
    if isinstance(got, Result):
        return [got]
    match = _PAGE.search(got.text[:2000].decode("utf-8", "replace"))
    if match is None:
        return [senseless(got, "nginx's stub_status")]
    told = {name: float(text) for name, text in zip(_NAMES, match.groups(), strict=True)}
    dropped = told["accepts"] - told["handled"]
    new = grown(target.memory.get("", {}), "dropped", dropped)
    open_now = f"{told['active']:.0f} connections open"
    lost = f"{new:.0f} connections dropped since the last look: worker_connections is too low"
    findings = [
        slow(spec, got),
        spec.connections.judge(open_now, told["active"]),
        spec.dropped.judge(lost, new),
    ]
    measurements = (
        took(spec, got),
        spec.connections.measured("connections", told["active"]),
        *(Measurement(name, told[name]) for name in ("reading", "writing", "waiting")),
        Measurement("requests", told["requests"], "c"),
        Measurement("dropped", dropped, "c"),
    )
    result = verdict(got.thing, findings, f"{answered(got)}, {open_now}", measurements)
    return [remembering(result, dropped=dropped)]


KIND = NetworkProbe("nginx", NginxSpec, probe)
