"""The demo's small shop: a private folder, three programs under supervisor, a backup, a monitord.

It builds, starts, asks and clears away. What is broken, and what is told of it, is for others.
"""

import contextlib
import importlib.util
import re
import shlex
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from string import Template

from monitord.control import Core, CoreDownError, CoreSaysNoError
from monitord.demo import DemoError
from monitord.demo.processes import Processes, adopt_orphans

PROGRAMS = ("web", "worker", "billing")
_TOOLS = ("tar", "gzip", "sh", "rm")
_FILLED = ("monitord.yaml", "supervisord.conf")
_PICTURES = 3  # with the page, what the shop's web root holds
_PICTURE = 150_000  # bytes; the backup takes two seconds for all of them
_START = 30.0  # seconds that anything may take to start on a loaded machine
_LOOK = 0.1  # seconds between two looks whether it has
_PLAIN = re.compile(r"[A-Za-z0-9_./-]{1,60}")  # a Unix socket's path holds 107 bytes in all


def missing() -> str:
    """Tell what the demo needs and does not find, with the cure; empty when it can begin."""
    if importlib.util.find_spec("supervisor") is None or not _supervisorctl():
        return (
            "the demo breaks programs that supervisor keeps, and supervisor is not installed; "
            "pip install 'monitord[demo]'"
        )
    absent = [tool for tool in _TOOLS if shutil.which(tool) is None]
    return f"the demo needs {' and '.join(absent)} on the PATH; install them" if absent else ""


def _supervisorctl() -> str:
    """Give the path of this Python's supervisorctl: the executor has another PATH than we."""
    places = (sysconfig.get_path("scripts"), sysconfig.get_path("scripts", "posix_user"))
    found = shutil.which("supervisorctl", path=":".join(places)) or shutil.which("supervisorctl")
    return found or ""


class Shop:
    """The shop and its monitord. `tell` is called with each command line before it is run."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        adopt_orphans()
        self._tell = tell
        self.folder = _private_folder()
        self.state = self.folder / "state"
        self.config = self.folder / "monitord.yaml"
        self.struck = 0
        """When the last command began, µs since the epoch."""
        self.processes = Processes(self.folder / "output.log")
        self.core = Core(self.state / "core.sock", timeout=30)
        self._supervisorctl = _supervisorctl()

    def build(self) -> None:
        """Write the shop's files, its configuration among them."""
        site, web = _free_ports(2)
        values = {
            "demo": str(self.folder),
            "python": sys.executable,
            "program": str(Path(__file__).with_name("program.py")),
            "supervisorctl": self._supervisorctl,
            "site_port": site,
            "web_port": web,
        }
        files = resources.files("monitord.demo") / "files"
        for name in _FILLED:
            text = Template((files / name).read_text(encoding="utf-8"))
            (self.folder / name).write_text(text.substitute(values), encoding="utf-8")
        (self.folder / "backup.sh").write_bytes((files / "backup.sh").read_bytes())
        www, billing = self.folder / "srv/www", self.folder / "srv/billing"
        for folder in (www, billing, self.folder / "backup"):
            folder.mkdir(parents=True)
        (www / "index.html").write_bytes((files / "index.html").read_bytes())
        for number in range(_PICTURES):
            (www / f"picture-{number}.jpg").write_bytes(bytes(range(250)) * (_PICTURE // 250))
        (billing / "licence.key").write_text("4711-0815\n", encoding="ascii")
        (billing / "invoices.csv").write_text("2026-1,paid\n", encoding="ascii")

    def open(self) -> None:
        """Start the programs and make the first backup.

        Raises:
            DemoError: a program does not run; the text ends with what was printed.
        """
        conf = str(self.folder / "supervisord.conf")
        # -W ignore: under PYTHONWARNINGS=error supervisord would trip over its own old calls.
        argv = [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", conf]
        self.processes.start(argv)
        backup = self.processes.start(self.backup())
        self._wait(lambda: all(self._runs(name) for name in PROGRAMS), "supervisor's programs")
        if backup.wait(_START) != 0:
            raise DemoError(f"the first backup failed: {self.printed()}")

    def watch(self) -> None:
        """Start monitord and wait until it has seen everything well.

        Raises:
            DemoError: it does not start, or something is not well.
        """
        argv = [sys.executable, "-m", "monitord", "run", "--config", str(self.config)]
        self._tell(self.short(shlex.join(argv)))
        daemon = self.processes.start(argv)
        self._wait(lambda: self._answers() or daemon.poll() is not None, "monitord")
        if daemon.poll() is not None:
            raise DemoError(f"monitord ended with {daemon.returncode}: {self.printed()}")
        self.wait_until_well()

    def wait_until_well(self) -> None:
        """Wait until every check is OK.

        Raises:
            DemoError: one is not; the text names it.
        """
        self._wait(
            lambda: not self.unwell(), "all checks to be OK", lambda: "; ".join(self.unwell())
        )

    def unwell(self) -> list[str]:
        """Give the checks that are not OK."""
        rows = self.core.get("/v1/checks")["checks"]
        return [f"{row['key']} {row['status']}" for row in rows if row["status"] != "OK"]

    def backup(self) -> list[str]:
        """Give the argv of the nightly backup."""
        archive = self.folder / "backup/shop.tar.gz"
        return ["sh", str(self.folder / "backup.sh"), str(self.folder / "srv"), str(archive)]

    def pid(self, program: str) -> int:
        """Ask supervisor for a program's pid."""
        return int(self._ctl("pid", program).stdout)

    def do(self, line: str) -> None:
        """Say a command line, and have a shell run it (bare systems have kill only in there)."""
        self._say(line)
        subprocess.run(["sh", "-c", line], check=True, stdin=subprocess.DEVNULL)

    def do_aside(self, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        """Say a command, and run it in the background."""
        self._say(f"{shlex.join(argv)} &")
        return self.processes.start(argv)

    def short(self, text: str) -> str:
        """Give a text of ours or the core's with the long paths that the demo's head explains."""
        text = text.replace(str(self.folder), "$DEMO").replace(self._supervisorctl, "supervisorctl")
        return text.replace(sys.executable, "python")

    def close(self) -> list[str]:
        """End everything, remove the folder, and name what is still there: nothing."""
        self.processes.end()
        shutil.rmtree(self.folder, ignore_errors=True)
        left = self.processes.left()
        return [*left, str(self.folder)] if self.folder.exists() else left

    def _say(self, line: str) -> None:
        self._tell(self.short(line))
        self.struck = time.time_ns() // 1000

    def _ctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        argv = [self._supervisorctl, "-c", str(self.folder / "supervisord.conf"), *words]
        return subprocess.run(argv, check=False, capture_output=True, text=True)

    def _runs(self, program: str) -> bool:
        return " RUNNING " in self._ctl("status", program).stdout

    def _answers(self) -> bool:
        try:
            self.core.get("/readyz")
        except (CoreDownError, CoreSaysNoError):
            return False
        return True

    def _wait(
        self, ready: Callable[[], bool], what: str, why: Callable[[], str] | None = None
    ) -> None:
        deadline = time.monotonic() + _START
        while not ready():
            if time.monotonic() > deadline:
                reason = why() if why is not None else self.printed()
                raise DemoError(f"waited {_START:.0f} s for {what}: {reason}")
            time.sleep(_LOOK)
        self.processes.bury()

    def printed(self) -> str:
        """Give the end of what the processes printed."""
        lines = self.processes.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-10:]) or "nothing was printed"


def _private_folder() -> Path:
    """Make a folder whose path fits into a Unix socket's address and needs no quotes anywhere."""
    folder = tempfile.mkdtemp(prefix="monitord-demo-")
    if not _PLAIN.fullmatch(folder):
        Path(folder).rmdir()
        folder = tempfile.mkdtemp(prefix="monitord-demo-", dir="/tmp")
    return Path(folder)


def _free_ports(count: int) -> list[str]:
    """Give ports that are free now (all are held while the next is chosen)."""
    with contextlib.ExitStack() as held:
        servers = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [str(server.getsockname()[1]) for server in servers]
