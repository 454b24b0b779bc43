"""From YAML files to one immutable catalog, with errors that name the line and the cure."""

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
    return assemble(read(path), kinds)


def default_path() -> Path:
    """Give the configuration of a daemon that was told none: /etc/monitord's, else the shipped."""
    installed = SYSTEM / "monitord.yaml"
    return installed if installed.exists() else shipped_root() / "config" / "monitord.yaml"
