"""Jump hosts in the configuration: the way is settled, and a way that cannot be gone is refused."""

import pytest

from monitord.model.catalog import Hop, Requirement, SshLogin
from monitord.model.ids import CheckKey
from tests.config.conftest import Load, Problems

INNER = "login: {ssh: {user: m, via: bastion}}"


def test_the_nearest_jump_host_comes_first(load: Load) -> None:
    catalog = load(
        "hosts:\n"
        "  bastion: {address: 10.0.0.1, login: {ssh: {user: j, key: /k, port: 2222}}}\n"
        "  inner: {address: 10.0.1.1, login: {ssh: {user: i, via: bastion, known_hosts: /h}}}\n"
        "  db1: {address: 10.0.2.1, login: {ssh: {user: m, via: inner}}}\n"
    )
    first = Hop("bastion", "10.0.0.1", SshLogin("j", "/k", 2222))
    assert catalog.hosts["inner"].login.via == (first,)
    assert catalog.hosts["db1"].login.via == (first, Hop("inner", "10.0.1.1", SshLogin("i"), "/h"))
    assert catalog.hosts["bastion"].login.via == ()


def test_a_login_hangs_on_that_of_its_jump_host_which_is_checked_by_itself(load: Load) -> None:
    checks = load(
        "hosts:\n"
        "  bastion: {login: {ssh: {user: j}}}\n"
        f"  db1: {{groups: [inner], checks: {{memory: }}}}\n"
        f"groups: {{inner: {{{INNER}}}}}\n"
        "checks: {memory: {memory: {}}}\n"
    ).checks
    assert checks[CheckKey("db1/ssh")].needs == Requirement("all", (CheckKey("bastion/ssh"),))
    assert checks[CheckKey("db1/memory")].needs == Requirement()
    assert checks[CheckKey("bastion/ssh")].needs == Requirement()


@pytest.mark.parametrize(
    ("hosts", "says"),
    [
        (f"web1: {{{INNER}}}", "web1: login: via: there is no host bastion"),
        (f"web1: {{{INNER}}}\n  bastien: ", "did you mean bastien?"),
        (f"bastion: {{{INNER}}}", "it goes in a circle: bastion → bastion"),
        (f"web1: {{{INNER}}}\n  bastion: ", "bastion has no SSH login to go through"),
        (
            "\n  ".join(f"h{n}: {{login: {{ssh: {{user: m, via: h{n + 1}}}}}}}" for n in range(4))
            + "\n  h4: {login: {ssh: {user: m}}}",
            "h0: login: via: more than 3 jump hosts in a row (h0 → h1 → h2 → h3 → h4)",
        ),
    ],
)
def test_a_way_that_cannot_be_gone_is_refused(problems: Problems, hosts: str, says: str) -> None:
    told = problems(f"hosts:\n  {hosts}\n")
    assert says in "\n".join(told)
    assert all(":" in line for line in told)
