"""docs/probes.md shows each setting of each network probe, and what it shows is accepted."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from monitord.probes import PROBES
from tests.probes_network.conftest import ROOT

PAGE = (ROOT / "docs" / "probes.md").read_text(encoding="utf-8")
KINDS = ["http", "tcp", "icmp"]


def examples(kind: str) -> list[dict[str, Any]]:
    """Read the kind's YAML blocks as monitord does: `yes` and `no` are text."""
    section = re.split(r"\n##+ ", PAGE.partition(f"\n### {kind}\n")[2])[0]
    blocks = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    return [yaml.load(block, Loader=yaml.BaseLoader)[kind] for block in blocks]  # noqa: S506 - makes only texts


@pytest.mark.parametrize("kind", KINDS)
def test_each_example_is_accepted(kind: str) -> None:
    shown = examples(kind)
    assert shown
    for example in shown:
        PROBES[kind].spec.model_validate(example)


@pytest.mark.parametrize("kind", KINDS)
def test_each_setting_is_shown(kind: str) -> None:
    shown = {name for example in examples(kind) for name in example} | {"family"}
    assert set(PROBES[kind].spec.model_json_schema()["properties"]) <= shown
