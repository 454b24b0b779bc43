"""monitord-job: the job's own output and exit code, told by any shell and any client, or later."""

import os
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

SCRIPT = Path(__file__).parents[2] / "monitord/cli/monitord-job.sh"
CLIENTS = ["curl", "wget", "busybox"]
SHELLS = [["dash"], ["busybox", "sh"], ["bash", "--posix"]]


class Monitor(ThreadingHTTPServer):
    """Takes pings, as monitord-web does."""

    told: list[tuple[str, str]]


class _Ping(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        assert isinstance(self.server, Monitor)
        self.server.told.append((self.path, body.decode()))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Stay silent."""


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    server = Monitor(("127.0.0.1", 0), _Ping)
    server.told = []
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(
    home: Path, shell: list[str], port: int, *argv: str, client: str = "curl", stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    tools = home / "bin"
    if not tools.is_dir():
        tools.mkdir()
        for tool in ("tee", "tail", "cat", "mv", "rm", "mkdir", "mktemp", "mkfifo", "date", "sleep",
                     "sh", "seq", client):  # fmt: skip
            found = subprocess.run(["which", tool], capture_output=True, text=True, check=True)
            (tools / tool).symlink_to(found.stdout.strip())
    url = f"http://127.0.0.1:{port}/ping/{'a' * 32}"
    env = {"PATH": str(tools), "HOME": str(home), "MONITORD_PING_URL": url}
    program = subprocess.run(["which", shell[0]], capture_output=True, text=True, check=True)
    words = [program.stdout.strip(), *shell[1:], str(SCRIPT), *argv]
    return subprocess.run(words, env=env, input=stdin, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("shell", SHELLS, ids=["dash", "busybox", "bash"])
def test_a_job_is_told_with_its_exit_code_and_output(
    tmp_path: Path, monitor: Monitor, shell: list[str], client: str
) -> None:
    work = 'read -r line; echo "got $line"; echo oops >&2; exit 3'
    ended = run(
        tmp_path, shell, monitor.server_port, "sh", "-c", work, client=client, stdin="words\n"
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "got words\n", "oops\n")
    (start, nothing), (end, output) = monitor.told
    assert start.endswith("/start")
    assert nothing == ""
    assert end.endswith("/3")
    assert sorted(output.splitlines()) == ["got words", "oops"]


def test_only_the_tail_of_a_long_output_travels(tmp_path: Path, monitor: Monitor) -> None:
    ended = run(tmp_path, ["dash"], monitor.server_port, "seq", "100000")
    assert ended.stdout.count("\n") == 100_000
    output = monitor.told[-1][1]
    assert len(output) == 10_240
    assert output.endswith("100000\n")


def test_what_nobody_took_is_kept_and_sent_later_with_its_age(
    tmp_path: Path, monitor: Monitor
) -> None:
    """A monitor that is away fails no job and loses no report."""
    away = Monitor(("127.0.0.1", 0), _Ping)
    port = away.server_port
    away.server_close()
    ended = run(tmp_path, ["dash"], port, "sh", "-c", "echo first; exit 4")
    assert (ended.returncode, ended.stdout) == (4, "first\n")
    kept = sorted((tmp_path / ".monitord-job").iterdir())
    assert [path.name.rpartition(".")[2] for path in kept] == ["4", "start"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)
    for path in kept:  # the monitor has come back under the address that they were for
        text = path.read_text().replace(f":{port}/", f":{monitor.server_port}/")
        path.write_text(text)
        age, _, rest = path.name.partition(".")
        path.rename(path.with_name(f"{int(age) - 60}.{rest}"))
    ended = run(tmp_path, ["dash"], monitor.server_port, "sh", "-c", "echo second")
    assert ended.returncode == 0
    paths = [path.rpartition("/")[2] for path, _ in monitor.told]
    assert len(paths) == 4
    assert all(int(path.partition("?ago=")[2]) >= 60 for path in paths[:2])
    assert paths[2:] == ["start", "0"]
    assert not list((tmp_path / ".monitord-job").iterdir())


def test_no_job_fails_for_want_of_an_address(tmp_path: Path) -> None:
    words = ["dash", str(SCRIPT), "sh", "-c", "exit 5"]
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    ended = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == 5
    assert "nobody is told" in ended.stderr
