"""`monitord preflight`: what keeps a host from being checked or repaired is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from monitord.cli.app import app
from tests.world.peers import Sshd

Look = Callable[..., Any]
RUNBOOK = """
runbooks:
  again:
    steps: [{command: {run: [systemctl, restart, "a b"], sudo: true}}]
    verify: {settle: 1s, oks: 1, within: 1m}
    limits: {per_incident: 1}
    mode: auto
"""


@pytest.fixture
def look(sshd: Sshd, tmp_path: Path) -> Look:
    def _look(key: Path = sshd.key, known: Path = sshd.known_hosts, act: str = "") -> Any:
        login = f"user: {sshd.user}, key: {key}, port: {sshd.port}, known_hosts: {known}{act}"
        checks = "checks: {up: {tcp: {port: 22}, remediate: [again]}}"
        main = tmp_path / "monitord.yaml"
        main.write_text(
            "profile: standard\n"
            f"hosts: {{web1: {{address: 127.0.0.1, login: {{ssh: {{{login}}}}}, {checks}}}}}\n"
            + RUNBOOK
        )
        done = CliRunner().invoke(app, ["--config", str(main), "preflight", "--json"])
        return done.exit_code, json.loads(done.stdout)["hosts"][0]

    return _look


def test_a_host_that_is_only_watched_is_ready_when_it_can_be_checked(look: Look) -> None:
    code, row = look()
    assert (code, row["can_check"], row["can_repair"], row["wrong"]) == (0, True, False, "")
    assert abs(row["clock"]) < 5


def test_an_unknown_host_key_and_a_refused_key_are_told_apart(
    look: Look, sshd: Sshd, tmp_path: Path
) -> None:
    code, row = look(known=tmp_path / "nobody")
    assert (code, row["can_check"], row["login"]) == (1, False, "")
    assert "is unknown" in row["host_key"]
    other = tmp_path / "other"
    shutil.copy(sshd.folder / "host_key", other)
    code, row = look(key=other)
    assert (code, row["host_key"]) == (1, "")
    assert "takes none of our keys" in row["login"]


def test_an_acting_login_that_is_root_can_repair(look: Look) -> None:
    code, row = look(act=", act: {sudo: true}")
    assert (code, row["can_repair"], row["sudo"]) == (0, True, [])


def test_what_sudo_does_not_allow_is_named_to_the_word(look: Look, sshd: Sshd) -> None:
    """Whoever logs in is nobody there, whom no line in sudoers names."""
    config = sshd.folder / "sshd_config"
    config.write_text(f"{config.read_text()}\nForceCommand runuser -u nobody -- /bin/sh\n")
    sshd.stop()
    sshd.start()
    code, row = look(act=", act: {sudo: true}")
    assert (code, row["can_check"], row["can_repair"]) == (1, True, False)
    assert row["sudo"] == ["/usr/bin/timeout -k 5 60 systemctl restart 'a b'"]
    assert "monitord sudoers web1" in row["wrong"]
