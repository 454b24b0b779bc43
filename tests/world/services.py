"""What runs on a test host: services to break, each put there in one call.

web_site(host)                                  # nginx, /health answers ok, pages in /srv/www
unit(host, "app", "/usr/bin/sleep 1000")        # any program as a systemd service
supervised(host, "worker", "sleep 1000")        # the same under supervisord
nightly_job(host, "report", "date >/srv/out")   # from cron at 02:30; `run_job` runs it now

Each starts what it made; the names are those of the host's own tools (systemctl, supervisorctl).
"""

from __future__ import annotations

import subprocess

from tests.world.host import Host
from tests.world.until import until

SITE = """\
server {
    listen 80 default_server;
    root /srv/www;
    location = /health { default_type text/plain; return 200 "ok\\n"; }
}
"""


def web_site(host: Host, *, page: str = "<h1>shop</h1>\n") -> None:
    """Serve `page` with nginx on port 80 from /srv/www; `/health` answers `ok`."""
    host.write("/srv/www/index.html", page)
    host.run(["rm", "-f", "/etc/nginx/sites-enabled/default"])
    host.write("/etc/nginx/conf.d/site.conf", SITE)
    host.start("nginx")


def unit(host: Host, name: str, command: str, *, lines: str = "") -> None:
    """Run `command` (absolute path) as NAME.service, enabled; `lines` go into [Service]."""
    install = "[Install]\nWantedBy=monitord-test-host.target\n"
    text = f"[Unit]\nDescription={name}\n[Service]\nExecStart={command}\n{lines}\n{install}"
    host.write(f"/etc/systemd/system/{name}.service", text)
    host.run(["systemctl", "daemon-reload"])
    host.run(["systemctl", "enable", "--quiet", name])
    host.start(name)


def supervised(host: Host, name: str, command: str, *, lines: str = "") -> None:
    """Run `command` as a program of the host's supervisord; `lines` are added to its section."""
    text = f"[program:{name}]\ncommand={command}\nstartsecs=1\n{lines}\n"
    host.write(f"/etc/supervisor/conf.d/{name}.conf", text)
    host.start("supervisor")
    # The unit counts as started before its socket answers.
    update = ["supervisorctl", "update"]
    until(lambda: host.run(update, check=False).returncode == 0, what="supervisord's socket")


def nightly_job(host: Host, name: str, script: str, *, at: str = "30 2 * * *") -> None:
    """Install a shell script as /usr/local/bin/NAME and let cron run it as root."""
    host.write(f"/usr/local/bin/{name}", f"#!/bin/sh\nset -eu\n{script}\n", mode=0o755)
    host.write(f"/etc/cron.d/{name}", f"{at} root /usr/local/bin/{name}\n")
    host.start("cron")


def run_job(host: Host, name: str) -> subprocess.CompletedProcess[str]:
    """Run the job now as cron would, in its bare environment; its exit code is in the answer."""
    return host.run(
        ["env", "-i", "PATH=/usr/bin:/bin", "SHELL=/bin/sh", f"/usr/local/bin/{name}"], check=False
    )
