"""What goes wrong on the web server, by the ids of scenarios.json."""

from __future__ import annotations

from collections.abc import Mapping

from tests.nightshift.fault import HERE, Fault, on

CODE = "curl -s -m 3 -o /dev/null -w '%{http_code}'"
KILL_NGINX = """
for pid in $(cat /sys/fs/cgroup/system.slice/nginx.service/cgroup.procs); do kill -9 "$pid"; done
"""
NEW_HOST_KEY = """
cd /etc/ssh
mkdir -p /root/key && mv ssh_host_ed25519_key ssh_host_ed25519_key.pub /root/key/
ssh-keygen -q -t ed25519 -N '' -C '' -f ssh_host_ed25519_key
systemctl stop nginx
systemctl stop ssh
pkill -KILL -x sshd || true
systemctl start ssh
"""
OLD_HOST_KEY = """
mv /root/key/* /etc/ssh/
systemctl restart ssh
systemctl start nginx
"""

FAULTS: Mapping[str, Fault] = {
    "F01": Fault(
        inject=on("web1", KILL_NGINX),
        undo=on("web1", "systemctl start nginx"),
        answers=(HERE, f"{CODE} http://$web1/"),
        key="web1/web-site",
        may_change=frozenset({"web1 nginx"}),
        may_start={"web1 nginx.service": 1},
    ),
    "F02": Fault(
        inject=on("web1", "echo 'bogus;' >/etc/nginx/conf.d/zz.conf; systemctl stop nginx"),
        undo=on("web1", "rm -f /etc/nginx/conf.d/zz.conf; systemctl start nginx"),
        answers=("web1", 'nginx -t 2>&1 | grep -c "unknown directive"'),
        key="web1/web-site",
        says=("unknown directive", "zz.conf"),
    ),
    "N03": Fault(
        inject=on("web1", "nginx -s reload"),
        undo=on("web1", "true"),
        answers=(HERE, f"{CODE} http://$web1/"),
    ),
    "T06": Fault(
        inject=on("web1", NEW_HOST_KEY),
        undo=on("web1", OLD_HOST_KEY),
        answers=("web1", "pgrep -c nginx"),
        key="web1/ssh",
        others=("web1/web-site",),
        says=("SHA256:", "CHANGED"),
        never=((HERE, "cat $known_hosts"),),
    ),
}
