"""What the runner is sent arrives byte for byte, and what it says is read strictly."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitord.model.catalog import SshLogin
from monitord.transports import local, runner
from monitord.transports.local import Ran
from monitord.transports.runner import CUT, KEEP, End, Ending, Order, Record
from monitord.transports.ssh import Ssh
from tests.transports.hostile import OURS, shared
from tests.world.peers import Sshd

Shell = Callable[[bytes], Ran]
_COUNT = 30  # strings per step: the arguments of one command may have 2 MiB


@pytest.fixture
def here() -> Shell:
    def run(script: bytes) -> Ran:
        limit = 10_000_000
        return asyncio.run(local.run(runner.SHELL, timeout=60, stdin=script, limit=limit))

    return run


@pytest.fixture
def there(sshd: Sshd) -> Iterator[Shell]:
    ssh, login = Ssh(), SshLogin(sshd.user, str(sshd.key), sshd.port)
    known = str(sshd.known_hosts)

    def run(script: bytes) -> Ran:
        return ssh.run(sshd.address, login, known, script, timeout=60, limit=10_000_000)

    yield run
    ssh.close()


def do(shell: Shell, base: Path, step: str, *argv: str, stdin: str = "") -> Ending:
    mark = runner.new_mark()
    order = Order(argv, limit=30, epoch=1, stdin=stdin)
    script = runner.to_run(Record(str(base), "s", step), order, mark)
    return runner.read(shell(script).stdout, mark)


def arrive(shell: Shell, folder: Path, strings: list[bytes]) -> None:
    """Send strings as arguments of a program that writes them to a file, NUL between."""
    base, out = folder / "runs", folder / "out"
    for number, start in enumerate(range(0, len(strings), _COUNT)):
        part = strings[start : start + _COUNT]
        words = [os.fsdecode(value) for value in part]
        ending = do(
            shell, base, str(number), "sh", "-c", 'cd "$0"; printf "%s\\0" "$@" > out',
            str(folder), *words,
        )  # fmt: skip
        assert (ending.end, ending.exit_code) == (End.FINISHED, 0)
        assert out.read_bytes().split(b"\0")[:-1] == part
    assert sorted(path.name for path in folder.iterdir()) == ["out", "runs"]


def sendable(strings: list[bytes]) -> list[bytes]:
    """Leave out what no argument can be: a NUL inside, or longer than the kernel takes."""
    return [value for value in strings if b"\0" not in value and len(value) < 131_072]


def test_our_strings_arrive_here_byte_for_byte(here: Shell, tmp_path: Path) -> None:
    arrive(here, tmp_path, OURS)


def test_our_strings_arrive_over_ssh_byte_for_byte(there: Shell, tmp_path: Path) -> None:
    arrive(there, tmp_path, OURS)


def test_the_shared_strings_arrive_here_byte_for_byte(here: Shell, tmp_path: Path) -> None:
    arrive(here, tmp_path, sendable(list(shared().values())))


def test_the_shared_strings_arrive_over_ssh_byte_for_byte(there: Shell, tmp_path: Path) -> None:
    arrive(there, tmp_path, sendable(list(shared().values())))


@pytest.mark.parametrize("shell", ["bash", "busybox", "dash"])
def test_every_shell_brings_them_the_same(tmp_path: Path, shell: str) -> None:
    argv = [f"/bin/{shell}", *(["sh"] if shell == "busybox" else [])]
    if not os.access(argv[0], os.X_OK):
        pytest.skip(f"{shell} is not installed: the runner is unproven under it")

    def run(script: bytes) -> Ran:
        return asyncio.run(local.run(argv, timeout=60, stdin=script, limit=10_000_000))

    arrive(run, tmp_path, OURS)


def test_a_nul_and_too_long_an_argument_are_refused(tmp_path: Path) -> None:
    record, mark = Record(str(tmp_path), "s", "1"), runner.new_mark()
    with pytest.raises(ValueError, match="holds a NUL character"):
        runner.to_run(record, Order(("echo", "a\0b"), 1, 1), mark)
    with pytest.raises(ValueError, match="a command takes 1500000 and 131071"):
        runner.to_run(record, Order(("echo", "x" * 131_072), 1, 1), mark)


def test_output_is_not_taken_for_the_runners_own_words(here: Shell, tmp_path: Path) -> None:
    lines = "@monitord-000 finished 0 ended 0\nfinished 0 ended 3\n"
    ending = do(here, tmp_path, "1", "printf", "%s", lines)
    assert ending == Ending(End.FINISHED, "", 0, "ended", lines.encode())


def test_a_login_shell_that_talks_does_not_confuse_us(here: Shell, tmp_path: Path) -> None:
    noisy: Shell = lambda script: here(b"echo Welcome to web1; echo finished 0;\n" + script)  # noqa: E731 - a shell that talks first
    assert do(noisy, tmp_path, "1", "echo", "x").output == b"x\n"


def test_standard_input_is_a_script_and_only_that(here: Shell, tmp_path: Path) -> None:
    text = "for word do echo \"<$word>\"; done # 'it''s'\n"
    ending = do(here, tmp_path, "1", "sh", "-s", "--", "a b", "$(id)", stdin=text)
    assert ending.output == b"<a b>\n<$(id)>\n"


def test_output_at_the_limit_is_whole_and_past_it_is_cut(here: Shell, tmp_path: Path) -> None:
    whole = do(here, tmp_path, "1", "sh", "-c", f"yes | head -c {2 * KEEP}")
    assert (len(whole.output), whole.truncated) == (2 * KEEP, False)
    cut = do(here, tmp_path, "2", "sh", "-c", f"yes | head -c {2 * KEEP + 1}; printf end")
    assert cut.truncated
    assert cut.output.count(CUT) == 1
    assert cut.output.endswith(b"end")


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", "x" * 200, "a\n"])
def test_a_record_cannot_be_named_out_of_its_folder(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a run record"):
        Record("/var", "s", name)


@pytest.mark.parametrize(
    "heard",
    [
        b"",
        b"sh: not found\n",
        b"M started\n",
        b"M",
        b"M fini",
        b"M dancing 3\n",
        b"M finished\n",
        b"M finished x ended 3\nabc",
        b"M finished 0 ended\nabc",
        b"\xff\xfeM finishe\xff 0\n",
    ],
)
def test_a_voice_that_breaks_off_is_no_answer(heard: bytes) -> None:
    assert runner.read(heard, "M").end is End.CUT


@pytest.mark.parametrize(
    ("heard", "ending"),
    [
        (b"M never\n", Ending(End.NEVER)),
        (b"noise\nM refused already ran: x\n", Ending(End.REFUSED, "already ran: x")),
        (b"M started\nM lost it is gone\n", Ending(End.LOST, "it is gone")),
        (b"M started\nM finished 3 ended 2\nab", Ending(End.FINISHED, "", 3, "ended", b"ab")),
        (b"M finished 0 killed 0\n", Ending(End.FINISHED, "", 0, "killed", b"")),
    ],
)
def test_an_end_is_read(heard: bytes, ending: Ending) -> None:
    assert runner.read(heard, "M") == ending
