"""Who may do what, by the uid at the other end of the real socket, with accounts of our own.

The core runs in a mount namespace whose /etc/passwd and /etc/group hold these accounts.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.api.cores import ROOT, FakeCore
from tests.world.needs import need, requires

pytestmark = requires("root")

PEOPLE = {"kim": 60002, "stranger": 60003, "monitord-web": 60004, "monitord-executor": 60005}
GROUP = "monitord:x:60001:kim,monitord-web,monitord-executor"
CLIENT = """
import os, sys
from monitord.control import Core, CoreSaysNoError, CoreDownError
path, uid, gid, method, route = sys.argv[1:]
os.setgroups([]); os.setgid(int(gid)); os.setuid(int(uid))
core = Core(path, timeout=10)
try:
    if method == "POST":
        ping = {"key": "nightly", "event": "start", "at": 1}
        core.post(route, ping if route == "/v1/ping" else {"what": 1})
    else:
        core.get(route)
    print("done")
except CoreSaysNoError as error:
    print(error.status, error, error.cure)
except CoreDownError as error:
    print("down", error)
"""


class Accounts(FakeCore):
    """A core that sees accounts of our own instead of the machine's."""

    def __init__(self) -> None:
        super().__init__()
        rows = [f"{name}:x:{uid}:{uid}::/:/bin/sh" for name, uid in PEOPLE.items()]
        passwd = ["root:x:0:0::/root:/bin/sh", *rows]
        (self.folder / "passwd").write_text("\n".join(passwd) + "\n")
        (self.folder / "group").write_text(f"root:x:0:\n{GROUP}\n")
        script = "".join(
            f"mount --bind {self.folder}/{name} /etc/{name} && " for name in ("passwd", "group")
        )
        self.argv = ["unshare", "--mount", "sh", "-c", f'{script} exec "$@"', "sh", *self.argv]

    def ask(self, uid: int, method: str, route: str, gid: int | None = None) -> str:
        """Ask as another uid; give what came of it."""
        done = subprocess.run(
            [sys.executable, "-c", CLIENT, self.socket, str(uid), str(gid or uid), method, route],
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.strip()


@pytest.fixture(scope="module")
def accounts() -> Iterator[Accounts]:
    need("root")
    with Accounts() as core:
        core.folder.chmod(0o755)
        core.socket.chmod(0o666)  # the bits of the socket are a test of their own
        yield core


def test_the_socket_is_closed_to_all_but_owner_and_group(accounts: Accounts) -> None:
    accounts.socket.chmod(0o660)
    try:
        assert accounts.ask(60003, "GET", "/v1/status").startswith("down")
    finally:
        accounts.socket.chmod(0o666)


def test_root_commands(accounts: Accounts) -> None:
    assert accounts.ask(0, "POST", "/v1/resume") == "done"
    assert accounts.calls("resume")[-1]["by"] == "root"


def test_a_member_of_the_group_commands_in_their_own_name(accounts: Accounts) -> None:
    assert accounts.ask(60002, "POST", "/v1/resume") == "done"
    assert accounts.calls("resume")[-1]["by"] == "kim"


def test_whoever_runs_under_the_group_s_gid_commands_even_without_a_name(
    accounts: Accounts,
) -> None:
    assert accounts.ask(60099, "POST", "/v1/resume", gid=60001) == "done"
    assert accounts.calls("resume")[-1]["by"] == "uid:60099"


def test_a_stranger_may_nothing_and_is_told_who_may(accounts: Accounts) -> None:
    before = accounts.calls()
    assert accounts.ask(60003, "POST", "/v1/resume") == (
        "403 stranger may not do this here root, the daemon's user and group monitord may: "
        "usermod -aG monitord stranger"
    )
    assert accounts.ask(60003, "GET", "/v1/status").startswith("403 stranger may not do this here")
    assert accounts.calls() == before


def test_the_web_process_reads_and_pings_and_commands_nothing(accounts: Accounts) -> None:
    web = PEOPLE["monitord-web"]
    assert accounts.ask(web, "GET", "/v1/status") == "done"
    assert accounts.ask(web, "POST", "/v1/ping") == "done"
    assert accounts.calls("job")[-1]["by"] == "ping"
    assert accounts.ask(web, "POST", "/v1/resume").startswith("403 monitord-web may not do this")


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("GET", "/v1/users"),
        ("POST", "/v1/users"),
        ("POST", "/v1/users/kim"),
        ("POST", "/v1/attempts/1/approve"),
        ("POST", "/v1/credentials/1/end"),
        ("POST", "/v1/tokens"),
    ],
)
def test_the_web_process_without_a_session_makes_no_users_and_ends_nothing(
    accounts: Accounts, method: str, route: str
) -> None:
    assert accounts.ask(60004, method, route)[:3] in ("403", "404", "400")
    assert "monitord-web" not in str(accounts.client.get("/v1/users"))


def test_the_executor_may_nothing_here_though_it_is_in_the_group(accounts: Accounts) -> None:
    executor = PEOPLE["monitord-executor"]
    assert accounts.ask(executor, "GET", "/v1/status").startswith("403 monitord-executor may not")
    assert accounts.ask(executor, "POST", "/v1/resume").startswith("403 monitord-executor may not")


def test_who_may_not_connect_is_told_who_may_and_not_to_start_another(accounts: Accounts) -> None:
    accounts.socket.chmod(0o660)
    # It may read every file (Python may lie below /root), but write to none, nor to a socket.
    reader = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search"]
    user = ["setpriv", "--reuid=60003", "--regid=60003", "--clear-groups", *reader]
    try:
        done = subprocess.run(
            [*user, sys.executable, "-m", "monitord", "--state", str(accounts.state), "reload"],
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        accounts.socket.chmod(0o666)
    assert done.returncode == 1
    assert done.stderr == (
        f"monitord: no core on {accounts.socket}: this user may not connect; root and group "
        "monitord may (usermod -aG monitord NAME)\n"
    )
