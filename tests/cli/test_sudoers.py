"""`monitord sudoers`: each argv that may run as root, exact; the rest is told, never widened."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_cli_files import monitord
from tests.world.process import find_program

HOUSE = """\
state: ./var
profile: standard
hosts:
  web1:
    address: 10.1.1.11
    login: {ssh: {user: monitord, act: {user: fixer, sudo: true}}}
    checks:
      units: {systemd: {units: [cron, app@1]}, remediate: [fix-unit]}
      site: {http: {url: "http://{address}/"}, remediate: [restart-nginx, look-only]}
runbooks:
  fix-unit:
    require: [{command: [systemctl, is-enabled, "{item}"]}]
    steps: [{systemd: {unit: "{item}", do: start}, timeout: 90s}]
    undo: [{systemd: {unit: "{item}", do: stop}}]
    verify: {settle: 1s, oks: 1, within: 1m}
    limits: {per_incident: 1}
    mode: auto
  look-only:
    steps: [{command: {run: [reboot], sudo: true}}]
    verify: {settle: 1s, oks: 1, within: 1m}
    limits: {per_incident: 1}
    mode: shadow
"""
PREFIX = "fixer ALL=(root) NOPASSWD: /usr/bin/timeout -k 5"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    path = tmp_path / "monitord.yaml"
    path.write_text(HOUSE)
    return path


def rules(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(("#", "Defaults"))]


def test_the_file_holds_each_argv_with_its_deadline_and_nothing_else(house: Path) -> None:
    done = monitord("sudoers", "web1", cwd=house.parent, config=house)
    assert done.returncode == 0, done.stdout
    units = [rule for rule in rules(done.stdout) if " systemctl st" in rule]
    assert units == [
        f"{PREFIX} 60 systemctl stop app@1.service",
        f"{PREFIX} 60 systemctl stop cron.service",
        f"{PREFIX} 90 systemctl start app@1.service",
        f"{PREFIX} 90 systemctl start cron.service",
    ]
    assert f"{PREFIX} 60 systemctl restart nginx.service" in done.stdout
    assert "reboot" not in "".join(rules(done.stdout)), "a runbook in shadow acts on nothing"
    assert "look-only" in done.stdout, "and the file says why it is not there"


@pytest.mark.skipif(find_program("visudo") is None, reason="needs sudo's visudo")
def test_sudo_itself_takes_the_file(house: Path) -> None:
    text = house.read_text().replace(
        "run: [reboot]", 'run: [awk, "{{print($1)}}", "a,b:c=d#e", "x*?[y]\\\\z", "!-"]'
    )
    house.write_text(text.replace("mode: shadow", "mode: auto"))
    done = monitord("sudoers", "web1", cwd=house.parent, config=house)
    assert r"a\,b\:c\=d\#e x\*\?\[y\]\\z" in done.stdout, done.stdout
    file = house.with_name("sudoers")
    file.write_text(done.stdout)
    file.chmod(0o440)
    visudo = subprocess.run(
        [str(find_program("visudo")), "-cf", str(file)], capture_output=True, text=True, check=False
    )
    assert visudo.returncode == 0, visudo.stdout + visudo.stderr


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("{units: [cron, app@1]}", "{failed: true}", "name them in the check"),
        ("run: [reboot]", 'run: [sh, -c, "reboot now"]', "a script of its own, owned by root"),
        (
            "[{command: {run: [reboot], sudo: true}}]",
            "[{restore: {tar: /b.tar, to: /srv/www, sudo: true}}]",
            "whoever may do that as root may do anything",
        ),
    ],
)
def test_what_cannot_be_exact_is_left_out_and_told_with_its_cure(
    house: Path, before: str, after: str, why: str
) -> None:
    assert before in HOUSE
    text = HOUSE.replace(before, after).replace("mode: shadow", "mode: auto")
    house.write_text(text)
    done = monitord("sudoers", "web1", "--json", cwd=house.parent, config=house)
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert why in str(answer["gaps"])
    assert not re.search(r"ALL$|\*|sh -", "\n".join(rules("\n".join(answer["file"]))))


def test_root_needs_no_file_and_a_watched_host_gets_none(house: Path) -> None:
    house.write_text(HOUSE.replace("user: fixer, ", "user: root, "))
    done = monitord("sudoers", "web1", cwd=house.parent, config=house)
    assert (done.returncode, rules(done.stdout)) == (0, [])
    assert "as root, which needs no sudo" in done.stdout
    house.write_text(
        HOUSE.replace(", act: {user: fixer, sudo: true}", "").replace("auto", "shadow")
    )
    done = monitord("sudoers", "web1", cwd=house.parent, config=house)
    assert (done.returncode, rules(done.stdout)) == (0, [])
    assert "only watched" in done.stdout
