"""`monitord bundle`: a role for Ansible, with the keys locked and sudo to the argument."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from monitord.cli.app import app
from tests.cli.test_sudoers import HOUSE
from tests.world.process import find_program

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDyrFgAaTw2MRFt3lkCdPe1Wm9cpfK8yFxP6tSQXRlZk monitord"


@pytest.fixture
def main(tmp_path: Path) -> Path:
    path = tmp_path / "monitord.yaml"
    login = f"{{ssh: {{user: monitord, key: {tmp_path}/key, act: {{user: fixer, sudo: true}}}}}}"
    text = HOUSE.replace("{ssh: {user: monitord, act: {user: fixer, sudo: true}}}", login)
    text = text.replace("    checks:\n      units", "    groups: [web]\n    checks:\n      units")
    path.write_text(f"{text}groups: {{web: {{}}}}\n")
    return path


def bundle(main: Path, *words: str) -> Result:
    command = ["--config", str(main), "bundle", *words]
    return CliRunner().invoke(app, command)


def test_the_role_has_accounts_locked_keys_and_exact_sudo(main: Path, tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text(f"{KEY}\n")
    folder = tmp_path / "out"
    done = bundle(main, "web", str(folder))
    assert done.exit_code == 0, done.output
    accounts = yaml.safe_load((folder / "host_vars/web1.yml").read_text())["monitord_accounts"]
    lock = 'restrict,command="/bin/sh /usr/local/lib/monitord-locked'
    assert accounts == [
        {"name": "monitord", "key": f'{lock} read" {KEY}'},
        {"name": "fixer", "key": f'{lock} act" {KEY}'},
    ]
    tasks = yaml.safe_load((folder / "roles/monitord/tasks/main.yml").read_text())
    assert all(task["name"] and len(task) > 1 for task in tasks)
    rules = folder / "roles/monitord/files/web1.sudoers"
    assert "systemctl start cron.service" in rules.read_text()
    subprocess.run([find_program("visudo"), "-cf", str(rules)], check=True, capture_output=True)
    locked = folder / "roles/monitord/files/web1.locked"
    subprocess.run(["sh", "-n", str(locked)], check=True)
    assert "web1 ansible_host=10.1.1.11 ansible_port=22" in (folder / "inventory.ini").read_text()
    assert "is not empty" in bundle(main, "web", str(folder)).output


def test_without_a_public_key_nothing_is_written(main: Path, tmp_path: Path) -> None:
    done = bundle(main, "web", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert "key.pub cannot be read" in done.output
    assert not (tmp_path / "out").exists()


def test_a_group_that_is_not_there_is_told_with_the_nearest(main: Path, tmp_path: Path) -> None:
    assert "there is no group wep (did you mean web?)" in bundle(main, "wep", str(tmp_path)).output
