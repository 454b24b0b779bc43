"""docs/probes.md tells the truth: what it shows loads, and each kind has a page of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from monitord.probes import PROBES
from monitord.secrets import SecretRef

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "probes.md").read_text(encoding="utf-8")


class WithSecrets(yaml.SafeLoader):
    """Reads the page's examples, secret references included."""


WithSecrets.add_constructor(
    "!secret", lambda loader, node: SecretRef(*loader.construct_scalar(node).split(":", 1))
)
EXAMPLES = [
    (kind, given)
    for block in re.findall(r"^```yaml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    if isinstance(tree := yaml.load(block, Loader=WithSecrets), dict)  # noqa: S506 - a safe loader's child
    for kind, given in tree.items()
    if kind in PROBES and kind != "http"  # tests/probes_network reads `yes` and `no` as texts
]


def test_every_kind_has_an_example_for_its_page() -> None:
    assert {name for name, kind in PROBES.items() if not kind.spec.example} == set()


@pytest.mark.parametrize(("kind", "given"), EXAMPLES, ids=[kind for kind, _ in EXAMPLES])
def test_every_example_of_the_prose_loads(kind: str, given: object) -> None:
    PROBES[kind].spec.model_validate(given)
