"""A night at the console, the whole monitord in a real browser: seen, approved, proven, acked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.web.real import Whole
from tests.world.needs import need, requires

pytestmark = requires("chromium")
SOON = 15_000  # ms that a page may take to show what happened; it shows it within one second


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Whole]:
    """Two folders that must be there; one of them can be made again, if a person says yes."""
    need("chromium")
    for name in ("queue", "inbox"):
        (tmp_path / name).mkdir()
    timing = {"every": "1s", "retry_every": "1s", "attempts": 2, "first_rung_after": "0s"}
    checks = {
        "queue": {"file": {"path": str(tmp_path / "queue")}, "remediate": ["make-queue"], **timing},
        "inbox": {"file": {"path": str(tmp_path / "inbox")}, **timing},
    }
    login = {"local": {"act": True}}
    running = Whole({"profile": "standard", "hosts": {"shop": {"login": login, "checks": checks}}})
    runbook = {
        "steps": [{"command": ["mkdir", str(tmp_path / "queue")]}],
        "verify": {"settle": "2s", "oks": 2, "within": "20s"},
        "limits": {"per_incident": 1, "cooldown": "1m", "per_hour": 3},
        "mode": "approve",
    }
    folder = running.folder / "remediations"
    folder.mkdir()
    (folder / "make-queue.yaml").write_text(yaml.safe_dump(runbook))
    with running:
        yield running


def test_a_fault_arrives_is_approved_and_proven_and_another_is_acked(
    whole: Whole, tmp_path: Path
) -> None:
    from tests.web.browser import chromium, logged_in

    queue, inbox = tmp_path / "queue", tmp_path / "inbox"
    with chromium() as browser:
        page = logged_in(browser, whole, "kim", "responder")
        page.set_default_timeout(SOON)
        page.evaluate("window.unloaded = false")
        page.wait_for_selector("#needs .none")

        queue.rmdir()
        page.wait_for_selector("#needs .row:has-text('Approve') .key:text-is('shop/queue')")
        assert page.locator("section:has(#h-waiting)").count() == 0, "it waits for a person"
        inbox.rmdir()
        page.wait_for_selector("#needs .row:has-text('Answer') .key:text-is('shop/inbox')")
        assert not queue.exists()
        page.wait_for_selector("#map a.st-critical[title='shop: CRITICAL']")
        page.fill("#only", "mail")
        page.wait_for_selector("#only-count:text-is('0 of 1')")
        page.fill("#only", "")

        other = page.context.new_page()  # the first stays open, and is told
        other.goto(str(page.get_attribute("#needs .key:text-is('shop/queue')", "href")))
        other.click("[data-approve]")
        other.wait_for_selector(".said")
        page.wait_for_selector("#repairing .row:has-text('make-queue')")
        page.wait_for_selector("[id^=fixed-] .key:text-is('shop/queue')")
        other.wait_for_selector("summary:has-text('make-queue') b:text-is('FIXED')")
        assert queue.is_dir()
        assert page.evaluate("window.unloaded") is False, "the page was loaded anew"

        page.click("[id^=fixed-] .key")
        story = page.inner_text("main")
        for part in ("mkdir", "FIXED", "kim", "failed for", "over since"):
            assert part in story

        page.click("nav a:text-is('Now')")
        page.wait_for_selector("#needs .key:text-is('shop/inbox')")
        page.wait_for_load_state()  # keys are heard from then on
        page.keyboard.press("j")
        page.keyboard.press("a")
        page.wait_for_selector("#ack[open] input[name=reason]:focus")
        page.keyboard.type("the courier brings it")
        page.keyboard.press("Enter")
        page.wait_for_selector(".said")
        page.click("nav a:text-is('Now')")
        page.wait_for_selector("#needs .none")
        assert "kim" in page.inner_text("section:has(#h-hand)")
