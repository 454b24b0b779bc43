"""What can be asked of an executor besides steps: hello, load, parse, facts, plugin."""

from collections.abc import Callable

import pytest

from monitord import __version__
from monitord.transports.facts_json import facts_from_json
from tests.executor.core import Core, RefusalError

Start = Callable[..., Core]


def test_it_says_which_catalog_it_read(core: Start) -> None:
    started = core()
    assert started.ask("hello", version=__version__, epoch=1, catalog="x") == {
        "version": __version__,
        "catalog": started.catalog.hash,
    }
    assert started.ask("load", hash=started.catalog.hash) == {"hash": started.catalog.hash}


def test_it_refuses_a_catalog_that_the_files_do_not_make(core: Start) -> None:
    with pytest.raises(RefusalError, match="catalog 0123 is not what the files say now") as caught:
        core().ask("load", hash="0123")
    assert caught.value.type == "refused"


def test_it_gives_the_sources_of_what_it_parsed(core: Start) -> None:
    started = core()
    sources = started.ask("parse")["sources"]
    assert sources["main"] == str(started.config)


def test_it_gives_every_mistake_with_its_place(core: Start) -> None:
    started = core()
    started.config.write_text("hosts:\n  a: {adress: 1.2.3.4}\n")
    problems = started.ask("parse")["problems"]
    assert [(file, line) for file, line, _, _ in problems] == [(str(started.config), 2)]
    with pytest.raises(RefusalError, match="adress"):
        started.ask("load", hash="")
    assert started.ask("hello")["catalog"] == started.catalog.hash


def test_it_tells_facts_of_this_machine(core: Start) -> None:
    told = core().ask("facts", host="here", sections=[["memory", []], ["load", []]], timeout=10)
    facts = facts_from_json(told)
    assert facts.memory is not None
    assert facts.load is not None
    assert facts.memory.total > 0


def test_it_runs_the_plugin_of_a_check_and_not_what_it_is_told(core: Start) -> None:
    host = """\
here:
    address: 127.0.0.1
    login: local
    checks: {dummy: {nagios: {command: [sh, -c, "echo one; echo two >&2; exit 2"]}}}"""
    left = core(hosts=host).ask("plugin", check="here/dummy", argv=["id"], timeout=10)
    assert left == {
        "exit_code": 2,
        "stdout": "one\n",
        "stderr": "two\n",
        "timed_out": False,
        "truncated": False,
        "flooded": 0,
    }


@pytest.mark.parametrize(
    ("do", "fields", "text"),
    [
        ("dance", {}, "'dance' cannot be asked"),
        ("facts", {"host": "x", "sections": [], "timeout": 1}, "host 'x' is not in the catalog"),
        ("plugin", {"check": "here/site", "timeout": 1}, "is not a plugin's check"),
        ("run", {"step": 99}, "step 99 is not in the store"),
        ("adopt", {"step": 99}, "step 99 is not in the store"),
    ],
)
def test_it_refuses_with_a_sentence(
    core: Start, do: str, fields: dict[str, object], text: str
) -> None:
    with pytest.raises(RefusalError, match=text) as caught:
        core().ask(do, **fields)
    assert caught.value.type == ("not-begun" if do == "run" else "refused")
