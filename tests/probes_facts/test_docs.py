"""docs/probes.md tells the truth: each of our kinds has a section whose examples load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from monitord.probes import PROBES
from monitord.secrets import SecretRef

OTHERS = {"http", "tcp", "icmp"}  # tests/probes_network looks at theirs
KINDS = [
    name for name, kind in PROBES.items() if name not in OTHERS and not kind.spec.example
]  # a kind with an example of its own has a page of its own: tests/docs/test_kind_pages.py
TEXT = (Path(__file__).resolve().parents[2] / "docs" / "probes.md").read_text(encoding="utf-8")


class WithSecrets(yaml.SafeLoader):
    """Reads the page's examples, secret references included."""


WithSecrets.add_constructor(
    "!secret", lambda loader, node: SecretRef(*loader.construct_scalar(node).split(":", 1))
)
EXAMPLES = [
    tree
    for block in re.findall(r"^```yaml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    if isinstance(tree := yaml.load(block, Loader=WithSecrets), dict)  # noqa: S506 - a safe loader's child
    and set(tree) <= set(KINDS)
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_section(kind: str) -> None:
    assert f"\n### {kind}\n" in TEXT


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ssh"])
def test_every_kind_has_an_example(kind: str) -> None:
    assert any(kind in example for example in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: next(iter(example)))
def test_every_example_loads(example: dict[str, object]) -> None:
    for kind, given in example.items():
        PROBES[kind].spec.model_validate(given)
