"""A real Request Tracker and a real Alertmanager on loopback, each with a folder of its own.

with RequestTracker() as rt:        # rt.url; root / password; rt.count("Subject LIKE 'x'")
with Alertmanager() as manager:     # manager.url; manager.alerts() as amtool reads them back
"""

from __future__ import annotations

import json
import os
import urllib.request
from base64 import b64encode
from typing import Any
from urllib.parse import quote

from tests.world.process import Peer, PeerError, answers, find_program, free_port, run_program

RT_SERVER = "/usr/share/request-tracker5/libexec/rt-server"
RT_SETUP = "rt-setup-database-5"
_SITE = """\
Set($rtname, 'example.com');
Set($Organization, 'example.com');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{folder}/rt.db');
Set($DatabaseUser, '');
Set($DatabasePassword, '');
Set($WebDomain, '127.0.0.1');
Set($WebPort, {port});
Set($WebPath, '');
Set($WebBaseURL, 'http://127.0.0.1:{port}');
Set($LogToSTDERR, 'warning');
Set($LogToSyslog, undef);
Set($LogToFile, undef);
Set($MailCommand, 'testfile');
Set($RestrictReferrer, 0);
Set($MasonDataDir, '{folder}/mason');
Set($MasonSessionDir, '{folder}/sessions');
Set($Timezone, 'UTC');
Set($WebSecureCookies, 0);
1;
"""


class RequestTracker(Peer):
    """Request Tracker 5 on SQLite, with its first queue, General. It serves one at a time."""

    name = "request-tracker"

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        for folder in ("mason", "sessions", "empty"):
            (self.folder / folder).mkdir()
        site = self.folder / "site.pm"
        site.write_text(_SITE.format(folder=self.folder, port=self.port), encoding="utf-8")
        self.environment = {
            **os.environ,
            "RT_SITE_CONFIG": str(site),
            "RT_SITE_CONFIG_DIR": str(self.folder / "empty"),
            "TMPDIR": str(self.folder),  # where its mails go
        }
        options = ["--action", "init", "--skip-create", "--dba", "", "--dba-password", ""]
        run_program([find_program(RT_SETUP) or RT_SETUP, *options], **self.environment)
        listen = ["--host", "127.0.0.1", "--port", str(self.port)]
        self.argv = [RT_SERVER, "--server", "HTTP::Server::PSGI", *listen]

    def is_ready(self) -> bool:
        """Whether it accepts connections."""
        return answers(self.port)

    def ask(self, method: str, path: str, send: Any = None) -> Any:
        """Call its REST 2 API as root."""
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.url}/REST/2.0{path}",
            method=method,
            data=None if send is None else json.dumps(send).encode(),
            headers={
                "Authorization": "Basic " + b64encode(b"root:password").decode(),
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            return json.loads(answer.read() or b"null")

    def subjects(self, query: str = "id > 0") -> list[str]:
        """Give the subjects of all tickets that a query finds."""
        found: list[str] = []
        page, pages = 1, 1
        while page <= pages:
            path = f"/tickets?query={quote(query)}&fields=Subject&per_page=100&page={page}"
            said = self.ask("GET", path)
            found += [row["Subject"] for row in said["items"]]
            page, pages = page + 1, said["pages"] or 0
        return found


class Alertmanager(Peer):
    """Alertmanager with one receiver that tells nobody."""

    name = "alertmanager"

    def __init__(self) -> None:
        super().__init__()
        program = find_program("prometheus-alertmanager")
        if program is None:
            raise PeerError("prometheus-alertmanager is not installed (tests/peers.txt)")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = self.folder / "alertmanager.yml"
        config.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
        self.argv = [
            program,
            f"--config.file={config}",
            f"--storage.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]

    def is_ready(self) -> bool:
        """Whether it says that it is ready."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1):  # noqa: S310 - ours
                return True
        except OSError:
            return False

    def alerts(self) -> list[dict[str, Any]]:
        """Give the alerts that fire, as amtool reads them."""
        argv = ["amtool", f"--alertmanager.url={self.url}", "alert", "query", "--output=json"]
        found: list[dict[str, Any]] = json.loads(run_program(argv))
        return found
