"""Evidence is read-only, bounded, readable, and says what it may not read or has not got."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import monitord
from monitord import config
from monitord.actions import ACTIONS
from monitord.errors import ConfigError
from monitord.model.effect import Command, StepContext
from monitord.model.kinds import Kinds

KIND = ACTIONS["evidence"]
CONTEXT = StepContext("web1", "10.1.1.11", "/srv/data", {})
ESSENTIAL = "awk cat cut date df du find getconf getent grep head id sed sort stat tail timeout tr"


def command(written: Any, context: StepContext = CONTEXT) -> Command:
    effect = KIND.render(KIND.spec.model_validate(written), context)
    assert isinstance(effect, Command)
    return effect


def collect(
    written: Any,
    *,
    since: float = 0,
    path: str = os.environ["PATH"],
    uid: int | None = None,
) -> str:
    """Run it as the runner does: two numbers before the script."""
    effect = command(written)
    done = subprocess.run(
        effect.argv,
        input=f"monitord_step=7 monitord_since={since:.0f}\n{effect.stdin}".encode(),
        env={"PATH": path, "HOME": "/"},
        capture_output=True,
        timeout=60,
        check=True,
        user=uid,
        group=uid,
        extra_groups=[] if uid is not None else None,
        cwd="/",
    )
    assert done.stderr == b""
    return done.stdout.decode("utf-8", "replace")


def test_it_never_asks_for_root_and_holds_no_lock() -> None:
    effect = command("cpu")
    assert effect.argv == ("sh", "-s", "--", "cpu")
    assert not effect.sudo
    assert KIND.resource(KIND.spec.model_validate("cpu"), CONTEXT) == ""


@pytest.mark.parametrize(
    ("written", "argv"),
    [
        ("disk", ("disk", "/")),
        ({"about": "disk", "path": "{item}"}, ("disk", "/srv/data")),
        ({"about": "logs", "unit": "nginx"}, ("logs", "nginx")),
        ({"about": "traceroute", "to": "{address}"}, ("way", "10.1.1.11")),
        ("changes", ("changed",)),
    ],
)
def test_it_fills_its_argument(written: Any, argv: tuple[str, ...]) -> None:
    assert command(written).argv[3:] == argv


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("weather", "cpu"),
        ("logs", "needs unit"),
        ({"about": "cpu", "path": "/"}, "does not take it"),
        ({"about": "dns"}, "needs to"),
    ],
)
def test_what_does_not_fit_is_refused(written: Any, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        KIND.spec.model_validate(written)


@pytest.mark.parametrize(
    "written",
    [
        {"about": "disk", "path": "etc"},
        {"about": "dns", "to": "-x"},
        {"about": "logs", "unit": "--rotate"},
        {"about": "dns", "to": "x" * 5000},
    ],
)
def test_an_argument_is_never_an_option(written: Any) -> None:
    with pytest.raises(ValueError, match=r"option|absolute|characters"):
        command(written)


@pytest.mark.parametrize(
    ("written", "heading"),
    [
        ("cpu", "== processes by CPU, over 2 s"),
        ("memory", "== processes by memory"),
        ("deleted", "== deleted, but still open"),
        ("sockets", "tcp listens on:"),
        ("routes", "== interfaces"),
        ({"about": "dns", "to": "localhost"}, "127.0.0.1"),
        ("kernel", "== kernel log since"),
        ("changes", "== what changed since"),
    ],
)
def test_each_subject_has_its_headings(written: Any, heading: str) -> None:
    assert heading in collect(written)


def test_the_busiest_process_comes_first() -> None:
    with subprocess.Popen(["sh", "-c", "while :; do :; done"]) as busy:
        try:
            told = collect("cpu")
        finally:
            busy.kill()
    assert f"\n{busy.pid} " in "\n".join(told.splitlines()[:12])


def test_no_script_complains_of_a_process_that_has_ended_meanwhile() -> None:
    # The shell itself says that it cannot open a file, before a redirection that stands after it.
    of_process = re.compile(r'<"?/proc/\$')
    heeded = re.compile(r'2>/dev/null <"?/proc/\$|\{ .*<"?/proc/\$.*\} 2>/dev/null')
    lines = [
        (script.name, line)
        for script in Path(monitord.__file__).parent.rglob("*.sh")
        for line in script.read_text().splitlines()
        if of_process.search(line)
    ]
    assert len(lines) > 3
    assert [one for one in lines if not heeded.search(one[1])] == []


def test_names_with_line_ends_and_escapes_stay_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "evil\n== kernel log\x1b[31m"
    folder.mkdir()
    (folder / "$(touch pwned)\n`id`").write_bytes(b"x" * 11_000_000)
    told = collect({"about": "disk", "path": str(tmp_path)}, since=time.time() - 60)
    assert "\n== kernel log" not in told
    assert "evil?== kernel log" in told
    assert "$(touch pwned)?`id`" in told
    assert "10.5 MiB" in told
    assert not (tmp_path / "pwned").exists()


def test_a_deleted_file_that_is_held_is_named_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "huge.log"
    with path.open("wb") as held:
        held.write(b"x" * 3_000_000)
        held.flush()
        path.unlink()
        told = collect("deleted")
    (line,) = [line for line in told.splitlines() if "huge.log" in line]
    assert "2.9 MiB" in line
    assert f"pid {os.getpid()}" in line


def test_a_folder_of_many_files_is_cut_to_its_largest(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"folder{number}").mkdir()
    told = collect({"about": "disk", "path": str(tmp_path)})
    assert len(told.splitlines()) < 120


def test_what_the_user_may_not_read_is_said(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    tmp_path.chmod(0o755)
    told = collect({"about": "disk", "path": "/etc"}, uid=65534)
    assert "may not see the open files of other users" in told
    assert "may not read all of it" in told
    assert "may not read the kernel log" in collect("kernel", uid=65534)


def test_a_host_with_little_says_in_a_line_what_is_missing(tmp_path: Path) -> None:
    """Debian's minbase: no procps, no iproute2, no traceroute, no systemd."""
    for tool in ["sh", *ESSENTIAL.split()]:
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    path = str(tmp_path)
    assert "(ss is not installed here; package iproute2 brings it)" in _only(path, "sockets")
    assert "(ip is not installed here; package iproute2 brings it)" in _only(path, "routes")
    way = _only(path, {"about": "traceroute", "to": "127.0.0.1"})
    assert "(traceroute is not installed here; package traceroute brings it)" in way
    assert "== processes by memory" in _only(path, "memory")


def test_it_stands_under_collect_only(tmp_path: Path) -> None:
    main = tmp_path / "monitord.yaml"
    main.write_text(
        "hosts: {}\nrunbooks:\n  look:\n    collect: [evidence: cpu]\n"
        "    require: [evidence: disk]\n    steps:\n      - evidence: cpu\n"
        "    verify: {settle: 1s, oks: 1, within: 1m}\n    limits: {per_incident: 1}\n"
    )
    with pytest.raises(ConfigError) as caught:
        config.load(main, Kinds({}, ACTIONS, {}))
    told = [str(problem) for problem in caught.value.problems]
    assert [text.partition(": ")[2] for text in told if "evidence" in text] == [
        "look: require: evidence: it belongs under collect: only (move it there)",
        "look: steps: evidence: it belongs under collect: only (move it there)",
    ]


def _only(path: str, written: Any) -> str:
    """Run it where only these tools are: the script itself would look in /usr/sbin, too."""
    effect = command(written)
    lines = [line for line in effect.stdin.splitlines() if not line.startswith("PATH=")]
    done = subprocess.run(
        [f"{path}/sh", *effect.argv[1:]],
        input="\n".join(lines) + "\n",
        env={"PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout
