"""What was done to a host, told over SSH by a real one; and evidence collected there as a step."""

import time
from collections.abc import Callable

import pytest

from monitord.decisions.changes import person_at_work
from monitord.model.facts import ChangesFact, Facts
from monitord.transports.facts_json import facts_from_json
from tests.executor.core import Core
from tests.executor.test_remote import on
from tests.world.host import Host
from tests.world.hosts import World
from tests.world.until import until

pytestmark = pytest.mark.requires("hosts")
Start = Callable[..., Core]

WORKER = "[Service]\nExecStart=/bin/sleep infinity\n"
TALKER = (
    "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'seq 20000; echo password=hunter2;"
    ' printf "evil\\\\033[31m\\\\n"\'\n'
)


@pytest.fixture(scope="module")
def web1(module_world: World) -> Host:
    """A host on which kim may do everything, and has just stopped the worker."""
    host = module_world.host("web1", sudoers="kim ALL=(root) NOPASSWD: ALL")
    host.write("/etc/systemd/system/worker.service", WORKER)
    host.write("/etc/systemd/system/talker.service", TALKER)
    host.run(["useradd", "--create-home", "kim"])
    host.run(["systemctl", "daemon-reload"])
    host.start("worker", "talker")
    host.write("/etc/app/evil\n\x1b[31mname.conf", "x\n")
    host.write(
        "/var/log/dpkg.log", time.strftime("%Y-%m-%d %H:%M:%S upgrade nginx:amd64 1.1 1.2\n")
    )
    argv = ["sudo", "sh", "-c", "systemctl stop worker # --password hunter2"]
    host.run(argv, user="kim")
    return host


def ask(core: Core, *wanted: tuple[str, list[str]]) -> Facts:
    sections = [[name, args] for name, args in wanted]
    return facts_from_json(core.ask("facts", host="web1", sections=sections, timeout=60))


def changes(core: Core, seconds: int = 900) -> ChangesFact:
    facts = ask(core, ("changes", [str(seconds), "monitord"]))
    assert facts.errors == {}
    assert facts.changes is not None
    return facts.changes


def test_an_outsider_is_told_what_he_may_not_read(core: Start, web1: Host) -> None:
    told = changes(core(hosts=on(web1)))
    assert any("monitord may read no journal" in text for text in told.unread)
    assert any("crontabs" in text for text in told.unread)
    texts = [row.text for row in told.rows]
    assert "upgrade nginx:amd64 1.1 to 1.2" in texts
    assert any(text.startswith("/etc/app/evil?\\x1b[31mname.conf was written") for text in texts)


def test_a_member_of_adm_sees_who_did_it(core: Start, web1: Host) -> None:
    """And neither monitord's own logins, nor the secret in an argv."""
    web1.run(["usermod", "--append", "--groups", "adm,systemd-journal", "monitord"])
    with web1.ssh(user="root") as client:
        client.exec_command("true")[1].channel.recv_exit_status()
    started = core(hosts=on(web1))
    until(lambda: any(row.kind == "login" for row in changes(started).rows), within=20)
    told = changes(started)
    (sudo,) = [row for row in told.rows if row.kind == "sudo"]
    assert sudo.who == "kim"
    assert "systemctl stop worker" in sudo.text
    assert "hunter2" not in sudo.text
    assert {row.who for row in told.rows if row.kind == "login"} == {"root"}
    assert [row.text for row in told.rows].count("worker.service was stopped") == 1
    assert all(0 <= row.ago < 900 for row in told.rows)

    facts = ask(started, ("changes", ["900", "monitord"]), ("unit", ["worker.service"]))
    assert facts.changes is not None
    who = person_at_work(facts.changes.rows, facts.units.values(), ())
    assert who.startswith("kim ran sudo")
    assert who.endswith("worker was stopped cleanly")


def test_what_crashed_is_nobodys_doing(core: Start, web1: Host) -> None:
    web1.start("worker")
    web1.run(["systemctl", "kill", "--signal=KILL", "worker"])
    until(lambda: not web1.is_active("worker"))
    facts = ask(core(hosts=on(web1)), ("changes", ["900"]), ("unit", ["worker.service"]))
    assert facts.changes is not None
    assert "worker.service failed (signal)" in [row.text for row in facts.changes.rows]
    assert person_at_work(facts.changes.rows, facts.units.values(), ()) == ""


def test_evidence_of_a_huge_and_hostile_log_is_bounded_and_masked(core: Start, web1: Host) -> None:
    """The instant of the first failure comes with the step: the log begins before it."""
    book = "collect: [evidence: {about: logs, unit: talker}]\nsteps: [command: ['true']]\n"
    started = core(hosts=on(web1, "look"), runbooks={"look": book})
    answer = started.done("look", host="web1")
    assert answer["outcome"] == "done"
    output = answer["output"]
    assert "== log of talker since 5 min before 20" in output
    assert "lines left out ...]" in output
    assert "password=[redacted]" in output
    assert len(output) < 20_000
    assert len(output.splitlines()) < 180
