"""What people say of a problem: refused where it says nothing, kept and audited where it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitord.api import problems as documents
from monitord.engine import problems
from monitord.engine.core import Core
from monitord.errors import CommandRefusedError, NotFoundError
from monitord.store.contract import View
from tests.engine.asked import ask_at_the_end

STORY = Path(__file__).parents[1] / "behaviour" / "comes-back-a-third-time.test.yaml"


async def ask(core: Core) -> None:
    with pytest.raises(NotFoundError, match="there is no problem 9; `monitord problems` lists"):
        await core.problems.known(9, by="kim", cause="a leak", cure="")
    with pytest.raises(CommandRefusedError, match="needs its cause; add --cause"):
        await core.problems.known(1, by="kim", cause=" ", cure="")
    await core.problems.known(1, by="kim", cause="a leak", cure="restart")
    found = await core.store.read(lambda view: documents.document(view, 1))
    assert (found["status"], found["owner"], found["cure"]) == ("KNOWN", "kim", "restart")
    assert len(found["lately"]) == 4
    await core.problems.close(1, by="lee", reason="updated")
    with pytest.raises(CommandRefusedError, match="problem 1 is closed"):
        await core.problems.close(1, by="lee", reason="updated")
    assert await core.store.read(lambda view: documents.listed(view, every=False)) == {
        "problems": []
    }
    audit = await core.store.read(lambda view: [row.act for row in view.audit_rows()])
    assert audit.count("problem") == 1
    assert audit[-2:] == ["known", "close"]
    page = await core.store.read(lambda view: documents.review(view, 1))
    assert page.startswith("# Review of incident 1: web1/site")


async def close(core: Core) -> None:
    instance = core.instance

    def barred(view: View) -> str:
        return problems.barred(view, instance, "web1/site", core.now())

    assert "fixed 3 times" in await core.store.read(barred)
    await core.problems.known(1, by="kim", cause="a leak", cure="")
    assert await core.store.read(barred) == ""
    await core.problems.close(1, by="kim", reason="updated")
    assert await core.store.read(barred) == ""
    number = await core.store.read(lambda view: view.incidents_of("web1/site")[0].id)
    assert await core.store.write(lambda tx: problems.look(tx, instance, number, core.now())) == []


def test_what_failed_before_a_problem_was_closed_bars_nothing_and_counts_no_more() -> None:
    ask_at_the_end(STORY.read_text(encoding="utf-8"), close)


def test_what_people_say_of_a_problem_is_kept() -> None:
    ask_at_the_end(STORY.read_text(encoding="utf-8"), ask)
