"""No text, wherever it stands, gives more than a catalog or a list of problems."""

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitord.actions import ACTIONS
from monitord.config import assemble, compare, explain, json_schema, read
from monitord.config.content import shipped_root
from monitord.config.schema import CheckModel, GroupModel, HostModel, RunbookModel
from monitord.config.sections import KNOWN
from monitord.config.sentences import keys_of
from monitord.errors import ConfigError
from monitord.model.catalog import Catalog
from monitord.model.kinds import Kinds
from monitord.model.text import one_line
from monitord.probes import PROBES
from monitord.tickets import BACKENDS
from tests.world.vectors import vector

KINDS = Kinds(PROBES, ACTIONS, BACKENDS)
NOWHERE = Path("/nonexistent")
_SLOTS = """\
instance: @
hosts:
  @: {address: @, site: @, groups: [@], behind: @, login: {ssh: {user: @, key: @}}}
  w:
    login: local
    checks:
      @: {http: {url: @, body: @, headers: {@: @}}, every: @, needs: @, remediate: [@]}
      s: {http: {url: @, regex: @}, means: @, by_hand: @, was: @}
      d: {disk: {critical: @, mounts: [@]}, if_exists: @}
      n: {nagios: {command: [@]}}
groups: {@: {hosts: [@], checks: {@: }}}
runbooks:
  @: {steps: [{command: [@]}, {@: @}], verify: {within: @}, limits: {per_hour: @}, lock: @}
services: {@: {sla: @, down_when: [@], checks: @}}
exceptions: [{hosts: @, checks: @, set: {@: @}, reason: @, owner: @, until: @}]
tickets: {@: {webhook: {url: @, secret: !secret @}}}
include: [@]
"""


def outcome(path: Path, shipped: Path = NOWHERE) -> Catalog | list[str]:
    """Load; any exception but ConfigError is the failure that these tests look for."""
    try:
        return assemble(read(path, shipped=shipped, system=NOWHERE), KINDS)
    except ConfigError as error:
        told = [problem.text for problem in error.problems]
    assert [one_line(text, 10_000) for text in told] == told
    return told


def strings() -> list[str]:
    hostile: list[dict[str, Any]] = vector("fuzz/hostile_strings.json")["cases"]
    found = list(vector("fuzz/blns.json"))
    for case in hostile:
        value = case["value"]
        if case["encoding"] == "base64":
            value = base64.b64decode(value).decode("utf-8", "surrogateescape")
        elif case["encoding"] == "repeat":
            value = value * min(case["count"], 20_000)
        found.append(value)
    return [text for text in found if isinstance(text, str)]


def test_naughty_strings_quoted_in_every_place(tmp_path: Path) -> None:
    path = tmp_path / "main.yaml"
    for text in strings():
        quoted = json.dumps(text)
        path.write_bytes(_SLOTS.replace("@", quoted).encode("utf-8", "surrogateescape"))
        outcome(path)


def test_naughty_strings_as_they_are_in_every_place(tmp_path: Path) -> None:
    path = tmp_path / "main.yaml"
    for text in strings():
        path.write_bytes(_SLOTS.replace("@", text).encode("utf-8", "surrogateescape"))
        outcome(path)


def test_naughty_strings_as_whole_files(tmp_path: Path) -> None:
    path = tmp_path / "main.yaml"
    for text in strings():
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        assert isinstance(outcome(path), list)


MODELS = (CheckModel, HostModel, GroupModel, RunbookModel)
_WORDS = sorted(
    {
        *KNOWN,
        *(
            key
            for model in (CheckModel, HostModel, GroupModel, RunbookModel)
            for key in keys_of(model)
        ),
        *PROBES,
        *ACTIONS,
        *BACKENDS,
        *(key for kind in PROBES.values() for key in keys_of(kind.spec)),
        *(key for kind in ACTIONS.values() for key in keys_of(kind.spec)),
        "web[1-3]",
        "any",
        "ssh",
        "local",
        "x",
    }
)
_SCALARS = st.sampled_from(
    [
        *("1", "-1", "0", "1.5", "1e999", ".nan", "9" * 30, "x", "30s", "{address}", "~", "true"),
        *('"{address}"', '"{10+n}"', "[]", "{}", "''", "!secret env:X", "web*", "90%", "w/s"),
        *("2030-01-01", "&a x", "99999999999w", "'@1:2'", '"10:"', "http://x/", "/etc"),
        *('"\\0"', '"\\e[31m"', "[a, [b]]"),
    ]
)
_YAML = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=4).map(
            lambda items: "{" + ", ".join(f'"{k}": {v}' for k, v in items.items()) + "}"
        )
    ),
    max_leaves=12,
)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(st.sampled_from(KNOWN), _YAML, max_size=5))
def test_known_words_in_any_order_give_a_catalog_or_problems(
    tmp_path: Path, top: dict[str, str]
) -> None:
    path = tmp_path / "main.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in top.items()) or "x")
    outcome(path)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(sorted(PROBES)), st.data())
def test_any_value_under_any_setting_of_a_probe(tmp_path: Path, kind: str, data: Any) -> None:
    fields = st.sampled_from(keys_of(PROBES[kind].spec) or ["x"])
    spec = data.draw(st.dictionaries(fields, _YAML, max_size=3))
    body = ", ".join(f'"{key}": {value}' for key, value in spec.items())
    path = tmp_path / "main.yaml"
    path.write_text(
        f"hosts:\n  web[1-2]: {{login: local, checks: {{s: {{{kind}: {{{body}}}}}}}}}\n"
    )
    outcome(path)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(sorted(ACTIONS)), st.data())
def test_any_value_under_any_setting_of_an_action(tmp_path: Path, kind: str, data: Any) -> None:
    fields = st.sampled_from(keys_of(ACTIONS[kind].spec))
    spec = data.draw(
        _YAML
        | st.dictionaries(fields, _YAML, max_size=3).map(
            lambda items: "{" + ", ".join(f'"{k}": {v}' for k, v in items.items()) + "}"
        )
    )
    path = tmp_path / "main.yaml"
    path.write_text(
        "runbooks:\n  r:\n    verify: {oks: 1}\n    limits: {per_hour: 1}\n"
        f"    steps: [{{{kind}: {spec}}}]\n"
        "hosts: {w: {checks: {s: {tcp: {port: 1}, remediate: [r]}}}}\n"
    )
    outcome(path)


def test_mutilated_examples_give_a_catalog_or_problems(tmp_path: Path) -> None:
    """Characters dropped, doubled and swapped in a file that is right: 200 slips of the hand."""
    text = (Path(__file__).parents[2] / "config/examples/web-shop.yaml").read_text()
    chance = random.Random(2)  # noqa: S311 - the same slips each time
    path = tmp_path / "main.yaml"
    good = 0
    for _ in range(200):
        at = chance.randrange(len(text))
        slip = chance.choice(["", text[at] * 2, "\t", ":", " ", "{", "]", "\n", "'", "&", "*"])
        path.write_text(text[:at] + slip + text[at + 1 :])
        good += isinstance(outcome(path, shipped_root()), Catalog)
    assert 0 < good < 200


@pytest.mark.parametrize("name", ["nan: .nan", "x: 0x10"])
def test_other_doors_keep_the_same_promise(tmp_path: Path, name: str) -> None:
    path = tmp_path / "main.yaml"
    path.write_text("hosts: {w: {checks: {s: {tcp: {port: 1}}}}}\n")
    sources = read(path, shipped=NOWHERE, system=NOWHERE)
    catalog = assemble(sources, KINDS)
    assert compare(catalog, catalog).lines == ()
    assert explain(sources, KINDS, "w/s")
    assert json.dumps(json_schema(KINDS))
