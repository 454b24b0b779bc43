"""Loading the configuration with all kinds of probes, actions and backends; costly to import."""

from pathlib import Path

from monitord import config as configuration
from monitord.daemon.kinds import KINDS
from monitord.model.catalog import Catalog

__all__ = ["KINDS", "load"]


def load(path: Path) -> Catalog:
    """Load a configuration; ConfigError lists every mistake."""
    return configuration.load(path, KINDS)
