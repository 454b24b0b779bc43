"""`make console-bench`: what the console costs, and how soon it shows, at 10,000 checks.

The whole monitord as a process each (core, executor, monitord-web), 200 incidents open, checking
going on. Beside each figure stands its target; the machine's load stands on the last line.
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
from statistics import median, quantiles

from playwright.sync_api import Page
from prometheus_client.parser import text_string_to_metric_families

from tests.benchmarks.fleet import EVERY, HOSTS, OF_EACH, Targets, configuration, targets
from tests.web.browser import chromium, logged_in
from tests.web.real import Whole
from tests.world.until import until

SICK, CONSOLES = 200, 100
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


def first_bytes(whole: Whole, cookie: str, path: str = "/", count: int = 200) -> list[float]:
    """Ask for a page again and again; gives milliseconds from connecting to the first byte."""
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
    show("  its size", f"{size / 1000:.0f} kB")
    return found


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


def changes(whole: Whole, at: Targets, page: Page) -> list[float]:
    """Make targets sick; gives milliseconds from the core's word after its commit to the DOM."""
    heard: dict[str, float] = {}

    def listen() -> None:
        for event in whole.client.follow("/v1/events"):
            heard.setdefault(str(event.get("key", "")), time.time() * 1000)

    threading.Thread(target=listen, daemon=True).start()
    found = []
    for turn in range(_CHANGES):
        host = HOSTS - 1 - turn  # well until now: the sick are the first
        key, name = f"h{host:04}/c0", f"h{host:04}"
        page.evaluate(_SEEN, name)
        at.tell("sick", host * OF_EACH)
        until(lambda key=key: key in heard, within=3 * EVERY, what=f"{key} changed")
        seen = until(
            lambda: page.evaluate("window.seen"), within=30, every=0.1, what="it on the page"
        )
        found.append(seen - heard[key])
        at.tell("well", host * OF_EACH)
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
    parser.add_argument("--hosts", type=int, default=HOSTS)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each quiet measurement")
    given = parser.parse_args()
    print(
        f"{given.hosts * OF_EACH} checks each {EVERY} s, {SICK} incidents, {os.cpu_count()} cores"
    )
    with ExitStack() as stack:
        at = stack.enter_context(targets())
        for number in range(SICK):
            at.tell("sick", number * OF_EACH)
        whole = stack.enter_context(Whole(configuration(at.web, at.tcp, given.hosts)))
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
        measure(whole, at, page, cookie, given.seconds)
        show("load of the machine, 1 and 5 min", "{:.1f} {:.1f}".format(*os.getloadavg()))
    return 0


def measure(whole: Whole, at: Targets, page: Page, cookie: str, seconds: float) -> None:
    """Take all figures, one after the other."""
    page.wait_for_timeout(500)
    waits = first_bytes(whole, cookie)
    told = f"p50 {median(waits):.1f} ms  p95 {quantiles(waits, n=20)[-1]:.1f} ms"
    show("Now, first byte", told, "target p95 < 100 ms")
    waits = drawn(page)
    told = f"median {median(waits):.0f} ms  worst {max(waits):.0f} ms"
    show("Now, drawn in Chromium", told, "target < 1000 ms")
    waits = changes(whole, at, page)
    told = f"median {median(waits):.0f} ms  worst {max(waits):.0f} ms"
    show("a state change, from its commit to the page", told, "target < 1000 ms")
    page.goto("about:blank")
    time.sleep(EVERY + 5)  # the last that was told well has been looked at
    alone = spent(whole, seconds)
    show("no console: web, core, delay p99", "{:.3f} {:.3f} cores  {:.2f} ms".format(*alone))
    with consoles(whole, cookie, CONSOLES) as read:
        time.sleep(5)
        begun = read[0]
        beside = spent(whole, seconds)
        rate = (read[0] - begun) / seconds / CONSOLES
    told = "{:.3f} {:.3f} cores  {:.2f} ms".format(*beside)
    show(f"{CONSOLES} consoles: web, core, delay p99", told, "target: p99 unchanged")
    more = beside[0] + beside[1] - alone[0] - alone[1]
    show("  because of them", f"{more:.3f} cores, {rate:.0f} B/s each", "target < 0.1 core")


if __name__ == "__main__":
    raise SystemExit(main())
