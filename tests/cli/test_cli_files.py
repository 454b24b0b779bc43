"""The commands around the files: check-config, schema, explain --config, test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
GOOD = """\
state: ./var
hosts:
  web1:
    address: 10.1.1.11
    checks:
      site: {http: {url: "http://{address}/"}, every: 30s}
      nightly: {job: {every: 1d}}
"""
SHIPPED = "tests/behaviour/restart-heals.test.yaml"


def monitord(*args: str, cwd: Path, config: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder of its own."""
    named = ["--config", str(config)] if config else []
    done = subprocess.run(
        [sys.executable, "-m", "monitord", *named, *args],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=60,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "monitord.yaml"
    path.write_text(GOOD)
    return path


def test_a_good_configuration_exits_0_and_counts_what_is_in_it(good: Path) -> None:
    done = monitord("check-config", cwd=good.parent, config=good)
    assert (done.returncode, done.stdout) == (
        0,
        f"{good} is good: 1 hosts, 2 checks, {count_runbooks(good)} runbooks\n",
    )
    answer = json.loads(monitord("check-config", str(good), "--json", cwd=good.parent).stdout)
    assert (answer["ok"], answer["hosts"], answer["checks"]) == (True, 1, 2)


def count_runbooks(config: Path) -> int:
    """Give how many runbooks come with it: those that are shipped."""
    done = monitord("check-config", str(config), "--json", cwd=config.parent)
    found: int = json.loads(done.stdout)["runbooks"]
    return found


def test_every_mistake_is_a_line_on_stderr_and_exit_1(good: Path) -> None:
    good.write_text(GOOD.replace("30s", "30").replace("address:", "adress:"))
    done = monitord("check-config", cwd=good.parent, config=good)
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert len(lines) >= 2
    assert all(line.startswith(f"{good}:") for line in lines)
    answer = json.loads(monitord("check-config", str(good), "--json", cwd=good.parent).stdout)
    assert answer["ok"] is False
    assert len(answer["problems"]) == len(lines)


def test_a_file_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    done = monitord("check-config", str(tmp_path / "none.yaml"), cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"monitord: {tmp_path}/none.yaml: no such file; give the main")


@pytest.mark.parametrize(
    ("command", "code"), [("run", 1), ("core", 78), ("executor", 78), ("web", 78)]
)
def test_no_process_starts_on_a_broken_configuration(good: Path, command: str, code: int) -> None:
    """One of the three says by its exit code (EX_CONFIG) that starting it again cannot help."""
    good.write_text("hosts: [")
    done = monitord(command, "--config", str(good), cwd=good.parent)
    assert done.returncode == code
    assert f"{good}:2:1: a value is missing here" in done.stderr
    assert not (good.parent / "var").exists()


@pytest.mark.parametrize("key", ["web1/site", "web1/site/an/item"])
def test_each_value_is_explained_with_its_line_and_no_core(good: Path, key: str) -> None:
    done = monitord("explain", "--config", key, "--json", cwd=good.parent, config=good)
    rows = {row["setting"]: row for row in json.loads(done.stdout)["config"]}
    assert (rows["every"]["value"], rows["every"]["place"]) == ("30s", f"{good}:6")


def test_what_is_explained_must_exist(good: Path) -> None:
    done = monitord("explain", "--config", "web1/stie", cwd=good.parent, config=good)
    assert done.returncode == 1
    assert "web1/site" in done.stderr


def test_the_schema_accepts_the_file_and_refuses_a_wrong_key(good: Path) -> None:
    schema = json.loads(monitord("schema", cwd=good.parent).stdout)
    document = yaml.safe_load(GOOD)
    jsonschema.validate(document, schema)
    document["hosst"] = {}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)


def test_scenarios_are_run_and_a_broken_promise_exits_1(tmp_path: Path) -> None:
    done = monitord("test", str(ROOT / SHIPPED), cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "1 of 1 hold")
    (tmp_path / "bad.test.yaml").write_text("expect: 3\n")
    done = monitord("test", str(tmp_path / "bad.test.yaml"), cwd=tmp_path)
    assert done.returncode == 1
    assert "FAILED" in done.stdout


def test_no_scenario_at_all_is_no_success(tmp_path: Path) -> None:
    done = monitord("test", str(tmp_path), cwd=tmp_path)
    said = f"no scenario is in {tmp_path} (they are called NAME.test.yaml)\n0 of 0 hold\n"
    assert (done.returncode, done.stdout) == (1, said)
