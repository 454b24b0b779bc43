"""From YAML files to one immutable catalog, with errors that name the line and the cure."""

import json
from pathlib import Path

from monitord.config.assemble import assemble
from monitord.config.compare import ReloadPlan, compare
from monitord.config.content import SYSTEM, shipped_root
from monitord.config.explain import explain
from monitord.config.published import json_schema
from monitord.config.sources import Sources, read
from monitord.model.catalog import Catalog
from monitord.model.kinds import Kinds

__all__ = [
    "ReloadPlan",
    "Sources",
    "assemble",
    "compare",
    "default_path",
    "explain",
    "json_schema",
    "load",
    "read",
]


def load(path: Path, kinds: Kinds) -> Catalog:
    """Read and assemble: what a process does at its start.

    Raises:
        ConfigError: every mistake, each with its file, line, column and cure.
    """
    # By way of JSON: what composing leaves in memory (40 MB at 10,000 checks) would stay pinned
    # by the few texts that the catalog keeps.
    packed = json.dumps(read(path).to_json())
    return assemble(Sources.from_json(json.loads(packed)), kinds)


def default_path() -> Path:
    """Give the configuration of a daemon that was told none: /etc/monitord's, else the shipped."""
    installed = SYSTEM / "monitord.yaml"
    return installed if installed.exists() else shipped_root() / "config" / "monitord.yaml"
