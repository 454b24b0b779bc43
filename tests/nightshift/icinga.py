"""Icinga 2 on duty: Debian's package beside the hosts, as monitord stands, with event handlers.

What it knows is asked over its API; what it noticed and did, its event handler and its mails write
down. It keeps no record of a repair, so that none is ever verified.
"""

from __future__ import annotations

import json
import secrets
import shutil
import ssl
import string
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests.nightshift.machines import Machines
from tests.nightshift.tool import Told
from tests.world.process import Peer, run_program
from tests.world.until import until

HERE = Path(__file__).parent
NAME = "mon"
USER = "nagios"
"""Whom Debian's package runs it as."""
PORT = 5665
_CALM = 60.0


class _Daemon(Peer):
    """Its process, with all it writes in the peer's folder."""

    name = "icinga2"

    def __init__(self, names: dict[str, str], key: Path, known_hosts: Path) -> None:
        super().__init__()
        self.address = names["gateway"]
        self.password = secrets.token_hex(8)
        self.become = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups"]
        values = {**names, "folder": str(self.folder), "password": self.password}
        text = (HERE / "config" / "icinga.conf").read_text(encoding="utf-8")
        (self.folder / "icinga2.conf").write_text(
            string.Template(text).safe_substitute(values, bind=self.address), encoding="utf-8"
        )
        for name in ("handle", "mail"):
            shutil.copy(HERE / "config" / f"icinga-{name}.sh", self.folder / name)
            (self.folder / name).chmod(0o755)
        shutil.copy(HERE / "plugins" / "check_pg_write", self.folder)
        shutil.copy(key, self.folder / "key")
        shutil.copy(known_hosts, self.folder)
        for name in ("data/certs", "data/ca", "logs", "cache", "spool", "run"):
            (self.folder / name).mkdir(parents=True)
        self._places = [
            f"-D{constant}={self.folder / folder}"
            for constant, folder in (
                ("DataDir", "data"),
                ("LogDir", "logs"),
                ("CacheDir", "cache"),
                ("SpoolDir", "spool"),
                ("InitRunDir", "run"),
            )
        ]
        self._places += [f"-DNodeName={NAME}", "-DZoneName=master"]
        run_program(["chown", "-R", f"{USER}:{USER}", str(self.folder)])
        self._certify()
        self.argv = ["icinga2", "daemon", "-x", "warning", *self._places]
        self.argv += ["-c", str(self.folder / "icinga2.conf")]
        self._tls = ssl.create_default_context(cafile=str(self.folder / "data/ca/ca.crt"))
        self._tls.check_hostname = False  # its certificate bears a name, and nobody resolves it

    def is_ready(self) -> bool:
        """Whether its API answers."""
        try:
            self.asked("status/CIB")
        except OSError:
            return False
        return True

    def asked(self, path: str, *, method: str = "GET", **arguments: str) -> Any:
        """Ask its API; the answer's `results`."""
        url = f"https://{self.address}:{PORT}/v1/{path}?{urllib.parse.urlencode(arguments)}"
        request = urllib.request.Request(url, method=method)
        words = urllib.request.HTTPPasswordMgrWithPriorAuth()
        words.add_password(None, url, "night", self.password, is_authenticated=True)
        opener = urllib.request.build_opener(
            urllib.request.HTTPBasicAuthHandler(words),
            urllib.request.HTTPSHandler(context=self._tls),
        )
        request.add_header("Accept", "application/json")
        with opener.open(request, timeout=5) as answer:
            return json.load(answer)["results"]

    def lines(self, name: str) -> list[str]:
        """Give the lines of a file of its folder."""
        path = self.folder / name
        if not path.exists():
            return []
        return path.read_text(encoding="utf-8", errors="replace").splitlines()

    def _certify(self) -> None:
        """Make its authority and its certificate, which its API does not start without."""
        pki = [*self.become, "icinga2", "pki"]
        mine = self.folder / "data/certs" / NAME
        key, request, certificate = (f"{mine}{end}" for end in (".key", ".csr", ".crt"))
        run_program([*pki, "new-ca", *self._places])
        run_program(
            [*pki, "new-cert", f"--cn={NAME}", f"--key={key}", f"--csr={request}", *self._places]
        )
        run_program([*pki, "sign-csr", f"--csr={request}", f"--cert={certificate}", *self._places])
        shutil.copy(self.folder / "data/ca/ca.crt", self.folder / "data/certs/ca.crt")


class Icinga:
    """The peer; each day has a daemon without a past."""

    name = "Icinga"
    proves = False
    tells = True

    def __init__(self, machines: Machines, console: str = "") -> None:
        self._machines = machines
        self._console = console
        self._daemon: _Daemon | None = None

    @property
    def daemon(self) -> _Daemon:
        """The daemon of this day; there is none before `begin`."""
        assert self._daemon is not None, "nobody is on duty"
        return self._daemon

    def begin(self) -> None:
        if self._daemon is None:
            world = self._machines.world
            names = {
                **self._machines.names,
                "console": self._console,
                "gateway": world.network.gateway,
            }
            self._daemon = _Daemon(names, world.key, world.known_hosts)
            self._daemon.start()
        until(lambda: not self.unwell(), within=_CALM, every=0.5, what="all is well")

    def end(self) -> None:
        if self._daemon is not None:
            self._daemon.close()
        self._daemon = None

    def unwell(self) -> list[str]:
        try:
            hosts = self.daemon.asked("objects/hosts")
            services = self.daemon.asked("objects/services")
        except urllib.error.URLError as error:
            return [f"its API: {error}"]
        unwell = []
        for one in [*hosts, *services]:
            its = one["attrs"]
            asleep = its["last_check"] <= 0 and not its["enable_active_checks"]  # no job has told
            if its["state"] and not asleep:
                unwell.append(f"{one['name']} {its['state']:.0f}")
        return unwell

    def announce(self, key: str, reason: str) -> None:
        host, _, check = key.partition("/")
        one = {"type": "Service", "service": f"{host}!{check}"}
        whole = {"type": "Host", "host": host, "all_services": "1"}
        now = time.time()
        self.daemon.asked(
            "actions/schedule-downtime",
            method="POST",
            author="a person",
            comment=reason,
            start_time=f"{now:.0f}",
            end_time=f"{now + 1800:.0f}",
            fixed="1",
            **(whole if check == "*" else one),
        )

    def told(self, key: str, since: float) -> Told:
        heard = [line.split("\t") for line in self.daemon.lines("heard")]
        mails = [line.split("\t", 3) for line in self.daemon.lines("mails")]
        acts = [line.split("\t", 3) for line in self.daemon.lines("actions")]
        return Told(
            # Its handler hears of the first failure, a person of the last.
            found=min(
                (
                    float(at)
                    for at, about in [*heard, *((at, about) for at, _, about, _ in mails)]
                    if about == key and float(at) >= since
                ),
                default=None,
            ),
            tickets={
                about: text
                for at, kind, about, text in mails
                if kind == "PROBLEM" and float(at) >= since
            },
            # 255: ssh did not get in, nothing was done.
            effects=tuple(
                f"{about}: {text} ({code})"
                for at, about, code, text in acts
                if float(at) >= since and code != "255"
            ),
        )

    def ping(self, key: str) -> str:
        daemon = self.daemon
        what = f"type=Service&service={urllib.parse.quote(key.replace('/', '!'))}"
        return (
            f"curl -fsSk -G -X POST -u night:{daemon.password} -H 'Accept: application/json'"
            ' --data-urlencode "plugin_output=$out"'
            " --data-urlencode exit_status=$([ $code = 0 ] && echo 0 || echo 2)"
            f" 'https://{daemon.address}:{PORT}/v1/actions/process-check-result?{what}'"
        )

    def story(self) -> str:
        if self._daemon is None:
            return "(it was not on duty)"
        files = ("heard", "actions", "mails", "log")
        return "\n".join(
            line for name in files for line in (f"--- {name}", *self._daemon.lines(name))
        )
