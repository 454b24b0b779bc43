"""Steps on other machines: whole hosts with their own systemd, sshd and sudo, over SSH."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from monitord.transports.facts_json import facts_from_json
from tests.executor.core import Core, RefusalError
from tests.world.host import Host
from tests.world.hosts import World
from tests.world.until import until

pytestmark = pytest.mark.requires("hosts")
Start = Callable[..., Core]

SUDOERS = (
    "monitord ALL=(root) NOPASSWD: /usr/bin/timeout -k 5 20 systemctl restart worker.service,"
    " /usr/bin/timeout -k 5 6 sleep 300, /usr/bin/timeout -k 5 60 sleep 302"
)
WORKER = "[Service]\nExecStart=/bin/sleep infinity\n"


@pytest.fixture(scope="module")
def web1(module_world: World) -> Host:
    host = module_world.host("web1", sudoers=SUDOERS)
    host.write("/etc/systemd/system/worker.service", WORKER)
    host.run(["systemctl", "daemon-reload"])
    return host


def on(host: Host, *runbooks: str, act: str = "{sudo: true}") -> str:
    """Give the host as YAML, with these runbooks on its check's ladder."""
    world = host._world
    ladder = ", ".join(runbooks)
    login = f"{{user: monitord, key: {world.key}, known_hosts: {world.known_hosts}, act: {act}}}"
    return (
        f"{host.name}: {{address: {host.address}, login: {{ssh: {login}}},"
        f" checks: {{site: {{load: {{}}, remediate: [{ladder}]}}}}}}"
    )


def sh(script: str, timeout: str = "20s") -> str:
    lines = "\n".join(f"        {line}" for line in script.splitlines())
    head = "steps:\n- command:\n    run:\n      - sh\n      - -c\n      - |\n"
    return f"{head}{lines}\n  timeout: {timeout}\n"


def test_facts_come_over_the_reading_login(core: Start, web1: Host) -> None:
    started = core(hosts=on(web1))
    sections = [["memory", []], ["unit", ["worker.service"]], ["clock", []]]
    facts = facts_from_json(started.ask("facts", host="web1", sections=sections, timeout=20))
    assert facts.units["worker.service"].load == "loaded"
    assert facts.clock is not None
    assert abs(facts.clock.offset) < 5


def test_a_step_runs_as_the_acting_user_in_its_home(core: Start, web1: Host) -> None:
    book = sh("id -un; pwd; echo $HOME; echo ${{#SSH_CONNECTION}}")
    started = core(hosts=on(web1, "fix"), runbooks={"fix": book})
    answer = started.done("fix", host="web1")
    assert answer["output"] == "monitord\n/\n/home/monitord\n0\n"
    assert web1.run(["stat", "-c", "%a %U", "/home/monitord/.monitord/runs"]).stdout == (
        "700 monitord\n"
    )


def test_the_acting_identity_is_another_than_the_reading_one(core: Start, web1: Host) -> None:
    """Root needs no sudo: a step that asks for it simply runs."""
    book = "steps:\n- command: {run: [id, -un], sudo: true}\n"
    started = core(hosts=on(web1, "fix", act="{user: root}"), runbooks={"fix": book})
    assert started.done("fix", host="web1")["output"] == "root\n"


def test_sudo_gets_the_exact_argv_with_the_deadline_inside(core: Start, web1: Host) -> None:
    book = "steps:\n- systemd: {unit: worker, do: restart}\n  timeout: 20s\n"
    started = core(hosts=on(web1, "fix"), runbooks={"fix": book})
    web1.run(["systemctl", "stop", "worker"])
    assert started.done("fix", host="web1")["outcome"] == "done"
    assert web1.is_active("worker")


def test_the_deadline_ends_what_runs_as_root(core: Start, web1: Host) -> None:
    """We may not kill it; the deadline inside the sudo argv can."""
    book = "steps:\n- command: {run: [sleep, '300'], sudo: true}\n  timeout: 6s\n"
    started = core(hosts=on(web1, "fix"), runbooks={"fix": book})
    answer = started.done("fix", host="web1")
    assert (answer["outcome"], answer["error"]) == ("failed", "not done within 6 s; it was ended")
    assert web1.run(["pgrep", "-x", "-f", "sleep 300"], check=False).returncode == 1


def test_killing_a_step_ends_what_runs_as_root(core: Start, web1: Host) -> None:
    """Exact sudoers let nobody kill as root: sudo itself is asked to end what it runs."""
    book = "steps:\n- command: {run: [sleep, '302'], sudo: true}\n  timeout: 60s\n"
    started = core(hosts=on(web1, "fix"), runbooks={"fix": book})
    step = started.intend("fix", host="web1")
    run = started.send("run", step=step)
    started.await_started(step)
    is_there = ["pgrep", "-x", "-f", "sleep 302"]
    until(lambda: web1.run(is_there, check=False).returncode == 0, within=10)
    assert started.ask("kill", step=step) == {}
    assert web1.run(is_there, check=False).returncode == 1
    answer = started.answer(run)
    assert (answer["outcome"], answer["error"]) == ("unknown", "killed by halt --now")


def test_what_sudo_does_not_allow_says_so(core: Start, web1: Host) -> None:
    book = "steps:\n- systemd: {unit: worker, do: stop}\n  timeout: 20s\n"
    started = core(hosts=on(web1, "fix"), runbooks={"fix": book})
    answer = started.done("fix", host="web1")
    assert answer["outcome"] == "failed"
    assert answer["error"].startswith("sudo: a password is required (allow this very argv")


def test_a_login_without_sudo_refuses_a_step_that_needs_root(core: Start, web1: Host) -> None:
    book = "steps:\n- systemd: {unit: worker, do: restart}\n"
    started = core(hosts=on(web1, "fix", act="{}"), runbooks={"fix": book})
    with pytest.raises(RefusalError, match=r"allow it with `act: \{sudo: true\}`"):
        started.done("fix", host="web1")


def test_the_same_step_is_not_done_twice_over_ssh(core: Start, web1: Host) -> None:
    started = core(hosts=on(web1, "fix"), runbooks={"fix": sh("echo x >> ~/twice")})
    step = started.intend("fix", host="web1")
    started.ask("run", step=step)
    with pytest.raises(RefusalError, match="already ran"):
        started.ask("run", step=step)
    assert web1.read("/home/monitord/twice") == "x\n"


def test_a_step_outlives_the_executor_and_its_connection(core: Start, web1: Host) -> None:
    web1.run(["mkfifo", "/home/monitord/go1"], user="monitord")
    book = sh("echo x >> ~/once; cat ~/go1; echo finished")
    started = core(hosts=on(web1, "fix"), runbooks={"fix": book})
    step = started.intend("fix", host="web1")
    started.send("run", step=step)
    started.await_started(step)
    started.kill()
    started.start()
    asked = started.send("adopt", step=step)
    web1.run(["sh", "-c", "echo gone on > /home/monitord/go1"])
    assert started.answer(asked)["output"] == "gone on\nfinished\n"
    assert web1.read("/home/monitord/once") == "x\n"


def test_a_connection_that_breaks_under_a_step_is_made_again(core: Start, web1: Host) -> None:
    web1.run(["mkfifo", "/home/monitord/go2"], user="monitord")
    started = core(hosts=on(web1, "fix"), runbooks={"fix": sh("cat ~/go2; echo finished")})
    step = started.intend("fix", host="web1")
    asked = started.send("run", step=step)
    started.await_started(step)
    web1.run(["pkill", "-KILL", "-u", "monitord", "-x", "sshd"])
    web1.run(["sh", "-c", "echo gone on > /home/monitord/go2"])
    answer = started.answer(asked)
    assert (answer["outcome"], answer["output"]) == ("done", "gone on\nfinished\n")


def test_an_older_epoch_is_refused_by_the_host(core: Start, web1: Host) -> None:
    started = core(hosts=on(web1, "fix"), runbooks={"fix": sh("true")})
    started.write_store(lambda tx: tx.put_meta("epoch", "7"))
    started.done("fix", host="web1")
    started.write_store(lambda tx: tx.put_meta("epoch", "6"))
    with pytest.raises(RefusalError, match="epoch 6 is older than 7, which was seen here"):
        started.done("fix", host="web1")


def test_a_state_folder_made_anew_is_not_fenced_off_by_the_old_one(
    core: Start, web1: Host, tmp_path: Path
) -> None:
    old = core(hosts=on(web1, "fix"), runbooks={"fix": sh("true")})
    old.write_store(lambda tx: tx.put_meta("epoch", "7"))
    assert old.done("fix", host="web1")["outcome"] == "done"
    (tmp_path / "new").mkdir()
    with Core(tmp_path / "new", hosts=on(web1, "fix"), runbooks={"fix": sh("true")}) as new:
        assert new.done("fix", host="web1")["outcome"] == "done"


def test_a_host_that_is_gone_is_a_transport_error_within_the_deadline(
    core: Start, web1: Host
) -> None:
    started = core(hosts=on(web1))
    web1.drop(22)
    try:
        began = time.monotonic()
        with pytest.raises(RefusalError) as caught:
            started.ask("facts", host="web1", sections=[["load", []]], timeout=2)
        assert time.monotonic() - began < 5
    finally:
        web1.heal()
    assert (caught.value.type, caught.value.cause) == ("transport", "timeout")
    until(lambda: started.ask("facts", host="web1", sections=[["load", []]], timeout=5))


def test_a_host_that_refuses_us_begins_nothing_and_says_so_at_once(core: Start, web1: Host) -> None:
    started = core(hosts=on(web1, "fix"), runbooks={"fix": sh("echo x")})
    step = started.intend("fix", host="web1")
    web1.reject(22)
    try:
        began = time.monotonic()
        with pytest.raises(RefusalError, match="Connection refused") as caught:
            started.ask("run", step=step)
        assert time.monotonic() - began < 3
    finally:
        web1.heal()
    assert (caught.value.type, caught.value.cause) == ("transport", "transport")
    assert started.ask("adopt", step=step)["outcome"] == "never-started"
    assert started.ask("run", step=step)["outcome"] == "done"


def test_the_executor_ends_at_once_while_a_step_runs_elsewhere(core: Start, web1: Host) -> None:
    started = core(hosts=on(web1, "fix"), runbooks={"fix": sh("sleep 15; echo finished")})
    step = started.intend("fix", host="web1")
    started.send("run", step=step)
    started.await_started(step)
    began = time.monotonic()
    assert started.stop() == 0
    assert time.monotonic() - began < 5
    started.start()
    assert started.ask("adopt", step=step)["output"] == "finished\n"


def test_a_host_without_flock_runs_a_step_once_and_is_adopted(core: Start, web1: Host) -> None:
    web1.run(["mv", "/usr/bin/flock", "/usr/bin/flock.away"])
    try:
        web1.run(["mkfifo", "/home/monitord/go3"], user="monitord")
        book = sh("echo x >> ~/unlocked; cat ~/go3; exit 4")
        started = core(hosts=on(web1, "fix"), runbooks={"fix": book})
        step = started.intend("fix", host="web1")
        started.send("run", step=step)
        started.await_started(step)
        started.kill()
        started.start()
        with pytest.raises(RefusalError, match="already ran"):
            started.ask("run", step=step)
        asked = started.send("adopt", step=step)
        web1.run(["sh", "-c", "echo > /home/monitord/go3"])
        assert started.answer(asked)["exit_code"] == 4
        assert web1.read("/home/monitord/unlocked") == "x\n"
    finally:
        web1.run(["mv", "/usr/bin/flock.away", "/usr/bin/flock"])


def test_busybox_is_enough(core: Start, web1: Host) -> None:
    """Its timeout ends only the program itself; the runner ends the rest of the group."""
    tools = "sh setsid timeout flock find dd tail mkfifo date mv cat rm wc touch mkdir sleep id cut"
    links = "for t in $0; do ln -s /bin/busybox /usr/local/sbin/$t; done"
    web1.run(["sh", "-c", links, tools])
    try:
        book = sh("(sleep 301; true) & echo begun; wait", "1s")
        started = core(hosts=on(web1, "fix", "say"), runbooks={"fix": book, "say": sh("echo hi")})
        assert started.done("say", host="web1")["output"] == "hi\n"
        answer = started.done("fix", host="web1")
        assert (answer["outcome"], answer["output"]) == ("failed", "begun\n")
        gone = ["pgrep", "-x", "-f", "sleep 301"]
        until(lambda: web1.run(gone, check=False).returncode == 1, within=5)
    finally:
        web1.run(["sh", "-c", "cd /usr/local/sbin && rm $0", tools])


def test_a_full_disk_on_the_host_begins_nothing(core: Start, web1: Host) -> None:
    web1.run(["rm", "-rf", "/home/monitord/.monitord"])
    web1.filesystem("/home/monitord/.monitord", megabytes=4)
    web1.run(["chown", "monitord", "/home/monitord/.monitord"])
    try:
        web1.run(["dd", "if=/dev/zero", "of=/home/monitord/.monitord/full"], check=False)
        started = core(hosts=on(web1, "fix"), runbooks={"fix": sh("touch ~/begun-on-full")})
        step = started.intend("fix", host="web1")
        with pytest.raises(RefusalError, match="disk full"):
            started.ask("run", step=step)
        assert not web1.exists("/home/monitord/begun-on-full")
        web1.run(["rm", "/home/monitord/.monitord/full"])
        assert started.ask("adopt", step=step)["outcome"] == "never-started"
        assert started.ask("run", step=step)["outcome"] == "done"
    finally:
        web1.run(["umount", "-l", "/home/monitord/.monitord"])
        web1.run(["rmdir", "/home/monitord/.monitord"])


def test_a_step_that_a_reboot_cut_off_is_unknown(core: Start, web1: Host) -> None:
    """Last in this file: the host comes back without what the tests before left running."""
    started = core(hosts=on(web1, "fix"), runbooks={"fix": sh("sleep 60", "60s")})
    step = started.intend("fix", host="web1")
    asked = started.send("run", step=step)
    started.await_started(step)
    web1.crash()
    web1.power_on()
    answer = started.answer(asked)
    assert answer["outcome"] == "unknown"
    assert "restarted" in answer["error"]


def test_the_records_survive_the_reboot(core: Start, web1: Host, tmp_path: Path) -> None:
    """A step that ran before the power went is not run again after it."""
    started = core(hosts=on(web1, "fix"), runbooks={"fix": sh("echo x >> ~/rebooted")})
    step = started.intend("fix", host="web1")
    started.ask("run", step=step)
    web1.crash()
    web1.power_on()
    started.kill()
    started.start()
    with pytest.raises(RefusalError, match="already ran"):
        started.ask("run", step=step)
    assert started.ask("adopt", step=step)["outcome"] == "done"
    assert web1.read("/home/monitord/rebooted") == "x\n"


def test_a_reboot_is_done_when_the_machine_is_back_under_another_boot_id(
    core: Start, web1: Host
) -> None:
    """Also when it is asked for again; a machine that stays up has not restarted."""
    book = "steps:\n- reboot: {}\n  timeout: 60s\n"
    lazy = "steps:\n- reboot: {}\n  timeout: 1s\n"
    runbooks = {"reboot": book, "lazy": lazy}
    started = core(hosts=on(web1, "reboot", "lazy", act="{user: root}"), runbooks=runbooks)
    was = web1.read("/proc/sys/kernel/random/boot_id")
    step = started.intend("reboot", host="web1")
    answer = started.ask("run", step=step)
    assert answer["outcome"] == "done", answer
    assert "under another boot id" in answer["output"]
    assert web1.read("/proc/sys/kernel/random/boot_id") != was
    assert started.ask("adopt", step=step)["outcome"] == "done"
    web1.write("/usr/local/sbin/systemctl", "#!/bin/sh\n", mode=0o755)
    answer = started.done("lazy", host="web1")
    assert (answer["outcome"], answer["error"].partition(", ")[0]) == (
        "failed", "it was told to restart and has not",
    )  # fmt: skip
    web1.run(["rm", "/usr/local/sbin/systemctl"])
