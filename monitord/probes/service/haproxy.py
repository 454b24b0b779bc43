"""The `haproxy` probe: backends, servers and sessions, an item per proxy, from its CSV page.

It judges that page only. Source: HAProxy management guide, "Statistics format (CSV)".
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from pydantic import Field

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Measurement, Result, Status
from monitord.model.text import one_line
from monitord.probes.limits import show_percent
from monitord.probes.service.limits import Limits, limits, number
from monitord.probes.service.page import Page, PageSpec, page, request_of, senseless
from monitord.probes.verdict import Finding, verdict

Row = Mapping[str, str]
_MOST = 2000  # rows
_NAMED = 5  # servers in one line
_TOTALS = frozenset({"FRONTEND", "BACKEND"})


class HaproxySpec(PageSpec):
    """HAProxy: each proxy's state, servers that are down, sessions of those allowed.

    It needs `stats enable` with `stats uri /stats` in a frontend. Each proxy is an item.
    """

    example = """
        haproxy:
          url: http://10.1.1.11:8404/stats;csv
          sessions: {warning: 80%, critical: 95%}
    """

    proxies: tuple[str, ...] = Field(
        ("*",), description="Only proxies whose names match.", examples=[["shop*", "api"]]
    )
    sessions: Limits = Field(
        limits("80", "95"),
        description="Limits on sessions in percent of the proxy's own limit (maxconn).",
        examples=[{"warning": "80%", "critical": "95%"}],
    )
    down: Limits = Field(
        limits("0"),
        description="Limits on servers of a backend that are down while others carry it.",
        examples=[{"warning": 0, "critical": 2}],
    )


async def probe(spec: HaproxySpec, target: Target) -> Sequence[Result]:
    """Fetch the page and judge it; see NetworkProbe for the contract."""
    got = await page(request_of(spec), target)
    if isinstance(got, Result):
        return [got]
    text = got.text.decode("utf-8", "replace")
    if not text.startswith("# pxname,svname,"):
        return [senseless(got, "HAProxy's statistics as CSV (end the URL with ;csv)")]
    proxies: dict[str, list[Row]] = {}
    rows = csv.DictReader(text.removeprefix("# ").splitlines()[: _MOST + 1])
    try:
        for row in rows:
            name = row["pxname"] or ""
            if any(fnmatchcase(name, pattern) for pattern in spec.proxies):
                proxies.setdefault(name, []).append({k: v or "" for k, v in row.items() if k})
        judged = [_judge(spec, got, name, rows_of) for name, rows_of in proxies.items()]
    except (csv.Error, ValueError, KeyError) as error:
        return [senseless(got, f"HAProxy's CSV ({one_line(str(error), 60)})")]
    if judged:
        return judged
    return [Result.critical(f"{got.thing}: no proxy is named {' or '.join(spec.proxies)}")]


def _judge(spec: HaproxySpec, got: Page, name: str, rows: Sequence[Row]) -> Result:
    shown = one_line(name, 80)
    servers = [row for row in rows if row["svname"] not in _TOTALS]
    totals = {row["svname"]: row for row in rows if row["svname"] in _TOTALS}
    down = [row for row in servers if row["status"].startswith("DOWN")]
    findings: list[Finding | None] = [*_state(totals, servers, down)]
    if down and not any(finding and finding[0] is Status.CRITICAL for finding in findings):
        names = ", ".join(_named(row) for row in down[:_NAMED])
        sentence = f"{len(down)} of {len(servers)} servers down: {names}"
        findings.append(spec.down.judge(sentence, len(down)))
    measurements = [Measurement("servers_down", len(down)), Measurement("servers", len(servers))]
    for row in totals.values():
        used = _sessions(row)
        if used is None:
            continue
        current, limit = used
        percent = 100 * current / limit
        side = row["svname"].lower()
        sentence = f"{side} has {current:.0f} of {limit:.0f} sessions ({show_percent(percent)} %)"
        findings.append(spec.sessions.judge(sentence, percent, "%"))
        measurements.append(spec.sessions.measured(f"{side}_sessions", percent, "%"))
    good = f"up, {len(servers) - len(down)} of {len(servers)} servers" if servers else "open"
    result = verdict(f"{shown} ({got.thing})", findings, good, tuple(measurements))
    return Result(result.status, result.summary, result.measurements, item=shown)


def _state(
    totals: Mapping[str, Row], servers: Sequence[Row], down: Sequence[Row]
) -> Iterator[Finding]:
    backend = totals.get("BACKEND")
    if backend is not None and backend["status"].startswith("DOWN"):
        names = ", ".join(_named(row) for row in down[:_NAMED]) or "none is up"
        yield Status.CRITICAL, f"backend down, all of its {len(servers)} servers: {names}"
    frontend = totals.get("FRONTEND")
    if frontend is not None and frontend["status"] not in {"OPEN", "FULL"}:
        yield Status.CRITICAL, f"frontend is {one_line(frontend['status'], 20)}, expected OPEN"


def _named(row: Row) -> str:
    why = one_line(row.get("check_status", ""), 20)
    return one_line(row["svname"], 40) + (f" ({why})" if why else "")


def _sessions(row: Row) -> tuple[float, float] | None:
    if not row.get("slim") or not row.get("scur"):
        return None
    limit = number(row["slim"])
    return (number(row["scur"]), limit) if limit > 0 else None


KIND = NetworkProbe("haproxy", HaproxySpec, probe)
