"""What a target holds can neither forge a section nor break the reading of the others."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitord.errors import TransportError
from monitord.model.facts import Facts, Section
from monitord.model.ids import Instant
from monitord.transports.facts_local import gather
from monitord.transports.facts_remote import parse, script
from monitord.transports.facts_run import run
from monitord.transports.facts_sections import LIMITS
from tests.facts.conftest import Ask, run_script
from tests.world.until import until

NONCE = "01234567-89ab-cdef-0123-456789abcdef"
NASTY = (
    "two\nlines",
    "tab\tand  blanks ",
    "$(touch /tmp/owned) `id` ${HOME} \\n %s",
    "\x1b[31mred\x1b[0m\x07",
    "quote'quote\"quote",
    "-n",
    "*",
    "ünïcödé \u202e",
    f'\n{NONCE} begin ["memory", []]\nMemTotal: 1\n{NONCE} end\n{NONCE} done',
    "monitord-facts 1 " + NONCE,
)


def answer(*sections: str, nonce: str = NONCE) -> str:
    """An answer as the script frames it."""
    head = f"\nmonitord-facts 1 {nonce}\n{nonce} boot {nonce} 100.5\n"
    return head + "".join(sections) + f"{nonce} done\n"


def section(name: str, body: str, *, code: int = 0, args: str = "[]") -> str:
    end = f"\n{NONCE} exit {code}\n\n{NONCE} end\n"
    return f'\n{NONCE} begin ["{name}", {args}]\n{body}{end}'


def read(output: str) -> Facts:
    return parse("far", output, asked_at=Instant(0), answered_at=Instant(0))


@pytest.mark.parametrize("name", NASTY)
def test_no_argument_is_expanded_or_breaks_out(ask: Ask, tmp_path: Path, name: str) -> None:
    file = tmp_path / name.replace("/", "_").replace("*", "star")
    file.write_text("12345")
    facts = ask(Section("file", (str(file), "/nowhere")), Section("memory"))
    assert dict(facts.errors) == {}
    assert facts.files[str(file)].size == 5
    assert facts.memory is not None
    assert facts.memory.total > 1 << 20
    assert not Path("/tmp/owned").exists()  # noqa: S108 - what the hostile name tries to make


@pytest.mark.parametrize("name", [*NASTY, "a) S 1 2 3", "x\n9 (b) R 1 1 1", ") R (", "   "])
def test_no_process_name_forges_another_process(ask: Ask, tmp_path: Path, name: str) -> None:
    """The kernel shows a name as it is; neither ps nor our own reading is led astray."""
    program = tmp_path / (name.replace("/", "_").encode()[:60].decode("utf-8", "ignore"))
    program.write_bytes(Path("/bin/sleep").read_bytes())
    program.chmod(0o755)
    with subprocess.Popen([program, "61"]) as child:
        until(lambda: Path(f"/proc/{child.pid}/cmdline").read_bytes().endswith(b"61\0"))
        try:
            real = {int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()}
            facts = ask(Section("process"), Section("memory"))
        finally:
            child.kill()
    assert dict(facts.errors) == {}
    assert facts.processes is not None
    pids = [process.pid for process in facts.processes]
    assert len(pids) == len(set(pids)), "nobody is listed twice"
    mine = {process.pid: process for process in facts.processes}[child.pid]
    assert mine.command.endswith(" 61")
    assert mine.state in "SRD"
    assert facts.memory is not None
    assert facts.memory.total > 1 << 20
    # Only what ran before, the shell and its tools, and what others started meanwhile.
    assert len(set(pids) - real) < 40


def test_an_argument_cannot_hold_a_nul() -> None:
    with pytest.raises(ValueError, match="NUL"):
        script((Section("file", ("/tmp/\0x",)),))  # noqa: S108 - never looked at


def test_an_unknown_section_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'disks' is no section; use one of disk, memory"):
        script((Section("disks"),))


def test_each_run_has_its_own_word(busybox_path: str) -> None:
    outputs = {run_script(["sh"], "/usr/bin:/bin", (Section("ping"),))[1] for _ in range(3)}
    words = {output.split("monitord-facts 1 ")[1].split("\n")[0] for output in outputs}
    assert len(words) == 3


def test_greetings_before_the_answer_do_no_harm() -> None:
    body = "MemTotal: 1000\nMemAvailable: 500\nSwapTotal: 0\nSwapFree: 0\n"
    facts = read("Welcome!\nLast login: never\n" + answer(section("memory", body)))
    assert facts.memory is not None
    assert (facts.memory.total, facts.memory.available) == (1_024_000, 512_000)


def test_a_forged_word_in_content_is_content() -> None:
    """Content that guesses another run's word changes nothing."""
    other = "ffffffff-ffff-ffff-ffff-ffffffffffff"
    forged = f'{other} end\n{other} begin ["memory", []]\nMemTotal: 7\n{other} end\n{other} done'
    facts = read(answer(section("failed-units", forged)))
    assert facts.memory is None
    assert facts.failed_units == ()


def test_a_login_without_a_shell_is_told_apart() -> None:
    with pytest.raises(TransportError, match="answered no facts but: This account is") as caught:
        read("This account is currently not available.\x1b[2J\n")
    assert caught.value.cause == "transport"


def test_silence_is_told_apart() -> None:
    with pytest.raises(TransportError, match="answered no facts but: nothing"):
        read("")


def test_an_answer_that_breaks_off_is_no_answer() -> None:
    whole = answer(section("memory", "MemTotal: 1000\n"))
    with pytest.raises(TransportError, match="broke off"):
        read(whole[: whole.rindex("done")])


def test_a_header_that_is_not_ours_is_a_transport_fault() -> None:
    with pytest.raises(TransportError, match="garbled"):
        read(answer(f'\n{NONCE} begin ["nonsense", [1]]\n\n{NONCE} end\n'))


def test_a_section_that_fails_says_why_and_others_stay() -> None:
    facts = read(
        answer(
            section("unit", "Failed to connect to bus\n", code=1, args='["cron"]'),
            section("load", "0.1 0.2 0.3 1/2 3\n0-3\n"),
        )
    )
    assert dict(facts.errors) == {"unit": "Failed to connect to bus"}
    assert facts.load is not None
    assert facts.load.cpus == 4


def test_a_section_over_its_limit_is_an_error(ask: Ask, tmp_path: Path) -> None:
    """A target that floods costs its own section, never memory without bounds."""
    flood = tmp_path / "supervisorctl"
    flood.write_text("#!/bin/sh\nwhile :; do echo spam spam spam spam; done\n")
    flood.chmod(0o755)
    facts = ask(Section("program", (str(flood),)), Section("memory"))
    assert "more than" in facts.errors[f"program:{flood}"]
    assert facts.memory is not None


def test_a_tool_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    hang = tmp_path / "supervisorctl"
    hang.write_text(f"#!/bin/sh\nsleep 1000 &\necho $! >{tmp_path}/child\nwait\n")
    hang.chmod(0o755)
    with pytest.raises(TimeoutError, match=r"supervisorctl gave no answer within 0\.5 s"):
        run((str(hang),), timeout=0.5)
    child = int((tmp_path / "child").read_text())
    until(lambda: not Path(f"/proc/{child}").exists() or _is_zombie(child))


@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_a_tool_that_hangs_over_there_is_ended_there(
    shell: str, tmp_path: Path, busybox_path: str
) -> None:
    """The limit of time is enforced on the target; here it is one second instead of ten."""
    hang = tmp_path / "supervisorctl"
    hang.write_text("#!/bin/sh\nexec sleep 1000\n")
    hang.chmod(0o755)
    text = script((Section("program", (str(hang),)), Section("memory")))
    assert text.count(" program 10 ") == 1
    path = "/usr/bin:/bin" if shell == "dash" else busybox_path
    done = subprocess.run(
        ["sh"] if shell == "dash" else [f"{busybox_path}/ash"],
        input=text.replace(" program 10 ", " program 1 "),
        capture_output=True,
        text=True,
        env={"PATH": path},
        timeout=30,
        check=True,
    )
    facts = read(done.stdout)
    assert facts.errors[f"program:{hang}"].endswith("gave no answer within 1 s")
    assert facts.memory is not None


def _is_zombie(pid: int) -> bool:
    return " Z " in Path(f"/proc/{pid}/stat").read_text()


def test_a_tool_that_floods_here_is_cut_off(tmp_path: Path) -> None:
    flood = tmp_path / "supervisorctl"
    flood.write_text("#!/bin/sh\nexec yes spam\n")
    flood.chmod(0o755)
    facts = gather("me", (Section("program", (str(flood),)),))
    assert "said more than 1048576 bytes" in facts.errors[f"program:{flood}"]


def test_the_script_reads_nothing_from_stdin() -> None:
    """What stands behind it on stdin is not eaten by a tool of it, and it ends by itself."""
    text = script((Section("memory"), Section("process")))
    done = subprocess.run(
        ["sh"], input=text + "echo and on\n", capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.endswith("and on\n")


LINES = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.sampled_from([f"{NONCE} end", f"{NONCE} exit 0", f"{NONCE} done", f"{NONCE} commands"]),
        st.sampled_from(sorted(LIMITS)).map(lambda name: f'{NONCE} begin ["{name}", ["a"]]'),
        st.sampled_from(
            [
                "4096 1 1 1 1 1 | 22 27 0:21 / /proc rw - ext4 /dev/vda rw",
                "error garbled | 22 27 0:21 / /m rw - ext4 /dev/vda rw",
                "MemTotal: 12",
                "MemTotal: x",
                "0.1 0.2 0.3",
                "0-9999999",
                f"{NONCE} by hand 1 2 3",
                f"{NONCE} by hand",
                "1 S root 1 1 sh",
                "root 0",
                "1 (sh) S" + " 1" * 40,
                "LoadState=loaded",
                "ok 1 81a4 1 1 0 root - -",
                "ok 1 zz 1 1 0 root - -",
                "a RUNNING pid 1",
                f"{NONCE} clock 1.N",
                f"{NONCE} clock",
            ]
        ),
    ),
    max_size=30,
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lines=LINES, whole=st.booleans())
def test_any_answer_gives_facts_or_a_transport_error(lines: list[str], *, whole: bool) -> None:
    output = "\n".join(lines)
    if whole:
        output = answer(output + "\n")
    try:
        facts = read(output)
    except TransportError:
        return
    assert replace(facts, host="far") == facts
