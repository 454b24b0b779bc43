"""docs/probes/ says what the kinds say of themselves, and their examples load."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import pytest
import yaml
from jsonschema import Draft202012Validator

from monitord.config import json_schema
from monitord.config.kind_pages import kind_pages
from monitord.daemon.kinds import KINDS
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


class Editor(yaml.SafeLoader):
    """Reads as editors do, by YAML 1.2: `yes` and `no` are texts."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, shape) for tag, shape in rules if not tag.endswith(":bool")]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


Editor.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


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


@pytest.fixture(scope="module")
def published() -> Draft202012Validator:
    return Draft202012Validator(json_schema(KINDS))


@pytest.mark.parametrize("kind", TOLD.values(), ids=TOLD.keys())
def test_the_published_schema_takes_the_example_of_a_kind(
    published: Draft202012Validator, kind: ProbeKind
) -> None:
    given = yaml.load(kind.spec.example.replace("!secret ", ""), Loader=Editor)  # noqa: S506 - a safe loader's child
    told = {name: rest or None for name, rest in given.items()}
    assert published.is_valid({"checks": {"it": told}})
