"""The ticket as plain text: in the order in which a person needs it, and always clean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.tickets.text import render, subject
from tests.probes_network.clean import is_clean
from tests.tickets.ticket import TICKET

RENDERED = """\
web1/site is CRITICAL: http://10.1.1.11/health: no answer within 5 s
  host:          web1
  since:         2026-03-01 02:30:15 UTC
  first failure: 2026-03-01 02:29:30 UTC
  incident:      12
  status:        ESCALATED
  priority:      P3
  tier:          L1

What this means
  Customers see no shop.

What I did
  1. restart-nginx (auto): failed: still critical after 2m
     step  systemd  web1  DONE  exit 0
     | restarted
     | nginx: [warn] low on memory

What I refused, and why
  2026-03-01 02:33:00 UTC  restore-web-root by cooldown:  it ran 4 minutes ago; its cooldown is 10m

I have stopped. It is yours.

Next command
  monitord incident 12

By hand
  Look at /var/log/nginx/error.log.
  Then start nginx.

Links
  page: https://monitor.example.com/incidents/12

What the guards said
  restore-web-root, 2026-03-01 02:33:00 UTC
    refused: cooldown: it ran 4 minutes ago
    passed:  halt, mode

Evidence
  journalctl --unit=nginx
  | line one
  | line two

Timeline
  2026-03-01 02:30:15 UTC  opened  hard CRITICAL
  2026-03-01 02:40:00 UTC  ack  on it  (kim)
"""


def test_the_whole_ticket_in_the_order_a_person_needs() -> None:
    assert render(TICKET) == RENDERED


def test_what_changed_stands_after_whose_it_is_now() -> None:
    rows = [
        {"at": "2026-03-01T02:20:00Z", "kind": "marker", "who": "ci", "text": "deploy 42",
         "before": True},
        {"at": "2026-03-01T02:29:00Z", "kind": "sudo", "who": "kim", "text": "ran sudo: x\x1b[1m",
         "before": False},
    ]  # fmt: skip
    changed = {"since": "2026-03-01T02:28:30Z", "rows": rows, "unread": ["crontabs: no"]}
    text = render(TICKET | {"changed": changed})
    assert (
        """
What changed since it was last OK (2026-03-01 02:28:30 UTC)
  (crontabs: no)
  2026-03-01 02:20:00 UTC  marker  ci  deploy 42  (before the last OK)
  2026-03-01 02:29:00 UTC  sudo  kim  ran sudo: x\\x1b[1m
"""
        in text
    )
    assert text.index("What I refused") < text.index("I have stopped") < text.index("What changed")
    assert text.index("What changed") < text.index("Next command")
    nothing = render(TICKET | {"changed": {"since": None, "rows": [], "unread": []}})
    assert "\n  nothing that the host tells\n" in nothing


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("REPAIRING", "I am still repairing; nothing is asked of you yet."),
        ("ESCALATED", "I have stopped. It is yours."),
        ("RESOLVED", "It is over; nothing is asked of you."),
    ],
)
def test_it_says_whose_it_is(status: str, said: str) -> None:
    assert f"\n{said}\n" in render(TICKET | {"status": status})


def test_an_empty_ticket_is_short_and_not_an_error() -> None:
    assert render({}) == "\n"
    assert render({"key": "web1/site", "summary": "down"}).startswith("web1/site: down")


def test_of_a_long_output_beginning_and_end_are_kept() -> None:
    text = "begins here\n" + "x" * 100_000 + "\nends here"
    shown = render({"evidence": [{"title": "log", "text": text}]})
    assert "| begins here" in shown
    assert "| ends here" in shown
    assert "characters left out …" in shown
    assert len(shown) < 6000


def test_the_subject_names_what_is_broken_once() -> None:
    assert subject(TICKET) == "web1/site: no answer within 5 s"
    assert subject(TICKET | {"title": "web1/site is down"}) == "web1/site is down"
    assert subject(TICKET | {"title": ""}) == f"web1/site: {TICKET['summary']}"


def test_what_the_engine_adds_is_shown() -> None:
    ticket = {
        "key": "prod-12",
        "check": "web1/site",
        "title": "web1/site: CRITICAL: down",
        "severity": "CRITICAL",
        "summary": "down",
        "host": {"name": "web1", "address": "10.1.1.11", "customer": "acme", "site": "ulm"},
        "items": ["web1/site/a", "web1/site/b"],
        "services": ["shop"],
        "status": "ESCALATED",
        "says": "I have stopped, it is yours.",
        "tried": [{"runbook": "r", "steps": [{"kind": "command", "error": "cut off after 60 s"}]}],
        "refused": [
            {
                "runbook": "r",
                "guard": "mode",
                "reason": "asks for approval",
                "plan": [
                    "systemctl restart nginx",
                    {"phase": "step", "target": "web1", "text": "true"},
                ],
            }
        ],
    }
    shown = render(ticket)
    assert subject(ticket) == "web1/site: CRITICAL: down"
    assert shown.startswith(
        "web1/site is CRITICAL: down\n  host:          web1 (10.1.1.11), acme, ulm\n"
    )
    assert "  items:         web1/site/a, web1/site/b\n  services:      shop\n" in shown
    assert "\n     ! cut off after 60 s\n" in shown
    assert "    plan: systemctl restart nginx\n    plan: step  web1  true\n" in shown
    assert shown.count("it is yours") == 1


NAMES = [*TICKET, *TICKET["tried"][0], "check", "items", "services", "says", "plan", "text", "at"]
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=10,
)
hostile = st.text(st.sampled_from("\x00\x1b[2J\r\n\t\u202e\u2028\ud800\x85ab"), max_size=30)


@given(st.dictionaries(st.sampled_from(NAMES), st.one_of(documents, hostile)))
@settings(max_examples=300, deadline=None)
def test_any_document_becomes_clean_text(ticket: dict[str, Any]) -> None:
    shown = render(ticket)
    assert is_clean(shown, extra="\n\t")
    shown.encode()


@given(hostile)
def test_a_line_of_a_target_cannot_pass_for_ours(text: str) -> None:
    """What a target wrote stands behind a bar or inside one line, never at the margin."""
    evil = "x\n\nNext command\n  rm -rf /" + text
    for place in ("summary", "host", "title", "next_command"):
        assert render(TICKET | {place: evil}).count("\nNext command\n") == 1
    shown = render(TICKET | {"evidence": [{"title": evil, "text": evil}]})
    assert shown.count("\nNext command\n") == 1


AROUND = {
    "service_levels": [{"name": "shop", "sla": "gold", "impact": "high"}],
    "clocks": [
        {"sla": "gold", "promise": "respond", "allowed": "15m", "broken": True,
         "due": "2026-03-01T02:44:30Z", "left": None},
        {"sla": "gold", "promise": "resolve", "allowed": "4h", "broken": False,
         "due": "2026-03-01T06:29:30Z", "left": "3h40m"},
    ],
    "coming": [{"at": "2026-03-01T02:55:00Z", "what": "unless somebody answers, L2 is told: lee"}],
    "next_risk": "looks only",
    "problem": {"id": 3, "title": "web1/site 3 times in 1d", "cause": "a leak", "cure": "ci 42"},
    "similar": [
        {"incident": 7, "at": "2026-02-20T01:00:00Z", "ended": "closed", "by": "kim",
         "cure": "cleared\x1b[2J the cache"},
    ],
    "vendors": [{"name": "acme", "contract": "C-77", "contact": "+49 1", "respond": "4h"}],
    "told_next": {"tier": "L2", "people": ["lee"], "vendors": ["acme"]},
    "answers": [{"does": "page no more", "command": "monitord ack web1/site"}],
}  # fmt: skip


def test_promises_what_comes_what_helped_the_vendor_and_the_answer_stand_in_their_order() -> None:
    text = render(TICKET | AROUND)
    assert "  services:      shop (SLA gold, impact high)\n" in text
    pieces = (
        (
            "What is promised\n  gold, respond within 15m: BROKEN at 2026-03-01 02:44:30 UTC\n"
            "  gold, resolve within 4h: 3h40m left, breaks 2026-03-01 06:29:30 UTC\n"
        ),
        "What I did\n",
        "What I refused, and why\n",
        "I have stopped. It is yours.\n",
        "What comes next\n  2026-03-01 02:55:00 UTC  unless somebody answers, L2 is told: lee\n",
        "Next command\n  monitord incident 12   (looks only)\n",
        "By hand\n",
        (
            "What helped before\n  problem 3: web1/site 3 times in 1d\n    cause: a leak\n"
            "    cure: ci 42\n"
            "  2026-02-20 01:00:00 UTC  incident 7: closed (kim): cleared\\x1b[2J the cache\n"
        ),
        "The vendor\n  acme: contract C-77, contact +49 1, answers within 4h\n",
        (
            "Your answer\n  page no more:      monitord ack web1/site\n"
            "  next would be:     L2: lee, vendor acme\n"
        ),
        "What the guards said\n",
        "Evidence\n",
        "Timeline\n",
    )
    places = [text.index(piece) for piece in pieces]
    assert places == sorted(places)
