"""What we ship, judged with the kinds that we ship: it loads, and editors agree with the loader."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from monitord.actions import ACTIONS
from monitord.config import assemble, json_schema, read
from monitord.config.content import shipped_root
from monitord.config.tree import plain
from monitord.config.yaml12 import Reading, parse
from monitord.errors import ConfigError
from monitord.model.ids import CheckKey
from monitord.model.kinds import Kinds
from monitord.probes import PROBES
from monitord.secrets import SecretRef
from monitord.tickets import BACKENDS

KINDS = Kinds(PROBES, ACTIONS, BACKENDS)
ROOT = shipped_root()
MAINS = [ROOT / "config/monitord.yaml", *sorted((ROOT / "config/examples").glob("*.yaml"))]
FILES = {"main": "main", "check": "check_file", "runbook": "runbook_file"}
NOWHERE = Path("/nonexistent")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema(KINDS)


def _validator(schema: dict[str, Any], definition: str) -> Draft202012Validator:
    root = {**schema, "anyOf": [{"$ref": f"#/$defs/{definition}"}]}
    return Draft202012Validator(root)


def _shown(value: Any) -> Any:
    """Give a tree as an editor sees it: a secret reference is a tagged text."""
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return str(value) if isinstance(value, SecretRef) else value


@pytest.mark.parametrize("path", MAINS, ids=lambda path: path.stem)
def test_a_shipped_configuration_loads(path: Path) -> None:
    catalog = assemble(read(path, system=NOWHERE), KINDS)
    assert catalog.checks


def test_the_default_watches_this_machine_and_changes_nothing() -> None:
    catalog = assemble(read(MAINS[0], system=NOWHERE), KINDS)
    assert catalog.settings.profile == "cautious"
    assert [host.login.may_act for host in catalog.hosts.values()] == [False]
    assert {"disk-space", "memory", "load", "clock", "zombies", "monitord-health"} <= {
        check.name for check in catalog.checks.values()
    }
    assert catalog.warnings == ()
    assert catalog.backends == {}


def test_the_example_shows_what_the_design_promises() -> None:
    catalog = assemble(read(ROOT / "config/examples/web-shop.yaml", system=NOWHERE), KINDS)
    site = catalog.checks[CheckKey("web7/site")]
    assert site.needs.keys == ("db1/pg-primary", "db2/pg-primary")
    assert [(rung.runbook, rung.mode) for rung in site.remediate] == [
        ("restart-nginx", "auto"),
        ("restart-nginx-hard", "approve"),
    ]
    assert catalog.hosts["web7"].address == "10.1.1.17"
    assert catalog.hosts["web7"].login.may_act
    assert catalog.checks[CheckKey("web7/disk-space")].via == "web7/ssh"
    assert catalog.checks[CheckKey("www/vip")].impact == "high"
    assert catalog.warnings == ()
    shop = catalog.services["shop"]
    assert shop.checks == ("www/vip", *(f"web{number}/site" for number in range(1, 9)))
    assert [rule.text for rule in shop.degraded_when] == ["web*/site fewer than 6 ok"]


def test_the_published_schema_is_one(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", MAINS, ids=lambda path: path.stem)
def test_the_published_schema_accepts_what_we_ship(schema: dict[str, Any], path: Path) -> None:
    for document in read(path, system=NOWHERE).documents:
        found = _validator(schema, FILES[document.role]).iter_errors(_shown(plain(document.tree)))
        assert [(document.file, error.message) for error in found] == []
        whole = Draft202012Validator(schema).iter_errors(_shown(plain(document.tree)))
        assert list(whole) == []


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        ("main", "profil: lab"),
        ("main", "profile: standart"),
        ("main", "hosts: {w: {adress: x}}"),
        ("main", "hosts: {w: {checks: {s: {evry: 3s}}}}"),
        ("main", "hosts: {w: {checks: {s: {every: 3 minutes}}}}"),
        ("main", "hosts: {w: {behind: [a, b]}}"),
        ("main", "hosts: {w: {login: telnet}}"),
        ("main", "tickets: {mail: {mial: {}}}"),
        ("main", "exceptions: [{hosts: w, checks: s, set: {}}]"),
        ("check_file", "s: {http: {url: 'http://x/'}, tcp: {port: 1}}"),
        ("check_file", "s: {every: 3s}"),
        ("check_file", "s: {tcp: {prot: 1}}"),
        ("runbook_file", "steps: [{systemd: {unit: x, do: restart}}]\nlimits: {}"),
        ("runbook_file", "steps: [{idempotent: true}]\nverify: {}\nlimits: {}"),
    ],
)
def test_the_published_schema_refuses_what_the_loader_refuses(
    schema: dict[str, Any], definition: str, text: str
) -> None:
    reading = parse(text.encode(), Reading("x"))
    assert reading.problems == []
    assert not _validator(schema, definition).is_valid(_shown(plain(reading.tree)))


def test_every_shipped_file_is_content_of_the_loader() -> None:
    """No shipped check or runbook lies where nobody finds it."""
    sources = read(MAINS[0], system=NOWHERE)
    found = {Path(document.file).name for document in sources.documents if document.role != "main"}
    lying = {
        path.name for name in ("checks", "remediations") for path in (ROOT / name).rglob("*.yaml")
    }
    assert found == lying


def test_every_shipped_check_says_what_it_means_and_what_to_do(tmp_path: Path) -> None:
    sources = read(MAINS[0], system=NOWHERE)
    for document in sources.documents:
        if document.role == "check":
            ((name, check),) = document.tree.items()
            assert check["means"], name
            assert check["by_hand"], name


def test_a_fact_check_needs_a_login(tmp_path: Path) -> None:
    path = tmp_path / "main.yaml"
    path.write_text("hosts: {www: {checks: {disk-space: }}}\n")
    with pytest.raises(ConfigError, match="disk looks inside a host"):
        assemble(read(path, system=NOWHERE), KINDS)
