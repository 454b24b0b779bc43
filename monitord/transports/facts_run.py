"""Run one read-only tool and give what it said: bounded in time and bytes, nothing inherited."""

import os
import signal
import subprocess
import threading

from monitord.transports.facts_sections import TIMEOUT, SectionError, valid_text

_LONGEST = 1 << 20
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def run(argv: tuple[str, ...], *, timeout: float = TIMEOUT) -> tuple[int, str]:
    """Run `argv` in a process group of its own; give its exit code and output (both streams).

    Raises:
        SectionError: it is not installed, or says more than 1 MiB.
        TimeoutError: it did not end within `timeout` seconds and was killed.
    """
    try:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": _PATH, "LC_ALL": "C"},
            start_new_session=True,
        )
    except (FileNotFoundError, PermissionError) as error:
        raise SectionError(f"{argv[0]} cannot be run: {error.strerror}") from error
    late = threading.Event()

    def end() -> None:
        late.set()
        _kill(child)

    timer = threading.Timer(timeout, end)
    timer.start()
    try:
        with child:
            raw = child.stdout.read(_LONGEST + 1) if child.stdout else b""
            if len(raw) > _LONGEST:
                _kill(child)
    finally:
        timer.cancel()
    if late.is_set():
        raise TimeoutError(f"{argv[0]} gave no answer within {timeout:g} s")
    if len(raw) > _LONGEST:
        raise SectionError(f"{argv[0]} said more than {_LONGEST} bytes")
    return child.returncode, valid_text(raw.decode("utf-8", "surrogateescape"))


def _kill(child: "subprocess.Popen[bytes]") -> None:
    # Not yet reaped, so its number is still its own.
    if child.returncode is None:
        os.killpg(child.pid, signal.SIGKILL)
