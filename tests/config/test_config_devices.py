"""Network devices in YAML: how one is logged into, and what is refused before anything is asked."""

from pathlib import Path

import pytest

from monitord import config
from monitord.actions import ACTIONS
from monitord.errors import ConfigError
from monitord.executor.sudoers import lines, privileges
from monitord.model.catalog import Catalog
from monitord.model.kinds import Kinds
from monitord.probes import PROBES
from monitord.secrets import SecretRef

KINDS = Kinds(PROBES, ACTIONS, {})
LOGIN = "{device: {dialect: frr, user: look, key: /k, act: {user: act}}}"
CHECK = "{device: {show: show bgp summary, bad: Idle}, remediate: [fix]}"
END = "\nverify: {settle: 1s, oks: 1, within: 1m}\nlimits: {per_incident: 1}\nmode: auto\n"
OPEN = "steps:\n- device: {configure: [router bgp 1], save: true}\n"


def load(folder: Path, *, login: str = LOGIN, check: str = CHECK, book: str = OPEN) -> Catalog:
    (folder / "remediations").mkdir()
    (folder / "remediations" / "fix.yaml").write_text(book + END)
    main = f"profile: standard\nhosts:\n  r1: {{login: {login}, checks: {{bgp: {check}}}}}\n"
    (folder / "monitord.yaml").write_text(main)
    return config.load(folder / "monitord.yaml", KINDS)


def test_a_device_has_two_identities_and_a_dialect(tmp_path: Path) -> None:
    login = LOGIN.replace("user: act", "user: act, password: !secret file:/p")
    host = load(tmp_path, login=login).hosts["r1"].login
    assert (host.kind, host.dialect, host.may_act, host.has_shell) == ("device", "frr", True, False)
    assert host.read is not None
    assert host.act is not None
    assert (host.read.user, host.read.key, host.read.password) == ("look", "/k", None)
    act = (host.act.user, host.act.key, host.act.password)
    assert act == ("act", "", SecretRef("file", "/p"))


def test_without_act_it_is_only_watched(tmp_path: Path) -> None:
    catalog = load(tmp_path, login=LOGIN.replace(", act: {user: act}", ""))
    assert not catalog.hosts["r1"].login.may_act
    assert "cannot act, for r1 is only watched" in catalog.warnings[0]


def test_a_runbook_with_a_device_step_changes_the_network(tmp_path: Path) -> None:
    assert load(tmp_path).runbooks["fix"].changes == "network"


def test_unless_it_says_what_it_changes(tmp_path: Path) -> None:
    assert load(tmp_path, book=f"changes: start\n{OPEN}").runbooks["fix"].changes == "start"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"login": LOGIN.replace("frr", "fr")}, "did you mean frr"),
        ({"login": LOGIN.replace("key: /k", "password: abc")}, "write !secret"),
        (
            {"login": LOGIN.replace("key: /k", "key: /k, password: !secret env:P")},
            "either key: or password:",
        ),
        ({"check": "{load: {}}"}, "load needs a shell, and r1 is a network device"),
        ({"login": "{ssh: {user: x}}"}, "device looks at a network device, and r1 is none"),
        (
            {"check": CHECK.replace("show bgp", "clear bgp")},
            "'clear bgp summary' may change something: in frr only these look: show, ping",
        ),
        ({"book": "steps:\n- command: [reboot]\n"}, "r1 is a network device and has no shell"),
        (
            {"book": f"collect:\n- device: {{configure: [x]}}\n{OPEN}"},
            "collect: may only look",
        ),
        (
            {"book": f"require:\n- device: {{commands: [clear bgp]}}\n{OPEN}"},
            "'clear bgp' may change something",
        ),
        (
            {"book": "steps:\n- device: {commands: [configure terminal]}\n"},
            "'configure terminal' is typed by itself",
        ),
    ],
)
def test_what_does_not_fit_is_said_with_its_cure(
    tmp_path: Path, given: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, **given)
    assert says in str(refused.value)


def test_sudoers_of_a_device_are_the_lines_that_its_account_must_be_allowed(tmp_path: Path) -> None:
    catalog = load(tmp_path)
    assert list(lines(privileges(catalog, catalog.hosts["r1"], KINDS))) == [
        "# r1 is a network device: no sudo. Let act type this alone:",
        "terminal length 0",
        "configure terminal",
        "router bgp 1",
        "end",
        "write memory",
    ]
