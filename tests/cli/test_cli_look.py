"""The commands that look: with a core, and from the database when none runs."""

from __future__ import annotations

import re
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.api.cores import ROOT
from tests.cli.conftest import Cli

READ_FROM = "this is from the database"


def test_status_is_a_plugin_line_an_exit_code_and_what_is_bad(cli: Cli) -> None:
    said = cli("status")
    assert said.code == 2
    first, *rest = said.out.splitlines()
    assert first == "MONITORD CRITICAL - 3 states: 1 OK, 1 WARNING, 1 CRITICAL"
    assert any(line.startswith("CRITICAL  web1/site") for line in rest)
    assert "! nobody will be woken" in rest


def test_status_without_a_core_is_unknown_and_its_line_says_how_old_the_states_are(
    offline: Cli,
) -> None:
    said = offline("status")
    assert said.code == 3
    first = said.out.splitlines()[0]
    assert re.fullmatch(
        r"MONITORD UNKNOWN - no core answers; last change \w+ ago: 3 states: .*1 CRITICAL", first
    )
    assert READ_FROM in said.err
    answer = offline("status", "--json")
    assert (answer.code, answer.json["status"], answer.json["core"]) == (3, "UNKNOWN", False)


def test_status_with_neither_core_nor_database_is_unknown_to_a_plugin(
    cli: Cli, tmp_path_factory: pytest.TempPathFactory
) -> None:
    empty = tmp_path_factory.mktemp("empty")
    said = cli("--state", str(empty), "status")
    assert said.code == 3
    assert said.out == ""
    assert "start one with `monitord run`" in said.err
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("args", "name", "count"),
    [
        (["hosts"], "hosts", 2),
        (["checks"], "checks", 3),
        (["checks", "web1"], "checks", 2),
        (["checks", "--status", "critical"], "checks", 1),
        (["incidents"], "incidents", 1),
        (["tickets", "--all"], "tickets", 1),
        (["orders"], "orders", 1),
    ],
)
def test_a_list_is_the_same_json_with_and_without_a_core(
    cli: Cli, offline: Cli, args: list[str], name: str, count: int
) -> None:
    live, stored = cli(*args, "--json"), offline(*args, "--json")
    assert len(live.json[name]) == len(stored.json[name]) == count
    assert (live.code, stored.code, live.err) == (0, 0, "")
    for one, other in zip(live.json[name], stored.json[name], strict=True):
        assert set(other) <= set(one)
        assert one.get("status") == other.get("status")


def test_what_orders_keep_from_people_is_said_in_a_line(cli: Cli) -> None:
    for look in ("status", "orders"):
        said = cli(look)
        assert "! 1 mute hides 1 WARNING" in said.out.splitlines()
        assert said.out.count("web1/disk") >= 1


def test_what_a_target_wrote_cannot_move_the_terminal(cli: Cli) -> None:
    for args in (
        ["checks"],
        ["status"],
        ["incident", "1"],
        ["explain", "web1/site"],
        ["ticket", "1"],
    ):
        said = cli(*args)
        assert "\x1b" not in said.out
        assert "\u202e" not in said.out
        assert "[bold]not markup[/bold]" in said.out
    code, shown = cli.on_terminal("", "checks")
    assert code == 0
    assert "\x1b[31mred" not in shown


def test_an_incident_is_shown_with_timeline_and_what_was_tried(cli: Cli, offline: Cli) -> None:
    for said in (cli("incident", "1"), offline("incident", "1")):
        assert said.out.startswith("incident 1: web1/site\n")
        assert "web1/site is CRITICAL" in said.out
        assert "step on web1: systemctl restart nginx: INTENT" in said.out


def test_a_ticket_is_printed_whole(cli: Cli, offline: Cli) -> None:
    for said in (cli("ticket", "1"), offline("ticket", "1")):
        assert said.code == 0
        assert "restart-nginx" in said.out
    assert cli("ticket", "1", "--json").json["means"] == "customers see an error"


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["incident", "99"], "there is no incident 99; `monitord incidents` lists them"),
        (["ticket", "99"], "there is no ticket 99; `monitord tickets` lists them"),
        (["explain", "web9/site"], "no check is called 'web9/site'; the nearest is web1/site"),
        (["checks", "--status", "bad"], "status=bad: no status; use OK, WARNING"),
        (["checks", "a&"], "selector 'a&' has an empty part"),
    ],
)
def test_what_is_not_there_is_one_line_with_the_nearest_names(
    cli: Cli, args: list[str], text: str
) -> None:
    said = cli(*args)
    assert said.code == 1
    assert said.err.startswith(f"monitord: {text}")
    assert len(said.err.splitlines()) == 1


def test_explain_shows_state_policy_reach_ladder_guards_and_places(cli: Cli) -> None:
    out = cli("explain", "web1/site").out
    for word in ("policy", "reach", "ladder", "restart-nginx", "guards", "monitord.yaml:8"):
        assert word in out
    short = cli("explain", "--config", "web1/site").out
    assert "monitord.yaml:8" in short
    assert "ladder" not in short


def test_the_audit_reads_the_chain_and_says_whether_all_holds(cli: Cli, offline: Cli) -> None:
    for said in (cli("audit", "--rows", "5", "--json"), offline("audit", "--rows", "5", "--json")):
        assert [row["actor"] for row in said.json["rows"]] == ["kim"]
        assert said.code == (1 if said.json["violations"] else 0)


def test_the_chain_is_looked_at_link_by_link_and_knows_its_own_end(cli: Cli, offline: Cli) -> None:
    for ask in (cli, offline):
        said = ask("log", "verify")
        assert (said.code, "links, every one holds" in said.out) == (0, True), said
        end = said.out.split()[-1]
        assert ask("log", "verify", "--head", end.upper()).code == 0
        other = ask("log", "verify", "--head", "0" * 64)
        assert (other.code, "made anew" in other.out) == (1, True)
        assert "64 digits" in ask("log", "verify", "--head", "abc").err


def test_the_first_bad_row_is_named(offline: Cli) -> None:
    with closing(sqlite3.connect(offline.core.state / "state.db")) as database, database:
        database.execute("UPDATE audit SET detail = 'nothing' WHERE id = 1")
    said = offline("log", "verify")
    with closing(sqlite3.connect(offline.core.state / "state.db")) as database, database:
        database.execute("UPDATE audit SET detail = 'known' WHERE id = 1")
    assert said.code == 1
    assert said.out.startswith("first bad: link 1 was changed after it was written (2026-11-27T12:")
    assert "kim: mute web1/site nothing)" in said.out.splitlines()[0]


def test_a_reader_that_has_seen_enough_is_no_error(cli: Cli) -> None:
    command = " ".join(cli.argv("checks", "--json"))
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -c 1"],
        capture_output=True,
        text=True,
        check=False,
        env=cli.environment,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("{", "")


def test_the_definitions_to_choose_from_are_listed_with_what_they_are(cli: Cli) -> None:
    found = {
        row["check"]: row["about"] for row in cli("checks", "--available", "--json").json["checks"]
    }
    assert found["memory"].startswith("Memory that programs could still get")


def test_watch_prints_what_happens_until_the_core_ends(cli: Cli) -> None:
    with subprocess.Popen(
        cli.argv("watch"), stdout=subprocess.PIPE, text=True, env=cli.environment, bufsize=1
    ) as process:
        assert process.stdout is not None
        line = ""
        while "forget" not in line:
            cli.core.client.post("/v1/forget", {"key": "web1/gone"})
            line = process.stdout.readline()
        process.terminate()


def test_help_imports_nothing_costly(cli: Cli) -> None:
    program = (
        "import sys; from monitord.cli.app import app\n"
        "heavy = {'rich', 'pydantic', 'sqlalchemy', 'starlette', 'structlog', 'prometheus_client',"
        " 'paramiko', 'requests', 'apscheduler', 'asyncio', 'yaml'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    done = subprocess.run(
        [*cli.argv()[:1], "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=cli.environment,
    )
    assert done.stdout == "[]\n"


def test_the_version_is_the_package_s(cli: Cli) -> None:
    assert cli("--version").out == "monitord 0.1.0\n"


@pytest.mark.parametrize("what", ["incident", "ticket"])
def test_a_number_that_no_row_can_have_is_not_found_with_and_without_a_core(
    cli: Cli, offline: Cli, what: str
) -> None:
    for ask in (cli, offline):
        said = ask(what, "99999999999999999999")
        assert said.code == 1
        assert f"there is no {what} 99999999999999999999" in said.err
        assert ask(what, "--", "-1").code == 2


@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
@pytest.mark.parametrize("json", ["", "--json"])
def test_a_status_that_cannot_be_written_is_unknown_and_one_line(
    cli: Cli, where: str, json: str
) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{shlex.join(cli.argv('status'))} {json} {where}"],
        capture_output=True,
        text=True,
        check=False,
        env=cli.environment,
        timeout=60,
    )
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("monitord: cannot write the answer: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("args", ["status", "check-config", "check-config monitord.yaml"])
def test_in_a_folder_that_was_removed_a_command_says_so_in_one_line(
    tmp_path: Path, args: str
) -> None:
    script = f"mkdir gone; cd gone; rmdir ../gone; exec {sys.executable} -m monitord {args}"
    done = subprocess.run(
        ["sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        timeout=60,
    )
    assert done.returncode in (1, 3)
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr


def test_the_ledger_says_what_was_tried_with_a_core_and_without(cli: Cli, offline: Cli) -> None:
    for ask in (cli, offline):
        answer = ask("ledger", "--since", "2026-01-01", "--json")
        assert answer.code == 0
        assert {"since", "runbooks", "checks", "hosts"} <= set(answer.json)
        (line,) = answer.json["runbooks"]
        assert (line["name"], line["attempts"], line["success"]) == ("restart-nginx", 0, None)
        assert "restart-nginx" in ask("ledger", "--since", "2026-01-01").out
        assert "'30dd' is neither a length nor a date" in ask("ledger", "--since", "30dd").err
        assert "nothing was tried" in ask("ledger", "--runbook", "other").out
