"""Network devices: a real FRRouting on a test host, through a real sshd, with real neighbours."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.executor.core import Core, RefusalError
from tests.world.hosts import World
from tests.world.router import NEIGHBOUR, PASSWORD, PASSWORD_PORT, Router
from tests.world.until import until

pytestmark = pytest.mark.requires("hosts", "frr", "netmiko")
Start = Callable[..., Core]


def configure(*lines: str, more: str = "", timeout: str = "20s") -> str:
    """Give a runbook of one step that configures."""
    step = f"{{configure: {json.dumps(list(lines))}{more}}}"
    return f"steps:\n- device: {step}\n  timeout: {timeout}\n"


def ask(line: str, more: str = "", timeout: str = "20s") -> str:
    """Give a runbook of one step that types a command."""
    return f"steps:\n- device: {{commands: [{line}]{more}}}\n  timeout: {timeout}\n"


BOOKS = {
    "open": configure("router bgp {as}", "no neighbor {item} shutdown", more=", item: address"),
    "save": configure(
        "router bgp 65001", "no neighbor {item} shutdown", more=", item: address, save: true"
    ),
    "typo": configure("router bgp 65001", "no neighbour 127.0.0.2 shutdown", "timers bgp 1 3"),
    "enter": configure("router bgp 65001", timeout="2s"),
    "endless": ask("ping 127.0.0.1", timeout="2s"),
    "long": ask("ping 127.0.0.1", timeout="60s"),
    "tell": ask("show bgp neighbors 127.0.0.2", ", says: Description"),
    "condition": ask("show bgp summary", ", says: Established"),
}


@pytest.fixture(scope="module")
def of_module(module_world: World) -> Router:
    return Router(module_world.host("r1"))


@pytest.fixture
def router(of_module: Router) -> Router:
    """Give the router, its neighbour shut down."""
    of_module.shut()
    return of_module


@pytest.fixture(scope="module")
def started(of_module: Router, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    """Give an executor that knows the router under several names, one for each way in."""
    folder = tmp_path_factory.mktemp("core")
    hosts = "\n  ".join(ways_in(of_module, folder))
    with Core(folder, hosts=hosts, runbooks=BOOKS) as core:
        yield core


def ways_in(router: Router, folder: Path) -> Iterator[str]:
    """Give the router as hosts of the configuration."""
    world, address = router.host._world, router.host.address
    (folder / "strange").touch()
    other = folder / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    key = " ".join(other.with_suffix(".pub").read_text().split()[:2])
    (folder / "changed").write_text(f"{address} {key}\n")
    (folder / "door").write_text(
        world.known_hosts.read_text().replace(f"r1,{address}", f"[{address}]:{PASSWORD_PORT}")
    )
    (folder / "password").write_text(PASSWORD + "\n")
    (folder / "password").chmod(0o600)
    yield on(router, "r1")
    yield on(router, "typing", show="show bgp sumary")
    yield on(router, "view", act="user: look")
    yield on(router, "mute", user="mute", act="user: mute")
    yield on(router, "loud", user="loud")
    yield on(router, "slow", act="user: slow")
    yield on(router, "strange", known=folder / "strange")
    yield on(router, "changed", known=folder / "changed")
    password = f"user: act, password: !secret file:{folder}/password"
    yield on(router, "door", act=password, known=folder / "door", port=PASSWORD_PORT)


def on(
    router: Router,
    name: str,
    *,
    user: str = "look",
    act: str = "user: act",
    known: Path | None = None,
    port: int = 22,
    show: str = "show bgp summary",
) -> str:
    """Give the router as YAML, with all runbooks on its check's ladder."""
    world = router.host._world
    login = f"dialect: frr, user: {user}, key: {world.key}, port: {port}, act: {{{act}}}"
    ladder = json.dumps([*(set(BOOKS) - {"open"}), {"open": {"with": {"as": "65001"}}}])
    check = f"device: {{show: {show}, bad: Idle}}, remediate: {ladder}"
    return (
        f"{name}: {{address: {router.host.address},"
        f" login: {{device: {{{login}, known_hosts: {known or world.known_hosts}}}}},"
        f" checks: {{site: {{{check}}}}}}}"
    )


def test_a_check_sees_what_the_router_says(started: Core, router: Router) -> None:
    output = started.ask("plugin", check="r1/site", timeout=20)
    assert output["exit_code"] == 0
    assert "Idle (Admin)" in output["stdout"]


def test_a_step_configures_and_the_neighbour_is_back(started: Core, router: Router) -> None:
    answer = started.done("save", host="r1", items=(NEIGHBOUR,))
    assert (answer["outcome"], answer["error"]) == ("done", "")
    assert (
        f"r1(config-router)# no neighbor {NEIGHBOUR} shutdown\nr1(config-router)# end\n"
        in (answer["output"])
    )
    until(router.is_established, what="the neighbours to talk")
    assert f"neighbor {NEIGHBOUR} remote-as" in router.host.read("/etc/frr/frr.conf")


def test_the_same_step_is_not_typed_twice(started: Core, router: Router) -> None:
    step = started.intend("open", host="r1", items=(NEIGHBOUR,))
    assert started.ask("run", step=step)["outcome"] == "done"
    router.shut()
    with pytest.raises(RefusalError, match="already ran"):
        started.ask("run", step=step)
    assert router.is_shut()
    assert started.ask("adopt", step=step)["outcome"] == "done"


def test_a_line_with_a_mistake_fails_with_the_routers_own_words(
    started: Core, router: Router
) -> None:
    answer = started.done("typo", host="r1")
    assert answer["outcome"] == "failed"
    assert answer["error"] == (
        "no neighbour 127.0.0.2 shutdown: % Unknown command: no neighbour 127.0.0.2 shutdown"
        " (1 of 3 lines were taken before)"
    )
    assert "timers bgp" not in answer["output"], "nothing is typed after a refusal"
    assert router.is_shut()


def test_a_look_that_the_router_refuses_says_so(started: Core) -> None:
    output = started.ask("plugin", check="typing/site", timeout=20)
    assert (output["exit_code"], output["stdout"]) == (1, "% Unknown command: show bgp sumary")


def test_who_may_only_look_cannot_configure(started: Core, router: Router) -> None:
    answer = started.done("open", host="view", items=(NEIGHBOUR,))
    assert answer["outcome"] == "failed"
    assert answer["error"] == "configure terminal: % Unknown command: configure terminal"
    assert router.is_shut()


@pytest.mark.parametrize(("host", "says"), [("strange", "is unknown"), ("changed", "has CHANGED")])
def test_a_wrong_host_key_is_never_typed_to(
    started: Core, router: Router, host: str, says: str
) -> None:
    with pytest.raises(RefusalError, match=says) as refused:
        started.ask("plugin", check=f"{host}/site", timeout=20)
    assert (refused.value.type, refused.value.cause) == ("transport", "login")
    step = started.intend("open", host=host, items=(NEIGHBOUR,))
    with pytest.raises(RefusalError, match=says):
        started.ask("run", step=step)
    assert router.is_shut()
    assert started.ask("adopt", step=step)["outcome"] == "never-started"
    known = Path(started.catalog.hosts[host].login.known_hosts).read_text()
    assert known.count("ssh-ed25519") == (host == "changed"), "it is never learnt"


def test_a_device_that_hangs_after_the_login_costs_its_deadline(started: Core) -> None:
    began = time.monotonic()
    step = started.intend("enter", host="mute")
    looking = started.send("plugin", check="mute/site", timeout=2)
    with pytest.raises(RefusalError, match="it showed no prompt in time"):
        started.ask("run", step=step)
    with pytest.raises(RefusalError, match="it showed no prompt in time") as refused:
        started.answer(looking)
    assert refused.value.cause == "timeout"
    assert time.monotonic() - began < 12
    assert started.ask("adopt", step=step)["outcome"] == "never-started"


def test_a_daemon_that_was_replaced_while_it_logged_in_types_nothing(
    started: Core, router: Router
) -> None:
    step = started.intend("open", host="slow", items=(NEIGHBOUR,))
    running = started.send("run", step=step)
    router.await_slow()
    started.write_store(lambda tx: tx.next_epoch())
    router.open_gate()
    with pytest.raises(RefusalError, match="a newer daemon has taken over") as refused:
        started.answer(running)
    assert refused.value.type == "not-begun"
    assert router.is_shut()
    assert started.ask("adopt", step=step)["outcome"] == "never-started"


def test_halted_while_it_logged_in(started: Core, router: Router) -> None:
    step = started.intend("open", host="slow", items=(NEIGHBOUR,))
    running = started.send("run", step=step)
    router.await_slow()
    (started.state / "HALT").touch()
    router.open_gate()
    with pytest.raises(RefusalError, match="halted") as refused:
        started.answer(running)
    (started.state / "HALT").unlink()
    assert refused.value.type == "not-begun"
    assert router.is_shut()


def test_a_device_that_floods_is_left(started: Core) -> None:
    with pytest.raises(RefusalError, match="more than 1048576 bytes were said"):
        started.ask("plugin", check="loud/site", timeout=20)


def test_a_line_that_never_ends_is_unknown_at_its_deadline(started: Core) -> None:
    """Nobody can end on a router what was begun there, so nobody may say that it failed."""
    answer = started.done("endless", host="r1")
    assert answer["outcome"] == "unknown"
    assert "it may have taken effect" in answer["error"]


def test_what_was_cut_off_under_way_is_unknown_and_never_typed_again(started: Core) -> None:
    step = started.intend("long", host="r1")
    started.send("run", step=step)
    started.await_started(step)
    started.kill()
    started.start()
    answer = started.ask("adopt", step=step)
    assert answer["outcome"] == "unknown"
    assert answer["error"] == "the executor ended before the answer came"
    with pytest.raises(RefusalError, match="already ran"):
        started.ask("run", step=step)


def test_halt_now_ends_the_session(started: Core) -> None:
    step = started.intend("long", host="r1")
    running = started.send("run", step=step)
    started.await_started(step)
    began = time.monotonic()
    started.ask("kill", step=step)
    assert started.answer(running)["outcome"] == "unknown"
    assert time.monotonic() - began < 20


def test_a_password_is_used_and_never_told(started: Core, router: Router) -> None:
    # The router says it back: it stands in the neighbour's description.
    router.vtysh("configure terminal", "router bgp 65001", f"neighbor 127.0.0.2 desc {PASSWORD}")
    answer = started.done("tell", host="door")
    assert (answer["outcome"], answer["error"]) == ("done", "")
    assert "Description: [redacted]" in answer["output"]
    assert PASSWORD not in json.dumps(answer)


def test_a_condition_that_the_router_does_not_state_fails(started: Core, router: Router) -> None:
    answer = started.done("condition", host="r1")
    assert answer["outcome"] == "failed"
    assert answer["error"] == "the device does not say 'Established'"


def test_without_netmiko_it_says_what_to_install(
    core: Start, of_module: Router, tmp_path: Path
) -> None:
    (tmp_path / "none" / "netmiko").mkdir(parents=True)
    (tmp_path / "none" / "netmiko" / "__init__.py").write_text("raise ImportError('not here')\n")
    env = {"PYTHONPATH": str(tmp_path / "none")}
    started = core(hosts=on(of_module, "r1"), runbooks=BOOKS, env=env)
    with pytest.raises(RefusalError, match=r"pip install 'monitord\[network\]'") as refused:
        started.ask("plugin", check="r1/site", timeout=20)
    assert refused.value.cause == "missing"


def test_netmiko_is_imported_when_a_device_is_spoken_to_and_not_before() -> None:
    script = "import sys, monitord.executor; sys.exit('netmiko' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
