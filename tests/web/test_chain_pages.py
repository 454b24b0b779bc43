"""The pages of chains: a table of the night, and orders that show their plan first."""

from __future__ import annotations

from pathlib import Path

from jinja2 import ChoiceLoader, DictLoader

from monitord.api import chains
from monitord.store import TEMPORARY, open_store
from monitord.web.console.render import environment
from tests.api.fake_rows import NOON
from tests.api.test_chains import KEY, catalog, fill
from tests.web.conftest import Web
from tests.web.test_console import ask, csrf_of, session

CHAIN = "/chains/db1/nights"


def test_an_order_is_seen_before_it_is_given(web: Web) -> None:
    cookie = session(web, "olga", "operator")
    assert b"No chains are configured" in ask(web, "/chains", cookie=cookie).body
    page = ask(web, f"{CHAIN}/rerun?link=load", cookie=cookie)
    assert b"/b/x load" in page.body
    assert b"Then mail." in page.body
    form = {"link": "load", "reason": "there is room", "csrf": csrf_of(page)}
    assert ask(web, f"/do{CHAIN}/rerun", form, cookie).status == 303
    (told,) = web.core.calls("rerun")
    assert (told["link"], told["by"], told["reason"]) == ("load", "olga", "there is room")
    assert ask(web, f"{CHAIN}/burn?link=load", cookie=cookie).status == 400


def test_who_only_reads_gives_no_orders(web: Web) -> None:
    cookie = session(web, "vera", "viewer")
    word = csrf_of(ask(web, "/", cookie=cookie))
    form = {"link": "load", "reason": "x", "csrf": word}
    assert ask(web, f"/do{CHAIN}/skip", form, cookie).status == 403


def test_a_run_is_a_table_of_its_links_with_what_failed_and_what_may_be_ordered(
    tmp_path: Path,
) -> None:
    store = open_store(TEMPORARY, durable=False)
    store.write_now(fill)
    known = catalog(tmp_path)
    one = store.read_now(lambda view: chains.document(view, known, KEY, now=NOON))
    made = environment()
    assert made.loader is not None
    bare = DictLoader({"base.html": "{% block main %}{% endblock %}"})
    made.loader = ChoiceLoader([bare, made.loader])
    page = made.get_template("chain.html").render(one=one, may=lambda _role: True, csrf="word")
    for said in ("load failed with exit code 3", "no space", "others start it", "Hold it"):
        assert said in page
    assert "/chains/db1/nights/rerun?link=load" in page
    assert "/chains/db1/nights/rerun?link=mail" not in page
    assert "/chains/db1/nights/skip?link=mail" in page
    listed = store.read_now(lambda view: chains.listed(view, known, now=NOON))["chains"]
    assert "db1/nights" in made.get_template("chains.html").render(rows=listed)
