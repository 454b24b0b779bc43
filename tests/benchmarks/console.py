"""`make console-bench`: what the console costs, and how soon it shows, at 10,000 checks.

The whole monitord as a process each (core, executor, monitord-web), 200 incidents open, a month of
history in the store, checking going on. First on 5,000 hosts, then on 500 (`--hosts` names one).
Beside each figure stands its target; the machine's load stands on the last line of each.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles

from playwright.sync_api import Page
from prometheus_client.parser import text_string_to_metric_families

from monitord.history import HISTORY
from tests.benchmarks import past
from tests.benchmarks.fleet import CHECKS, EVERY, Targets, configuration, targets
from tests.web.browser import chromium, logged_in
from tests.web.real import Whole
from tests.world.until import until

SICK, CONSOLES = 200, 100
FLEETS = (5000, 500)
_CHANGES = 12  # state changes that are timed
_SEEN = """name => {
  const wanted = `.cell.st-critical[title^="${name}:"]`;
  const look = () => { if (document.querySelector(wanted)) window.seen ||= Date.now(); };
  window.watch?.disconnect();
  window.seen = null;
  window.watch = new MutationObserver(look);
  window.watch.observe(document.body, {childList: true, subtree: true, attributes: true});
}"""


def show(what: str, figure: str, target: str = "") -> None:
    """Print one line."""
    print(f"{what:44} {figure:34} {target}", flush=True)


def first_bytes(whole: Whole, cookie: str, path: str, count: int) -> tuple[list[float], int]:
    """Ask for a page again and again; gives milliseconds to the first byte, and its bytes."""
    head = (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: monitord={cookie}\r\nConnection: close\r\n\r\n"
    )
    found, size = [], 0
    for _ in range(count):
        begun = time.perf_counter()
        with socket.create_connection(("127.0.0.1", whole.port), timeout=30) as sock:
            sock.sendall(head.encode())
            heard = sock.recv(65536)
            found.append((time.perf_counter() - begun) * 1000)
            assert heard.startswith(b"HTTP/1.1 200"), heard[:300]
            size = len(heard) + sum(len(piece) for piece in iter(lambda: sock.recv(1 << 20), b""))
        time.sleep(0.05)
    return found, size


def drawn(page: Page, times: int = 8) -> list[float]:
    """Open the first page anew; gives milliseconds from the navigation to its first row drawn."""
    found = []
    for _ in range(times):
        page.goto("about:blank")
        begun = time.perf_counter()
        page.goto("/", wait_until="commit")
        page.wait_for_selector("#needs .row", state="visible")
        found.append((time.perf_counter() - begun) * 1000)
    return found


def changes(whole: Whole, at: Targets, page: Page, hosts: int) -> list[float]:
    """Make targets sick; gives milliseconds from the core's word after its commit to the DOM."""
    heard: dict[str, float] = {}

    def listen() -> None:
        for event in whole.client.follow("/v1/events"):
            heard.setdefault(str(event.get("key", "")), time.time() * 1000)

    threading.Thread(target=listen, daemon=True).start()
    found = []
    for turn in range(_CHANGES):
        host = hosts - 1 - turn  # well until now: the sick are the first
        key, name = f"h{host:04}/c0", f"h{host:04}"
        page.evaluate(_SEEN, name)
        at.tell("sick", host * (CHECKS // hosts))
        until(lambda key=key: key in heard, within=3 * EVERY, what=f"{key} changed")
        seen = until(
            lambda: page.evaluate("window.seen"), within=30, every=0.1, what="it on the page"
        )
        found.append(seen - heard[key])
        at.tell("well", host * (CHECKS // hosts))
    return found


@contextmanager
def consoles(whole: Whole, cookie: str, count: int) -> Iterator[list[int]]:
    """Hold open so many live streams; what is given grows by the bytes that each read brought."""
    bytes_read, ended = [0], threading.Event()

    def hold() -> None:
        line = http.client.HTTPConnection("127.0.0.1", whole.port, timeout=60)
        line.request("GET", "/live", headers={"Cookie": f"monitord={cookie}"})
        answer = line.getresponse()
        assert answer.status == 200, answer.status
        with suppress(http.client.IncompleteRead, OSError):
            while not ended.is_set() and (piece := answer.read1(1 << 20)):
                bytes_read[0] += len(piece)
        if not ended.is_set():
            bytes_read[0] = -(10**15)  # one ended by itself: no figure holds

    readers = [threading.Thread(target=hold, daemon=True) for _ in range(count)]
    for reader in readers:
        reader.start()
        time.sleep(0.02)
    try:
        yield bytes_read
    finally:
        ended.set()


def spent(whole: Whole, seconds: float) -> tuple[float, float, float]:
    """Wait; gives the cores that web and core used meanwhile, and the checks' p99 delay in ms."""
    web, core = whole.process("web"), whole.process("core")
    before, delays = [sum(one.cpu_times()[:2]) for one in (web, core)], buckets(whole)
    begun = time.perf_counter()
    time.sleep(seconds)
    took = time.perf_counter() - begun
    used = [sum(one.cpu_times()[:2]) - was for one, was in zip((web, core), before, strict=True)]
    counted = {edge: count - delays[edge] for edge, count in buckets(whole).items()}
    return used[0] / took, used[1] / took, quantile(counted, 0.99) * 1000


def buckets(whole: Whole) -> dict[float, float]:
    """Give how many checks began at most so late, by seconds."""
    text = whole.client.text("/metrics").decode()
    return {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(text)
        if family.name == "monitord_check_start_delay_seconds"
        for sample in family.samples
        if sample.name.endswith("_bucket")
    }


def quantile(counted: dict[float, float], share: float) -> float:
    """Read a quantile of cumulated buckets, as Prometheus' histogram_quantile does it."""
    rank, low, below = share * max(counted.values()), 0.0, 0.0
    for edge, count in sorted(counted.items()):
        if count >= rank:
            return (
                low
                if edge == float("inf")
                else low + (edge - low) * (rank - below) / (count - below)
            )
        low, below = edge, count
    return low


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, nargs="*", default=FLEETS)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each quiet measurement")
    given = parser.parse_args()
    for hosts in given.hosts:
        print(
            f"{CHECKS} checks on {hosts} hosts each {EVERY} s,"
            f" {SICK} incidents, {os.cpu_count()} cores"
        )
        fleet(hosts, given.seconds)
    return 0


def fleet(hosts: int, seconds: float) -> None:
    """Start a monitord over so many hosts, and take all figures."""
    with ExitStack() as stack:
        at = stack.enter_context(targets())
        for number in range(SICK):
            at.tell("sick", number * (CHECKS // hosts))
        whole = Whole(configuration(at.web, at.tcp, hosts))
        keys = (f"h{n:04}/c{each}" for n in range(hosts) for each in range(CHECKS // hosts))
        size = past.fill(whole.state / HISTORY, keys, today=int(time.time()) // 86_400)
        show("30 days of history", f"{size / 1e6:.0f} MB of roll-ups")
        stack.enter_context(whole)
        now = until(
            lambda: (page := whole.client.get("/v1/now"))["needs_total"] >= SICK and page,
            within=240,
            every=1.0,
            what=f"{SICK} incidents",
        )
        time.sleep(EVERY)
        show("/v1/now", f"{len(json.dumps(now)) / 1000:.0f} kB, needs {now['needs_total']}")
        browser = stack.enter_context(chromium())
        page = logged_in(browser, whole, "kim", "admin")
        cookie = next(one["value"] for one in page.context.cookies() if one["name"] == "monitord")
        page.wait_for_timeout(500)
        asked(whole, cookie, f"/incidents/{now['needs'][0]['incident']}")
        seen(whole, at, page, hosts)
        page.goto("about:blank")
        time.sleep(EVERY + 5)  # the last that was told well has been looked at
        held(whole, cookie, seconds)
        show("load of the machine, 1 and 5 min", "{:.1f} {:.1f}".format(*os.getloadavg()))


def asked(whole: Whole, cookie: str, incident: str) -> None:
    """Ask for each page, and for what a chart of 30 days asks for."""
    now = datetime.now(UTC)
    start, end = (one.strftime("%Y-%m-%dT%H:%M:%SZ") for one in (now - timedelta(days=30), now))
    month = f"/data/history/h0042/c0?measurement=time&from={start}&to={end}&points=720"
    for what, path, count, target in (
        ("Now", "/", 200, 100),
        ("an incident", incident, 20, 100),
        ("all incidents", "/incidents", 20, 100),
        ("a host", "/hosts/h0042", 20, 100),
        ("a check, 30 days", "/checks/h0042/c0?last=30d", 20, 100),
        ("the data of its chart", month, 100, 50),
        ("a month's report", f"/reports/{now:%Y-%m}", 5, 1000),
    ):
        waits, size = first_bytes(whole, cookie, path, count)
        told = f"p50 {median(waits):.1f} ms  p95 {quantiles(waits, n=20)[-1]:.1f} ms"
        show(f"{what}, first byte", f"{told}  {size / 1000:.0f} kB", f"target < {target} ms")


def seen(whole: Whole, at: Targets, page: Page, hosts: int) -> None:
    """Take what somebody in front of a browser waits for."""
    waits = drawn(page)
    told = f"median {median(waits):.0f} ms  worst {max(waits):.0f} ms"
    show("Now, drawn in Chromium", told, "target < 1000 ms")
    waits = changes(whole, at, page, hosts)
    told = f"median {median(waits):.0f} ms  worst {max(waits):.0f} ms"
    show("a state change, from its commit to the page", told, "target < 1000 ms")


def held(whole: Whole, cookie: str, seconds: float) -> None:
    """Take what open consoles cost, beside the same time without one before and after."""
    told = "{:.3f} {:.3f} cores  {:.2f} ms"
    before = spent(whole, seconds)
    show("no console: web, core, delay p99", told.format(*before))
    with consoles(whole, cookie, CONSOLES) as read:
        time.sleep(5)
        begun = read[0]
        beside = spent(whole, seconds)
        rate = (read[0] - begun) / seconds / CONSOLES
    show(f"{CONSOLES} consoles: web, core, delay p99", told.format(*beside), "p99 unchanged")
    time.sleep(5)
    after = spent(whole, seconds)
    show("no console again: web, core, delay p99", told.format(*after))
    alone = (sum(before[:2]) + sum(after[:2])) / 2
    more = sum(beside[:2]) - alone
    show("  because of them", f"{more:.3f} cores, {rate:.0f} B/s each", "target < 0.1 core")


if __name__ == "__main__":
    raise SystemExit(main())
