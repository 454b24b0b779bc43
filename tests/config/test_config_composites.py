"""Composite checks: whom a selector means, and each mistake with its line."""

from pathlib import Path

import pytest

from monitord.actions import ACTIONS
from monitord.config import assemble, read
from monitord.config.explain import explain
from monitord.errors import ConfigError
from monitord.model.catalog import Catalog
from monitord.model.ids import CheckKey
from monitord.model.kinds import Kinds
from monitord.probes import PROBES
from monitord.tickets import BACKENDS

KINDS = Kinds(PROBES, ACTIONS, BACKENDS)

FARM = CheckKey("lb/farm")
FLEET = """\
hosts:
  "web[1-3]": {groups: [web], checks: {site: {tcp: {port: 80}}}}
  lb:
    checks:
      site: {tcp: {port: 80}}
"""


def load(folder: Path, lines: str) -> Catalog:
    main = folder / "monitord.yaml"
    main.write_text(f"{FLEET}{lines}\ngroups: {{web: {{}}}}\n")
    return assemble(read(main, shipped=folder / "none", system=folder / "etc"), KINDS)


@pytest.mark.parametrize(
    ("composite", "keys", "need"),
    [
        ('{all: "web*/site"}', ["web1/site", "web2/site", "web3/site"], 3),
        ("{any: [site, web1/site]}", ["lb/site", "web1/site"], 1),
        ('{at_least: 2, of: "group=web & check=site"}', ["web1/site", "web2/site", "web3/site"], 2),
        ('{all: "lb/*"}', ["lb/site"], 1),
    ],
)
def test_its_members_are_what_its_selectors_mean(
    composite: str, keys: list[str], need: int, tmp_path: Path
) -> None:
    farm = load(tmp_path, f"      farm: {{composite: {composite}}}").checks[FARM]

    assert farm.members is not None
    assert (list(farm.members.keys), farm.members.need) == (keys, need)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            "farm: {composite: {}}",
            "farm: composite: needs exactly one of all:, any:, or at_least: with of:",
        ),
        ("farm: {composite: {all: site, any: site}}", "farm: composite: needs exactly one of"),
        ("farm: {composite: {at_least: 2}}", "farm: composite: lacks of: (which checks?)"),
        ("farm: {composite: {of: site}}", "farm: composite: lacks at_least: (how many must work?)"),
        (
            'farm: {composite: {at_least: 4, of: "web*/site"}}',
            "farm.at_least: 4 can never work: 3 checks match (write 3 or fewer)",
        ),
        (
            "farm: {composite: {all: web1/sit}}",
            "there is no check web1/sit (did you mean web1/site?)",
        ),
        ("farm: {composite: {any: [sit]}}", "there is no check lb/sit (did you mean lb/site?)"),
        ("farm: {composite: {all: farm}}", "farm.all: a check cannot be made of itself"),
        ("farm: {composite: {all: [service=shop]}}", "cannot be told by service="),
        (
            "farm: {composite: {all: back}}\n      back: {composite: {any: farm}}",
            "it is judged by itself: lb/farm → lb/back → lb/farm (take one of them out)",
        ),
        (
            "farm: {composite: {all: site2}}\n      site2: {tcp: {port: 1}, needs: farm}",
            "it is judged by itself: lb/farm → lb/site2 → lb/farm (take one of them out)",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_cure(lines: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f"      {lines}")

    assert told in str(caught.value)
    assert ":6:" in str(caught.value)


def test_explain_names_whom_it_is_made_of(tmp_path: Path) -> None:
    load(tmp_path, '      farm: {composite: {at_least: 2, of: "web*/site"}}')
    main = tmp_path / "monitord.yaml"

    rows = explain(read(main, shipped=tmp_path / "none", system=tmp_path / "etc"), KINDS, "lb/farm")

    (told,) = [value for name, value, _ in rows if name == "needs to work"]
    assert told == "2 of web1/site, web2/site, web3/site"
