"""Chains over the API: how they stand by their rows, and orders in the name of who gives them."""

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from monitord.api import chains
from monitord.clock import after
from monitord.control import CoreSaysNoError
from monitord.errors import NotFoundError
from monitord.model.calendar import ALWAYS
from monitord.model.catalog import Catalog
from monitord.model.chain import ChainRun, Link, LinkStatus, RunStatus
from monitord.model.ids import CheckKey
from monitord.probes.chain import ChainSpec
from monitord.store import TEMPORARY, open_store
from monitord.store.contract import Tx
from tests.api.cores import FakeCore
from tests.api.fake_rows import NOON, make_catalog

KEY = CheckKey("db1/nights")
SPEC = ChainSpec.model_validate(
    {"starts": "11:00", "done_by": "13:00", "jobs": {
        "load": {"run": ["/b/x"], "takes": "30m-60m"}, "mail": {"after": ["load"]}}},
)  # fmt: skip


def catalog(path: object) -> Catalog:
    plain = make_catalog(path)  # type: ignore[arg-type]  # any folder does
    check = replace(
        plain.checks[CheckKey("db1/nightly")], key=KEY, name="nights", kind="chain", spec=SPEC
    )
    checks = MappingProxyType({**plain.checks, KEY: check})
    return replace(plain, checks=checks, calendars={"24x7": ALWAYS})


def fill(tx: Tx) -> None:
    start, end = after(NOON, timedelta(hours=-1)), after(NOON, timedelta(hours=1))
    run = tx.add_run(
        ChainRun(0, KEY, "2026-11-23", RunStatus.RUNNING, start, end, None, started=start)
    )
    failed = {"started": start, "ended": NOON, "exit_code": 3, "output": "no space", "tries": 1}
    tx.add_link(Link(0, run, KEY, "load", LinkStatus.FAILED, **failed))  # type: ignore[arg-type]  # mixed values, each in its place
    tx.add_link(Link(0, run, KEY, "mail", LinkStatus.WAITING))


def test_a_chain_is_told_by_its_rows(tmp_path: object) -> None:
    store = open_store(TEMPORARY, durable=False)
    store.write_now(fill)
    known = catalog(tmp_path)
    (row,) = store.read_now(lambda view: chains.listed(view, known, now=NOON))["chains"]
    assert (row["status"], row["name"]) == ("CRITICAL", "nights")
    assert row["summary"].startswith("load failed with exit code 3; mail waits for it")
    one = store.read_now(lambda view: chains.document(view, known, KEY, now=NOON))
    load, mail = one["links"]
    assert (load["exit_code"], load["output"], load["watched"]) == (3, "no space", False)
    assert (mail["status"], mail["after"], mail["watched"]) == ("WAITING", ["load"], True)
    assert [run["status"] for run in one["runs"]] == ["RUNNING"]
    with pytest.raises(NotFoundError, match="did you mean db1/nights"):
        store.read_now(lambda view: chains.document(view, known, "db1/nihgts", now=NOON))


def test_orders_go_to_the_engine_in_the_name_of_who_gives_them(core: FakeCore) -> None:
    post = core.client.post
    link = {"link": "load", "reason": "there is room again"}
    assert post("/v1/chains/db1/nights/rerun", link) == {"rerun": "load"}
    assert post("/v1/chains/db1/nights/skip", link) == {"skipped": "load"}
    assert post("/v1/chains/db1/nights/hold", {"reason": "wait"}) == {"held": True}
    assert post("/v1/chains/db1/nights/go", {"reason": "go on"}) == {"held": False}
    names = [call["call"] for call in core.calls() if call.get("chain") == "db1/nights"]
    assert names == ["rerun", "skip", "hold", "go"]
    shown = core.client.get("/v1/chains/db1/nights/preview", link="load", deed="rerun")
    assert shown["plan"][0]["text"] == "/b/x load"
    assert core.client.get("/v1/chains") == {"chains": []}
    with pytest.raises(CoreSaysNoError, match="there is no chain db1/none"):
        post("/v1/chains/db1/none/rerun", link)
