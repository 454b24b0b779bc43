"""docs/probes/ says what the kinds say of themselves, and their examples load."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from monitord.config.kind_pages import kind_pages
from monitord.model.kinds import ProbeKind
from monitord.probes import PROBES
from monitord.secrets import SecretRef

FOLDER = Path(__file__).parents[2] / "docs" / "probes"
TOLD = {name: kind for name, kind in PROBES.items() if kind.spec.example}


class Loader(yaml.BaseLoader):
    """Reads scalars as texts, as monitord does, and secret references."""


Loader.add_constructor(
    "!secret", lambda loader, node: SecretRef(*loader.construct_scalar(node).split(":", 1))
)


def test_the_pages_are_what_the_kinds_say() -> None:
    """`make pages` writes them anew."""
    written = {page.stem: page.read_text(encoding="utf-8") for page in FOLDER.glob("*.md")}
    assert written == kind_pages(PROBES)


@pytest.mark.parametrize("kind", TOLD.values(), ids=TOLD.keys())
def test_the_example_of_a_kind_loads(kind: ProbeKind) -> None:
    given = yaml.load(kind.spec.example, Loader=Loader)  # noqa: S506 - a loader that makes only texts
    assert list(given) == [kind.name]
    kind.spec.model_validate(given[kind.name] or {})


@pytest.mark.parametrize("kind", TOLD.values(), ids=TOLD.keys())
def test_each_setting_of_a_kind_says_what_it_means(kind: ProbeKind) -> None:
    silent = {name for name, field in kind.spec.model_fields.items() if not field.description}
    assert silent == set()
