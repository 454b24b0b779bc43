"""The pages of the record: what was done is found again, and whether it holds is said."""

from __future__ import annotations

import re

import pytest

from tests.web.conftest import Web
from tests.web.test_console import ask, session


@pytest.fixture(scope="module")
def admin(shared_web: Web) -> str:
    return session(shared_web, "rec", "admin")


def test_what_was_done_is_found_by_who_what_and_words(web: Web, admin: str) -> None:
    whole = ask(web, "/audit", cookie=admin).body.decode()
    assert whole.index("the password was set") < whole.index("new, admin") < whole.index("known")
    for query, there in (
        ("actor=kim", True),
        ("act=mute&text=WEB1", True),
        ("actor=lee", False),
        ("text=%25", False),
    ):
        body = ask(web, f"/audit?{query}", cookie=admin).body.decode()
        assert ("web1/site" in body) is there, query
    assert "Nothing like this" in ask(web, "/audit?text=%3Cscript%3E", cookie=admin).body.decode()
    assert "Nothing" in ask(web, "/audit?before=1", cookie=admin).body.decode()
    assert ask(web, "/audit?before=soon", cookie=admin).status == 400


def test_that_the_record_holds_is_said_and_whether_it_knows_a_digest(web: Web, admin: str) -> None:
    page = ask(web, "/audit/verify", cookie=admin).body.decode()
    assert "✓ Yes:" in page
    found = re.search(r"<code>([0-9a-f]{64})</code>", page)
    assert found is not None
    known = ask(web, f"/audit/verify?head={found[1]}", cookie=admin).body.decode()
    assert "bears the digest that you noted" in known
    other = ask(web, f"/audit/verify?head={'0' * 64}", cookie=admin).body.decode()
    assert "No link bears the digest" in other
    assert ask(web, "/audit/verify?head=x", cookie=admin).status == 400
