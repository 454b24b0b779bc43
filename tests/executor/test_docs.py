"""docs/executor.md and docs/runbooks.md say what is so."""

import re
from pathlib import Path
from typing import Any

import pytest

from monitord import config
from monitord.actions import ACTIONS
from monitord.executor import devices, hosts
from monitord.executor.server import _TYPES
from monitord.model.kinds import Kinds
from monitord.probes import PROBES
from monitord.transports import device, local, runner, ssh

ROOT = Path(__file__).parents[2]
EXECUTOR = (ROOT / "docs" / "executor.md").read_text(encoding="utf-8")
RUNBOOKS = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
KINDS = Kinds(PROBES, ACTIONS, {})
STEPS = re.findall(rf"```yaml\n((?:{'|'.join(ACTIONS)}):.*?)```", RUNBOOKS, re.DOTALL)


def load(folder: Path, main: str, **runbooks: str) -> Any:
    (folder / "remediations").mkdir()
    for name, text in runbooks.items():
        (folder / "remediations" / f"{name}.yaml").write_text(text, encoding="utf-8")
    (folder / "monitord.yaml").write_text(main, encoding="utf-8")
    return config.load(folder / "monitord.yaml", KINDS)


def test_each_kind_of_step_has_an_example() -> None:
    assert {step.partition(":")[0] for step in STEPS} == set(ACTIONS)


@pytest.mark.parametrize("step", STEPS)
def test_an_example_of_a_step_is_one(step: str, tmp_path: Path) -> None:
    lines = "\n".join(f"    {line}" for line in step.splitlines())
    rest = "verify: {settle: 1s, oks: 1, within: 1m}\nlimits: {per_incident: 1}\n"
    only = ACTIONS[step.partition(":")[0]].only
    does = "steps: [wait: 1s]\n" if only else ""
    book = f"{only[0] if only else 'steps'}:\n  -\n{lines}\n{does}{rest}"
    assert "example" in load(tmp_path, "hosts: {}\n", example=book).runbooks


def test_the_example_of_a_runbook_is_one(tmp_path: Path) -> None:
    (book,) = re.findall(r"```yaml\n(# remediations/.*?)```", RUNBOOKS, re.DOTALL)
    assert "clear-queue" in load(tmp_path, "hosts: {}\n", **{"clear-queue": book}).runbooks


def test_the_examples_of_hosts_load(tmp_path: Path) -> None:
    found = re.findall(r"```yaml\n(hosts:.*?)```", EXECUTOR + RUNBOOKS, re.DOTALL)
    names = []
    for number, main in enumerate(found):
        (tmp_path / str(number)).mkdir()
        names += load(tmp_path / str(number), main).hosts
    assert names == ["web1", "here", "r1", "web1"]


def test_the_table_of_shipped_runbooks_is_complete(tmp_path: Path) -> None:
    rows = re.findall(
        r"^\| \[([a-z-]+)\]\(runbooks/\1\.md\) \|.*\| ([a-z_, ]*)\| (auto|approve) \|$",
        RUNBOOKS,
        re.MULTILINE,
    )
    shipped = load(tmp_path, "hosts: {}\n").runbooks
    assert {name: mode for name, _, mode in rows} == {
        name: book.mode for name, book in shipped.items()
    }
    for name, needs, _ in rows:
        lines = (ROOT / "remediations" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
        text = "\n".join(line.partition("#")[0] for line in lines)
        given = {"item", "host", "address", *shipped[name].parameters}
        told = set(re.findall(r"[a-z_]+", needs)) - {"and", "or"}
        slots = set(re.findall(r"(?<!\{)\{([a-z_]+)\}(?!\})", text))
        assert slots - given <= told, f"{name} needs what its line does not tell"
        assert told <= slots, f"{name} has no such parameter"


def test_every_word_of_the_socket_is_told() -> None:
    words = set(re.findall(r"^\| ([a-z]+) \| .* \|$", EXECUTOR, re.MULTILINE)) - {"do", "what"}
    source = (ROOT / "monitord" / "executor" / "server.py").read_text(encoding="utf-8")
    assert words == set(re.findall(r'^            "([a-z]+)": self\._', source, re.MULTILINE))


def test_every_type_of_error_is_told() -> None:
    for name in _TYPES.values():
        assert f"`{name}`" in EXECUTOR


def test_the_limits_are_those_of_the_code() -> None:
    for said in (
        f"| {ssh.CHANNELS}; then",
        f"| {ssh.IDLE_KEPT}, for {ssh.IDLE_FOR:g} s |",
        f"| {hosts._READING}, {hosts._ACTING}; of one host {hosts._PER_HOST} each |",
        f"| {hosts._AT_ONCE} |",
        f"| {devices._LOOKING}, {devices._ACTING}; of one device 1 each |",
        f"bounded at\n  {device.LIMIT // 2**20} MiB a session",
        f"{local.LIMIT // 1024} KiB of each stream",
        f"who writes {local.LIMIT * local._FLOOD // 2**20} MiB is ended",
        f"{hosts.FACTS_LIMIT // 2**20} MiB |",
        f"| {runner._LONGEST:,} bytes, {runner._MOST / 1e6:g} MB |",
        f"the first and the last {runner.KEEP:,} bytes",
    ):
        assert said in EXECUTOR, said
