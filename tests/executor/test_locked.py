"""A locked login over a real sshd: facts and the ladder's own steps pass, and nothing else does."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from monitord.executor import locked, sudoers
from monitord.model.catalog import SshLogin
from monitord.model.facts import Section
from monitord.model.ids import CheckKey
from monitord.model.kinds import ScriptProbe, Target
from monitord.probes import PROBES
from monitord.transports import facts_remote, runner
from monitord.transports.facts_json import facts_from_json
from monitord.transports.ssh import Ssh
from tests.executor.core import KINDS, Core, RefusalError
from tests.world.host import Host
from tests.world.hosts import World

pytestmark = pytest.mark.requires("hosts")
Start = Callable[..., Core]
Heard = Callable[[bytes], tuple[int, str]]
LOCK = "/usr/local/lib/monitord-locked"
WORKER = "[Service]\nExecStart=/bin/sleep infinity\n"
BOOKS = {
    "restart": """
        steps:
          - systemd: {unit: worker, do: restart}
          - command: {run: [sh, -c, 'printf %s "$TOKEN$1"', sh, "it's {item}"], env: {TOKEN: a b}}
          - command: ["true"]
        collect: [evidence: {about: logs, unit: "{item}"}]
        undo: [{command: {run: [systemctl, stop, worker.service], sudo: true}}]
        """.replace("\n        ", "\n"),
}
RECORD = runner.Record("", "store", "9-9")
MARK = runner.new_mark()


@pytest.fixture(scope="module")
def web1(module_world: World, tmp_path_factory: pytest.TempPathFactory) -> Host:
    """A host whose login is locked, and whose sudo allows what its ladder needs."""
    host = module_world.host("web1")
    host.write("/etc/systemd/system/worker.service", WORKER)
    host.run(["systemctl", "daemon-reload"])
    given = Core(tmp_path_factory.mktemp("lock"), hosts=yaml(host), runbooks=BOOKS)
    given.store.close_now()
    catalog, known = given.catalog, given.catalog.hosts["web1"]
    host.write(LOCK, locked.lock(catalog, known, KINDS))
    rights = sudoers.privileges(catalog, known, KINDS)
    assert rights.gaps == []
    host.write("/etc/sudoers.d/monitord", "\n".join(sudoers.lines(rights)) + "\n", mode=0o440)
    host.run(["visudo", "-cf", "/etc/sudoers.d/monitord"])
    (line,) = locked.keys(known)
    account, _, options = line.partition(" ")
    assert account == "(monitord)"
    key = module_world.key.with_suffix(".pub").read_text().strip()
    path = "/home/monitord/.ssh/authorized_keys"
    host.write(path, options.replace("KEY", key) + "\n", mode=0o600)
    host.run(["chown", "monitord:", path])
    return host


def yaml(host: Host) -> str:
    world = host._world
    login = f"user: monitord, key: {world.key}, known_hosts: {world.known_hosts}"
    return (
        f"web1: {{address: {host.address}, login: {{ssh: {{{login}, act: {{sudo: true}}}}}},"
        " checks: {site: {systemd: {units: [worker]}, remediate: [restart]},"
        " programs: {supervisor: {server: [supervisorctl, -s, 'http://here'], programs: [a]}},"
        " app: {log: {files: /var/log/app.log, patterns: {bad: ERROR}}}}}"
    )


@pytest.fixture(scope="module")
def heard(web1: Host) -> Iterator[Heard]:
    """Give a function that sends a text to the locked login as our own transport does."""
    login, known = SshLogin("monitord", str(web1._world.key)), str(web1._world.known_hosts)
    ssh = Ssh()

    def send(script: bytes) -> tuple[int, str]:
        ran = ssh.run(web1.address, login, known, script, timeout=20)
        return ran.exit_code, ran.stdout.decode()

    yield send
    ssh.close()


def order(*argv: str, **given: object) -> bytes:
    return runner.to_run(RECORD, replace(runner.Order(argv, 5, 1), **given), MARK)  # type: ignore[arg-type]


def test_facts_and_the_steps_of_a_ladder_pass_the_lock(core: Start, web1: Host) -> None:
    sections = [["memory", []], ["unit", ["it's.service", "worker.service"]], ["clock", []]]
    sections += [["file", ["/etc/host*", "/root/a 'b'"]], ["disk", []], ["process", []]]
    sections += [["changes", ["900", "monitord", "."]]]
    started = core(hosts=yaml(web1), runbooks=BOOKS)
    facts = facts_from_json(started.ask("facts", host="web1", sections=sections, timeout=20))
    assert facts.units["worker.service"].load == "loaded"
    assert facts.files["/etc/host*"].exists
    assert facts.errors == {"file:/root/a 'b'": "Permission denied"}
    first, second = (
        started.intend("restart", host="web1", items=("worker",), position=position)
        for position in (1, 2)
    )
    assert facts.changes is not None
    looked = started.done("restart", host="web1", items=("worker",))
    assert "== log of worker since" in looked["output"]
    assert started.ask("run", step=first)["outcome"] == "done", "sudo takes the file's own line"
    assert started.ask("run", step=second)["output"] == "a bit's worker"
    assert started.ask("adopt", step=first)["outcome"] == "done"
    assert web1.is_active("worker")


@pytest.mark.parametrize(
    "script",
    [
        b"id\n",
        b"",
        order("systemctl", "restart", "nginx.service", sudo=True),
        order("systemctl", "restart", "worker.service"),
        order("systemctl", "stop", "worker.service", sudo=True, cwd="/srv"),
        order("systemctl", "stop", "worker.service", sudo=True, stdin="id"),
        order("systemctl", "stop", "worker.service", sudo=True, env={"LD_PRELOAD": "/srv/x"}),
        order("systemctl", "stop", "worker.service", sudo=True).replace(
            MARK.encode(), b"x'; id; '"
        ),
        order("systemctl", "stop", "worker.service", sudo=True).replace(b"late=''", b"late=`id`"),
        order("systemctl", "stop", "worker.service", sudo=True).replace(b"late=''", b"late=''id"),
        order("systemctl", "stop", "worker.service", sudo=True).replace(b"set --", b"id; set --"),
        order("systemctl", "stop", "worker.service", sudo=True).replace(b"cwd=''", b"cwd=''\nx=''"),
        order("systemctl", "stop", "worker.service", sudo=True).replace(b'main "$@"', b"id"),
        order("systemctl", "stop", "worker.service", sudo=True) + b"id\n",
        facts_remote.script((Section("boot"),)).encode() + b"id\n",
        facts_remote.script((Section("boot"),)).replace("section '", "id; section '").encode(),
        facts_remote.script((Section("boot"),)).replace(" nothing\n", " id\n").encode(),
        facts_remote.script((Section("file", ("/x",)),)).replace("/x\n", "$(id)\n").encode(),
        facts_remote.script((Section("program", ("sh", "-c", "id")),)).encode(),
    ],
    ids=range(19),
)
def test_anything_else_is_refused_in_one_line(heard: Heard, web1: Host, script: bytes) -> None:
    assert script not in {
        order("systemctl", "stop", "worker.service", sudo=True),
        facts_remote.script((Section("boot"),)).encode(),
    }
    code, said = heard(script)
    assert code == 126, said
    assert said.startswith("monitord-locked: refused: ")
    assert said.count("\n") == 1
    assert not web1.exists("/home/monitord/.monitord/runs/store.9-9"), "nothing was begun"


def test_a_script_that_reads_on_passes_with_one_plain_word_before_it(
    core: Start, web1: Host, heard: Heard
) -> None:
    web1.write("/var/log/app.log", "ERROR one\nERROR two\n")
    started = core(hosts=yaml(web1), runbooks=BOOKS)
    first = started.ask("plugin", check="web1/app", timeout=20, since="+")
    assert "ERROR one\nERROR two\n" in first["stdout"]
    place = next(line for line in first["stdout"].splitlines() if " at " in line).split(" ")
    since = "+," + ".".join(place[2:6])
    assert "ERROR" not in started.ask("plugin", check="web1/app", timeout=20, since=since)["stdout"]
    with pytest.raises(RefusalError, match="not one plain word"):
        started.ask("plugin", check="web1/app", timeout=20, since="'; id; '")
    check = started.catalog.checks[CheckKey("web1/app")]
    target = Target("web1", web1.address, {}, 20)
    kind = PROBES["log"]
    assert isinstance(kind, ScriptProbe)
    text = kind.script(check.spec, target).text
    assert heard(f"since='+'\n{text}".encode())[0] == 0
    for line in ("since='';id", "since='$(id)'", "since=''\nid", "PATH='x'", "since='a b'"):
        assert heard(f"{line}\n{text}".encode())[0] == 126, line


def test_what_cannot_be_hashed_is_refused(heard: Heard, web1: Host) -> None:
    """Empty lists must not take an empty hash for one of theirs."""
    web1.run(["mv", "/usr/bin/sha256sum", "/usr/bin/sha256sum.away"])
    try:
        for script in (b"id\n", facts_remote.script((Section("boot"),)).encode() + b"id\n"):
            code, said = heard(script)
            assert code == 126, said
            assert "uid=" not in said
    finally:
        web1.run(["mv", "/usr/bin/sha256sum.away", "/usr/bin/sha256sum"])


def test_a_ladder_s_own_step_passes_where_the_others_do_not(heard: Heard, web1: Host) -> None:
    code, said = heard(order("systemctl", "stop", "worker.service", sudo=True, limit=60))
    assert (code, "finished 0 ended" in said) == (0, True), said
    web1.run(["rm", "-rf", "/home/monitord/.monitord/runs/store.9-9"])
    program = ("supervisorctl", "-s", "http://here")
    code, said = heard(facts_remote.script((Section("program", program),)).encode())
    assert (code, "monitord-facts" in said) == (0, True), "a check's own words are listed"


def test_a_shell_a_command_and_a_file_transfer_are_refused(web1: Host) -> None:
    with web1.ssh(user="monitord") as client:
        _, out, _ = client.exec_command("id")
        assert out.read().decode() == "monitord-locked: refused: only monitord may ask here\n"
        assert out.channel.recv_exit_status() == 126
        with pytest.raises(Exception, match=r"(?i)sftp|garbage|eof|expected|packet"):
            client.open_sftp()


def test_what_the_lock_cannot_foresee_it_does_not_take_and_says(core: Start, web1: Host) -> None:
    text = yaml(web1).replace("{units: [worker]}", "{failed: true}")
    book = {"restart": 'steps: [{systemd: {unit: "{item}", do: restart}}]\n'}
    started = core(hosts=text, runbooks=book)
    printed = locked.lock(started.catalog, started.catalog.hosts["web1"], KINDS)
    assert "# NOT TAKEN web1/site restart: {item} can be anything" in printed
