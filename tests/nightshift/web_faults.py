"""What goes wrong with the web server's services, by the ids of scenarios.json."""

from __future__ import annotations

from collections.abc import Mapping

from tests.nightshift.fault import HERE, Fault, Stage, on, repair

CODE = "curl -s -m 3 -o /dev/null -w '%{http_code}'"
SITE = (HERE, f"{CODE} http://$web1/")
PAGE = (HERE, f"{CODE} http://$web1/app")
KILL_NGINX = """
for pid in $(cat /sys/fs/cgroup/system.slice/nginx.service/cgroup.procs); do kill -9 "$pid"; done
"""
CERTIFICATE = """
openssl s_client -connect $web1:443 </dev/null 2>/dev/null |
    openssl x509 -checkend 1209600 -noout; echo $?
"""
STRAY = """
systemctl stop nginx
systemd-run --quiet --unit=stray python3 -m http.server 80 --directory /srv/data
until ss -Hltn 'sport = :80' | grep -q .; do sleep 0.1; done
"""
FATAL = """
mv /srv/app/config.ini /srv/app/config.ini.away
supervisorctl restart app || true
for _ in $(seq 60); do
    if supervisorctl status app | grep -q FATAL; then break; fi
    sleep 0.1
done
"""
# From then on each new program on the host sees another time; the machine's own clock stays.
CLOCK = """
echo +600s >/etc/faketimerc
dpkg -L libfaketime | grep '/libfaketime.so.1$' >/etc/ld.so.preload
"""
JOB = "#!/bin/sh\\n%s\\n"


def stop_and_break_the_app(stage: Stage) -> None:
    """Take the configuration away and let supervisor give up."""
    stage.sh("web1", FATAL)


def run_nightly_job(stage: Stage, body: str) -> None:
    """Put this body into the job, run it as cron does, and let it tell how it went."""
    stage.sh("web1", f"printf '{JOB}' '{body}' >/usr/local/bin/nightly-job")
    told(stage, "web1", "/usr/local/bin/nightly-job", "web1/nightly-job")


def told(stage: Stage, where: str, command: str, key: str) -> None:
    """Run a job on a host and send its output and exit code to the tool on duty."""
    stage.sh(where, f"code=0\nout=$({command} 2>&1) || code=$?\n{stage.tool.ping(key)}\n")


FAULTS: Mapping[str, Fault] = {
    "F01": repair(
        SITE,
        "web1/web-site",
        "web1 nginx",
        "web1 nginx.service",
        inject=on("web1", KILL_NGINX),
        undo=on("web1", "systemctl start nginx"),
    ),
    "F02": Fault(
        inject=on("web1", "echo 'bogus;' >/etc/nginx/conf.d/zz.conf; systemctl stop nginx"),
        undo=on("web1", "rm -f /etc/nginx/conf.d/zz.conf; systemctl start nginx"),
        answers=("web1", 'nginx -t 2>&1 | grep -c "unknown directive"'),
        key="web1/web-site",
        says=("unknown directive", "zz.conf"),
    ),
    "F03": Fault(
        inject=on("web1", STRAY),
        undo=on("web1", "systemctl stop stray; systemctl start nginx"),
        answers=("web1", "ss -ltnp 'sport = :80' | grep -c python3"),
        key="web1/web-site",
        says=("port 80", "python3"),
    ),
    "F04": repair(
        PAGE,
        "web1/app",
        "web1 app",
        "web1 app",
        inject=on("web1", "supervisorctl stop app"),
        undo=on("web1", "supervisorctl start app || true"),
    ),
    "F05": Fault(
        inject=stop_and_break_the_app,
        undo=on("web1", "mv /srv/app/config.ini.away /srv/app/config.ini; supervisorctl start app"),
        answers=("web1", "supervisorctl status app | grep -c FATAL"),
        key="web1/app",
        may_act=1,
        may_change=frozenset({"web1 app"}),
        may_start={"web1 app": 4},  # one command: supervisor itself tries again and again
        says=("cannot open /srv/app/config.ini",),
    ),
    "F17": repair(
        (HERE, "ssh-keyscan -T 3 $web1 2>/dev/null | grep -c ssh-ed25519"),
        "web1/ssh-port",
        "web1 ssh",
        "web1 ssh.service",
        inject=on("web1", "kill $(cat /run/sshd.pid)"),
        undo=on("web1", "systemctl start ssh"),
    ),
    "F23": repair(
        ("web1", "pgrep -xc cron"),
        "web1/cron-service",
        "web1 cron",
        "web1 cron.service",
        inject=on("web1", "systemctl stop cron"),
        undo=on("web1", "systemctl start cron"),
    ),
    "F24": Fault(
        inject=lambda stage: run_nightly_job(stage, "echo no space on the archive; exit 1"),
        undo=lambda stage: run_nightly_job(stage, "echo figures written"),
        answers=("web1", "grep -c 'exit 1' /usr/local/bin/nightly-job"),
        key="web1/nightly-job",
        says=("no space on the archive",),
    ),
    "F28": Fault(
        inject=on("web1", "sed -i s/public/other/ /etc/snmp/snmpd.conf; systemctl restart snmpd"),
        undo=on("web1", "sed -i s/other/public/ /etc/snmp/snmpd.conf; systemctl restart snmpd"),
        answers=("web1", "pgrep -c snmpd"),
        key="unknown/timeout",  # nothing is known of it, and nothing is called broken
        says=("imeout",),
    ),
    "F29": repair(
        (
            HERE,
            CERTIFICATE,
        ),
        "web1/web-certificate",
        "web1 /etc/nginx",
        "web1 renewal",
        inject=on("web1", "DAYS=3 renew-certificate; systemctl reload nginx"),
        never=(("web1", "systemctl show nginx --property=InvocationID"),),
    ),
    "F30": Fault(
        inject=on("web1", CLOCK),
        undo=on("web1", "rm -f /etc/ld.so.preload /etc/faketimerc"),
        answers=("web1", "supervisorctl status app | grep -c RUNNING"),
        key="web1/clock",
        others=("unknown/missing",),  # sudo does not bear what shifts the clock here
        says=("ahead of ours",),
    ),
}
