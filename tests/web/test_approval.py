"""The page behind a signed link, as a mail scanner and as a person meets it."""

from __future__ import annotations

import pytest

from monitord import links
from monitord.pings import read_secret
from tests.web.conftest import Web

PLAN = '{"steps":[]}'  # of the fake core's attempt


def page(web: Web, attempt: int = 1) -> str:
    return f"/approve/{links.word(read_secret(web.core.state), attempt, PLAN)}"


def test_looking_at_the_page_shows_the_plan_and_answers_nothing(web: Web) -> None:
    for method in ("GET", "HEAD", "GET"):
        assert web.ask(page(web), method).status == 200
    shown = web.ask(page(web))
    assert b"restart-nginx for web1/site" in shown.body
    assert b'<form method="post">' in shown.body
    assert web.core.calls("approve") == []


def test_no_page_behind_the_link_learns_keeps_or_frames_it(web: Web) -> None:
    for shown in (web.ask(page(web)), web.ask("/approve/x")):
        assert shown.headers["cache-control"] == "no-store"
        assert shown.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]


def test_what_targets_wrote_is_escaped_on_the_page(web: Web) -> None:
    shown = web.ask(page(web)).body
    assert b"&lt;b&gt;" in shown
    assert b"<b>" not in shown
    assert b"\x1b" not in shown


def test_a_yes_is_passed_on_once_with_the_name_that_was_given(lone_web: Web) -> None:
    body = b"answer=yes&name=Kim+Lee&reason="
    assert lone_web.ask(page(lone_web), "POST", body).status == 200
    assert [call["by"] for call in lone_web.core.calls("approve")] == ["Kim Lee (by link)"]
    again = lone_web.ask(page(lone_web), "POST", body)
    assert again.status == 404
    assert b"not valid (any more)" in again.body
    assert lone_web.ask(page(lone_web)).status == 404
    assert len(lone_web.core.calls("approve")) == 1


def test_a_no_needs_a_reason(lone_web: Web) -> None:
    assert lone_web.ask(page(lone_web), "POST", b"answer=no&name=kim").status == 400
    assert lone_web.core.calls("deny") == []
    assert lone_web.ask(page(lone_web), "POST", b"answer=no&name=kim&reason=moved").status == 200
    (call,) = lone_web.core.calls("deny")
    assert (call["by"], call["reason"]) == ("kim (by link)", "moved")


@pytest.mark.parametrize("body", [b"", b"name=kim", b"answer=yes", b"answer=maybe&name=kim"])
def test_without_an_answer_and_a_name_nothing_happens(web: Web, body: bytes) -> None:
    assert web.ask(page(web), "POST", body).status == 400
    assert web.core.calls() == []


@pytest.mark.parametrize(
    "word", ["x", "1-1-" + "0" * 32, "1-1", "--", "1-1-\N{GREEK SMALL LETTER PI}", "9" * 3000]
)
def test_what_can_be_no_word_never_reaches_the_core(web: Web, word: str) -> None:
    from urllib.parse import quote

    assert web.ask(f"/approve/{quote(word)}").status == 404
    assert web.core.calls() == []


def test_a_signed_word_of_another_attempt_is_not_valid(web: Web) -> None:
    assert web.ask(page(web, attempt=2), "POST", b"answer=yes&name=kim").status == 404


def test_a_word_is_for_one_attempt_one_plan_and_one_secret() -> None:
    word = links.word(b"s" * 32, 7, PLAN)
    assert links.may_be_one(word)
    others = (
        links.word(b"t" * 32, 7, PLAN),
        links.word(b"s" * 32, 8, PLAN),
        links.word(b"s" * 32, 7, '{"steps":["other"]}'),
    )
    assert len({word.partition("-")[2], *(one.partition("-")[2] for one in others)}) == 4
