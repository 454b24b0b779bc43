"""Mistakes that need several files, or a file that is no text: told, never a traceback."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from monitord.config import assemble, read
from monitord.config import load as load_path
from monitord.errors import ConfigError
from tests.config.conftest import Load, Problems
from tests.config.kinds import KINDS

Write = Callable[[str, str], Path]
STEPS = "steps: [{systemd: {unit: nginx}}]\n"
VERIFY = "verify: {settle: 15s, oks: 3, within: 2m}\n"
LIMITS = "limits: {per_incident: 1}\n"
RUNBOOK = STEPS + VERIFY + LIMITS
SITE = "site: {http: {url: 'http://x/'}}\n"


def test_a_runbook_file_without_verify(problems: Problems) -> None:
    assert problems("profile: lab\n", {"remediations/restart.yaml": STEPS + LIMITS}) == [
        (
            "remediations/restart.yaml:1:1: restart: verify: is missing: a repair that nobody "
            "proves is no repair (write verify: {settle: 15s, oks: 3, within: 2m})"
        )
    ]


def test_a_runbook_file_without_limits(problems: Problems) -> None:
    assert problems("profile: lab\n", {"remediations/restart.yaml": STEPS + VERIFY}) == [
        (
            "remediations/restart.yaml:1:1: restart: limits: is missing: nothing would stop it "
            "from running again and again (write limits: {per_incident: 1, cooldown: 10m, "
            "per_hour: 3})"
        )
    ]


def test_a_runbook_file_that_is_a_list(problems: Problems) -> None:
    assert problems("profile: lab\n", {"remediations/restart.yaml": "- systemd: {}\n"}) == [
        "remediations/restart.yaml:1:1: restart: is a list, not a map (write key: value)"
    ]


def test_a_check_file_defines_one_check(problems: Problems) -> None:
    two = SITE + "vip: {http: {url: 'http://y/'}}\n"
    assert problems("profile: lab\n", {"checks/web/site.yaml": two}) == [
        (
            "checks/web/site.yaml:1:1: a check file defines one check (write its name, a "
            "colon, and the check below)"
        )
    ]


def test_one_check_name_in_two_files(problems: Problems) -> None:
    files = {"checks/site.yaml": SITE, "checks/web/other.yaml": SITE}
    assert problems("profile: lab\n", files) == [
        (
            "checks/web/other.yaml:1:1: check site is written twice (first in checks/site.yaml:1); "
            "remove one"
        )
    ]


def test_one_file_name_twice_below_one_folder(problems: Problems) -> None:
    files = {"checks/a/site.yaml": SITE, "checks/b/site.yaml": SITE}
    assert problems("profile: lab\n", files) == [
        (
            "checks/b/site.yaml:1:1: a second file of this name (the first is checks/a/site.yaml); "
            "rename one"
        )
    ]


def test_a_name_in_two_included_files_names_both_places(problems: Problems) -> None:
    files = {
        "conf.d/a.yaml": "hosts:\n  web1: {address: 10.0.0.1}\nprofile: lab\n",
        "conf.d/b.yaml": "hosts:\n  web1: {address: 10.0.0.2}\nprofile: lab\n",
    }
    assert problems("include: [conf.d/*.yaml]\n", files) == [
        "conf.d/b.yaml:2:3: web1: is written twice (first in conf.d/a.yaml:2); remove one",
        "conf.d/b.yaml:3:1: profile: is written twice (first in conf.d/a.yaml:3); remove one",
    ]


def test_a_masked_check_is_told_from_an_unknown_one(problems: Problems) -> None:
    main = "hosts: {web1: {checks: {site: }}}\n"
    files = {"shipped/checks/web/site.yaml": SITE, "checks/site.yaml": "# not here\n"}
    assert problems(main, files) == [
        "main.yaml:1:25: check site is masked by the empty file checks/site.yaml"
    ]


def test_a_masked_runbook_is_told_from_an_unknown_one(problems: Problems) -> None:
    main = "hosts: {web1: {checks: {site: {remediate: [restart]}}}}\n"
    files = {
        "shipped/checks/web/site.yaml": SITE,
        "shipped/remediations/restart.yaml": RUNBOOK,
        "etc/remediations/restart.yaml": "",
    }
    assert problems(main, files) == [
        (
            "main.yaml:1:44: site: runbook restart is masked by the empty file "
            "etc/remediations/restart.yaml"
        )
    ]


def test_a_broken_file_hides_no_other_mistake_and_invents_none(problems: Problems) -> None:
    """Names that the broken file may define are not called unknown."""
    main = (
        "include: hosts.yaml\ngroups: {linux: {hosts: [web1]}, web: {hosts: [web2], iste: ulm}}\n"
    )
    assert problems(main, {"hosts.yaml": "hosts:\n  web1: {address: [\n"}) == [
        "hosts.yaml:3:1: a value is missing here (write one, or close the bracket)",
        "main.yaml:2:55: web.iste: unknown key (did you mean site?)",
    ]


def test_an_error_in_a_shipped_definition_points_at_the_value_that_caused_it(
    problems: Problems,
) -> None:
    """A host's override is checked with the rest, and only the override is blamed."""
    main = "hosts: {web1: {checks: {site: {status: fine}}}}\n"
    assert problems(main, {"shipped/checks/site.yaml": SITE}) == [
        "main.yaml:1:40: site: http.status: 'fine' is not a whole number"
    ]


def test_a_world_writable_file_is_refused(write: Write, load: Load, tmp_path: Path) -> None:
    path = write("conf.d/hosts.yaml", "hosts: {web1: }\n")
    path.chmod(0o666)
    with pytest.raises(ConfigError) as caught:
        load("include: conf.d/hosts.yaml\n")
    assert [str(problem) for problem in caught.value.problems] == [
        f"{path}:1:1: anybody may write this file, so nobody can trust it (chmod o-w {path})"
    ]


def test_a_world_writable_script_beside_the_runbooks_is_refused(write: Write, load: Load) -> None:
    script = write("remediations/fix.sh", "#!/bin/sh\n")
    script.chmod(0o757)
    with pytest.raises(ConfigError) as caught:
        load("profile: lab\n")
    assert [str(problem) for problem in caught.value.problems] == [
        f"{script}:1:1: anybody may write this file, so nobody can trust it (chmod o-w {script})"
    ]


def test_a_world_writable_script_that_a_runbook_names_is_refused(
    write: Write, load: Load, tmp_path: Path
) -> None:
    script = write("bin/fix", "#!/bin/sh\n")
    script.chmod(0o777)
    runbook = f"steps:\n  - command: {{run: [{script}, --now]}}\n{VERIFY}{LIMITS}"
    with pytest.raises(ConfigError) as caught:
        load("profile: lab\n", {"remediations/fix.yaml": runbook})
    assert [str(problem) for problem in caught.value.problems] == [
        (
            f"{tmp_path}/remediations/fix.yaml:2:21: {script}: anybody may write this file, so "
            f"nobody can trust it (chmod o-w {script})"
        )
    ]


def test_a_world_writable_data_file_is_nobody_s_business(write: Write, load: Load) -> None:
    data = write("spool", "")
    data.chmod(0o666)
    load(f"hosts: {{web1: {{checks: {{p: {{nagios: {{command: [check, {data}]}}}}}}}}}}\n")


def test_a_world_writable_content_folder_is_refused(write: Write, load: Load) -> None:
    folder = write("checks/site.yaml", SITE).parent
    folder.chmod(0o777)
    with pytest.raises(ConfigError) as caught:
        load("profile: lab\n")
    assert [str(problem) for problem in caught.value.problems] == [
        f"{folder}:1:1: anybody may write this folder, so nobody can trust it (chmod o-w {folder})"
    ]


@pytest.mark.parametrize("folder", ["checks", "remediations"])
def test_a_file_in_place_of_a_content_folder_is_no_empty_folder(
    folder: str, problems: Problems, tmp_path: Path
) -> None:
    assert problems("profile: lab\n", {folder: "x: 1\n"}) == [
        f"{folder}:1:1: is not a folder (make it one that holds the files, or remove {folder})"
    ]


def test_a_folder_that_cannot_be_listed_is_no_empty_folder(tmp_path: Path) -> None:
    """Else a reload would drop its checks; and what it may define is not called unknown."""
    with tempfile.TemporaryDirectory() as name:  # the folders above tmp_path are closed to others
        base = Path(name)
        base.chmod(0o755)
        main = base / "main.yaml"
        main.write_text("hosts: {web1: {checks: {site: }}}\n")
        (base / "checks/web").mkdir(parents=True)
        (base / "checks/web").chmod(0)
        (base / "remediations").mkdir(0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            sources = read(main, shipped=base / "shipped", system=base / "etc")
        finally:
            os.seteuid(user)
    with pytest.raises(ConfigError) as caught:
        assemble(sources, KINDS)
    told = "cannot be listed: Permission denied (let monitord's user read it: chmod o+rx"
    assert [str(problem).replace(name, "") for problem in caught.value.problems] == [
        f"/checks/web:1:1: {told} /checks/web)",
        f"/remediations:1:1: {told} /remediations)",
    ]


def test_thousands_of_mistakes_are_not_all_told(problems: Problems) -> None:
    told = problems("".join(f"k{number:05}: 1\n" for number in range(20_000)))
    assert len(told) == 201
    assert told[0].startswith("main.yaml:1:1: k00000: unknown key")
    assert told[-1] == "main.yaml:200:1: … and 19,800 more (mend these first)"


CLEAR = "a secret in clear text, which everybody who reads this file reads too"
CURE = "(write !secret env:NAME, file:/path or credential:NAME)"


def test_a_secret_in_clear_text_is_warned_of_at_its_line(load: Load, tmp_path: Path) -> None:
    catalog = load(
        "tickets: {chat: {webhook: {url: http://c/, secret: s3}}}\n"
        "hosts:\n"
        "  w:\n"
        "    checks:\n"
        "      a: {http: {url: http://x/, headers: {Authorization: Bearer abc, Accept: a}}}\n"
        "      b: {http: {url: 'http://me:pw@x/'}}\n"
        "      c: {http: {url: http://x/, headers: {Authorization: !secret env:X}}}\n"
    )
    assert [text.replace(f"{tmp_path}/", "") for text in catalog.warnings] == [
        f"main.yaml:1: secret: {CLEAR} {CURE}",
        f"main.yaml:5: Authorization: {CLEAR} {CURE}",
        f"main.yaml:6: url: {CLEAR} {CURE}",
    ]


def _told(path: Path, tmp_path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_path(path, KINDS)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]


def test_a_missing_main_file_says_what_to_do(tmp_path: Path) -> None:
    assert _told(tmp_path / "monitord.yaml", tmp_path) == [
        (
            "monitord.yaml:1:1: no such file (write one; config/monitord.yaml of the source is a "
            "working start)"
        )
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", ":1:1: is empty (config/monitord.yaml is a start)"),
        (b"profile: lab\nsite: \xff\n", ":2:7: byte 0xff is not UTF-8 (save the file as UTF-8)"),
        (b"profile: lab\x00\n", ":1:13: control character U+0000 (remove it)"),
        (b"profile: lab\nk\xc3\xb6ln: \x07\n", ":2:7: control character U+0007 (remove it)"),
        (b"\xff\xfep\x00", ":1:1: byte 0xff is not UTF-8 (save the file as UTF-8)"),
        (b"[" * 100_000, ":1:1: is nested more than 64 levels deep"),
        (b"- " * 100_000, ":1:1: is nested more than 64 levels deep"),
        (b"{a: " * 100_000, ":1:1: is nested more than 64 levels deep"),
        (b"\x1f\x8b\x08", ":1:2: byte 0x8b is not UTF-8 (save the file as UTF-8)"),
    ],
)
def test_a_file_that_is_no_yaml_text(data: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "main.yaml"
    path.write_bytes(data)
    sources = read(path, shipped=tmp_path / "shipped", system=tmp_path / "etc")
    assert [str(problem) for problem in sources.problems] == [f"{path}{told}"]
    assert sources.broken or not sources.documents


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "main.yaml"
    path.touch()
    os.truncate(path, 10 * 1024**3)
    assert [problem.text for problem in read(path).problems][:1] == [
        "is 10240 MiB long; the limit is 16 MiB (split it with include:)"
    ]


def test_a_pipe_or_folder_in_place_of_a_file_never_blocks(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    for name, told in (
        ("pipe.yaml", "is not a regular file (a device or pipe may never end; write a file)"),
        ("folder.yaml", "is a folder, not a file (name a file in it)"),
    ):
        problems = read(tmp_path / name, shipped=tmp_path / "s", system=tmp_path / "e").problems
        assert [problem.text for problem in problems] == [told]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("/dev/zero", "is not a regular file (a device or pipe may never end; write a file)"),
        ("loop.yaml", "cannot be read: a link that leads back to itself (remove it)"),
        ("no/such", "no such file (write it, or mend the name)"),
    ],
)
def test_an_include_that_is_no_file_is_told_at_its_line(
    name: str, told: str, problems: Problems, tmp_path: Path
) -> None:
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    assert problems(f"profile: lab\ninclude: [{name}]\n") == [
        f"main.yaml:2:11: include: {name}: {told}"
    ]


def test_a_main_file_that_is_a_loop_of_links(tmp_path: Path) -> None:
    (tmp_path / "main.yaml").symlink_to("main.yaml")
    sources = read(tmp_path / "main.yaml", shipped=tmp_path / "s", system=tmp_path / "e")
    assert [problem.text for problem in sources.problems] == [
        "cannot be read: a link that leads back to itself (remove it)"
    ]


def test_a_main_file_and_folders_closed_to_this_user_are_told(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        base.chmod(0o755)
        (base / "main.yaml").write_text("profile: lab\n")
        (base / "main.yaml").chmod(0)
        (base / "hosts.d").mkdir(0)
        (base / "top.yaml").write_text("include: [hosts.d/*.yaml]\n")
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            found = [
                str(problem).replace(f"{name}/", "")
                for main in ("main.yaml", "top.yaml")
                for problem in read(base / main, shipped=base / "s", system=base / "e").problems
            ]
        finally:
            os.seteuid(user)
    assert found == [
        "main.yaml:1:1: cannot be read: Permission denied (let monitord's user read it)",
        (
            "top.yaml:1:11: include: cannot be listed: Permission denied "
            "(let monitord's user read it: chmod o+rx hosts.d)"
        ),
    ]


def test_an_alias_bomb_costs_nothing(problems: Problems) -> None:
    """Nine levels of nine aliases would be 387 million entries."""
    lines = ["x0: &x0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9)}]" for i in range(1, 10)]
    told = problems("\n".join(lines) + "\n")
    assert "main.yaml:5:5: aliases add more than 100000 entries (write fewer aliases)" in told
    assert len(told) == 1


def test_files_that_include_each_other_are_told(problems: Problems) -> None:
    assert problems("include: a.yaml\n", {"a.yaml": "include: [main.yaml]\nprofile: lab\n"}) == [
        (
            "a.yaml:1:11: include: main.yaml: runs in a circle: main.yaml → a.yaml → main.yaml "
            "(remove one)"
        )
    ]


def test_a_pattern_may_match_the_file_itself_and_two_may_include_one(load: Load) -> None:
    files = {"a.yaml": "include: c.yaml\n", "c.yaml": "profile: lab\n"}
    assert load('include: ["*.yaml"]\n', files).settings.profile == "lab"


def test_a_loop_of_links_ends(write: Write, problems: Problems, tmp_path: Path) -> None:
    write("checks/site.yaml", SITE)
    (tmp_path / "checks/again").symlink_to(tmp_path / "checks")
    (tmp_path / "checks/dangling.yaml").symlink_to(tmp_path / "nowhere")
    assert problems("profile: lab\n") == [
        (
            "checks/dangling.yaml:1:1: cannot be read: No such file or directory "
            "(a link to nothing; mend or remove it)"
        )
    ]
