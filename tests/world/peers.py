"""Real peers on loopback: nginx, sshd, supervisord, PostgreSQL, a restic repository.

    with Nginx() as web:                    # web.url, web.port, web.root (its files), web.pid
        web.kill(); web.start(); web.stop()
    with Sshd() as sshd:                    # sshd.port, .user, .key, .known_hosts
    with Supervisord({"worker": "command=sleep 1000"}) as manager:
        manager.state("worker"); manager.call("stopProcess", "worker"); manager.socket
    with Postgres() as postgres:
        url = postgres.new_database()       # for SQLAlchemy; postgres.psql("select 1")
    with Restic() as backup:
        backup.save(folder); backup.argv("snapshots"); backup.repository, backup.password_file

Each listens on a free port of 127.0.0.1 with a private configuration in a folder of its own, and
is gone at the end of the block. Fixtures of the same names stand in tests/conftest.py; they skip
the test where the program is missing (in CI they fail it). Sinks for mail and webhooks: sinks.py.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import shutil
import signal
import sys
import tempfile
import xmlrpc.client
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.world.process import Peer, PeerError, answers, find_program, free_port, run_program

__all__ = ["Nginx", "PeerError", "Postgres", "Restic", "Sshd", "Supervisord", "postgres_folder"]


def _program(name: str) -> str:
    found = find_program(name)
    if found is None:
        raise PeerError(f"{name} is not installed (tests/peers.txt names its package)")
    return found


NGINX_CONFIG = """\
daemon off;
{user}
worker_processes 1;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
    uwsgi_temp_path tmp; scgi_temp_path tmp;
    server {{
        listen 127.0.0.1:{port};
        root {root};
        location = /health {{ default_type text/plain; return 200 "ok\\n"; }}
        {extra}
    }}
}}
"""


class Nginx(Peer):
    """A web server: `/health` answers `ok`, everything else comes from `root`.

    `extra` goes into its server block, for example `location /slow { limit_rate 1; }`.
    """

    name = "nginx"

    def __init__(self, *, extra: str = "") -> None:
        super().__init__()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.root = self.folder / "www"
        self.root.mkdir()
        (self.root / "index.html").write_text("<h1>shop</h1>\n", encoding="utf-8")
        self.config = self.folder / "nginx.conf"
        # Started by root, its workers would become nobody, who may not enter our folder.
        user = "user root;" if os.geteuid() == 0 else ""
        text = NGINX_CONFIG.format(user=user, port=self.port, root=self.root, extra=extra)
        self.config.write_text(text, encoding="utf-8")
        self.argv = [_program("nginx"), "-p", f"{self.folder}/", "-c", str(self.config)]

    def is_ready(self) -> bool:
        """Whether it accepts connections."""
        return answers(self.port)


SSHD_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
UsePAM no
UseDNS no
StrictModes no
Subsystem sftp internal-sftp
{extra}
"""


class Sshd(Peer):
    """An SSH server that lets the current user in with `key`; `known_hosts` knows its own key."""

    name = "sshd"

    def __init__(self, *, extra: str = "") -> None:
        super().__init__()
        self.port = free_port()
        self.address = "127.0.0.1"
        self.user = getpass.getuser()
        self.key = self.folder / "key"
        self.known_hosts = self.folder / "known_hosts"
        for name in ("key", "host_key"):
            self._new_key(name)
        shutil.copy(self.folder / "key.pub", self.folder / "authorized_keys")
        self._know(self.folder / "host_key.pub")
        config = self.folder / "sshd_config"
        text = SSHD_CONFIG.format(port=self.port, folder=self.folder, extra=extra)
        config.write_text(text, encoding="utf-8")
        if os.geteuid() == 0:
            # The one path that sshd has built in.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.argv = [_program("sshd"), "-D", "-e", "-f", str(config)]

    def change_host_key(self) -> None:
        """Give the server another host key that `known_hosts` does not know, and restart it."""
        self.stop()
        self._new_key("host_key")
        self.start()

    def is_ready(self) -> bool:
        """Whether it accepts connections."""
        return answers(self.port)

    def _new_key(self, name: str) -> None:
        path = self.folder / name
        path.unlink(missing_ok=True)
        keygen = [_program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", ""]
        run_program([*keygen, "-f", str(path)])

    def _know(self, public_key: Path) -> None:
        kind, key = public_key.read_text(encoding="ascii").split()[:2]
        line = f"[{self.address}]:{self.port} {kind} {key}\n"
        self.known_hosts.write_text(line, encoding="ascii")


SUPERVISOR_CONFIG = """\
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}
user={user}
[unix_http_server]
file={folder}/sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/sock
"""


class Supervisord(Peer):
    """The service manager that needs no root. `programs` maps a name to its ini lines.

    `state(name)` is RUNNING, STOPPED, BACKOFF, FATAL …; `call` speaks XML-RPC over `socket`.
    """

    name = "supervisord"

    def __init__(self, programs: Mapping[str, str]) -> None:
        super().__init__()
        self.socket = self.folder / "sock"
        self.config = self.folder / "supervisord.conf"
        text = SUPERVISOR_CONFIG.format(folder=self.folder, user=getpass.getuser())
        for name, lines in programs.items():
            text += f"[program:{name}]\n{lines}\n"
        self.config.write_text(text, encoding="utf-8")
        self.argv = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.config)]

    def call(self, method: str, *arguments: str) -> Any:
        """Call a method of its XML-RPC interface, such as `stopProcess`; return the answer."""
        from supervisor.xmlrpc import SupervisorTransport  # an extra: only who uses it needs it

        transport = SupervisorTransport(None, None, f"unix://{self.socket}")
        with contextlib.closing(transport):
            proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
            return getattr(proxy.supervisor, method)(*arguments)

    def state(self, program: str) -> str:
        """Return what it says of a program: RUNNING, STARTING, BACKOFF, EXITED, FATAL …."""
        return str(self.call("getProcessInfo", program)["statename"])

    def is_ready(self) -> bool:
        """Whether its socket answers."""
        try:
            return bool(self.call("getState"))
        except OSError:
            return False


def postgres_folder() -> Path | None:
    """Return the folder that holds initdb and postgres, the newest version first; None without."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    by_version = sorted(versions, key=lambda found: int(found.parent.parent.name))
    if by_version:
        return by_version[-1].parent
    on_path = find_program("initdb")
    return Path(on_path).resolve().parent if on_path else None


class Postgres(Peer):
    """A PostgreSQL cluster on 127.0.0.1 and a Unix socket, everybody trusted; user postgres."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": does not wait for clients to leave

    def __init__(self) -> None:
        super().__init__()
        programs = postgres_folder()
        if programs is None:
            raise PeerError("postgresql is not installed (tests/peers.txt names its package)")
        self.port = free_port()
        self.data = self.folder / "data"
        # It refuses to run as root.
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            become = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
            self.become = ["setpriv", *become]
        initdb = [str(programs / "initdb"), "--no-sync", "-A", "trust", "-U", "postgres"]
        run_program([*self.become, *initdb, "-D", str(self.data)], LC_ALL="C.UTF-8")
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
            # Speed: no test here is about what PostgreSQL itself survives.
            "fsync": "off",
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        self._programs = programs
        self._databases = 0
        self.argv = [str(programs / "postgres"), "-D", str(self.data), *options]

    def new_database(self) -> str:
        """Create an empty database; return its SQLAlchemy URL (psycopg 3 over TCP)."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.psql(f"create database {name}")
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def psql(self, statement: str, *, database: str = "postgres") -> str:
        """Run one SQL statement; return its rows, unaligned."""
        argv = [str(self._programs / "psql"), "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        argv += ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        return run_program([*argv, "-d", database, "-c", statement]).strip()

    def is_ready(self) -> bool:
        """Whether it answers queries (it accepts connections earlier)."""
        try:
            return self.psql("select 1") == "1"
        except PeerError:
            return False


class Restic:
    """A restic repository in a folder, with its password file. A context manager."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="peer-restic-"))
        self.repository = self.folder / "repository"
        self.password_file = self.folder / "password"
        self.password_file.write_text("correct horse\n", encoding="utf-8")
        self.password_file.chmod(0o600)

    def argv(self, *arguments: str) -> list[str]:
        """Return the whole command line for a restic command on this repository."""
        options = ["--repo", str(self.repository), "--password-file", str(self.password_file)]
        return [_program("restic"), *options, "--no-cache", *arguments]

    def save(self, path: Path) -> str:
        """Back up a folder; return what restic said."""
        return run_program(self.argv("backup", str(path)))

    def __enter__(self) -> Self:
        run_program(self.argv("init"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
