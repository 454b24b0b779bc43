"""What people say of a problem: refused where it says nothing, kept and audited where it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitord.api import problems as documents
from monitord.engine.core import Core
from monitord.errors import CommandRefusedError, NotFoundError
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


def test_what_people_say_of_a_problem_is_kept() -> None:
    ask_at_the_end(STORY.read_text(encoding="utf-8"), ask)
