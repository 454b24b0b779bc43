"""Loading the configuration with all kinds of probes, actions and backends; costly to import."""

from pathlib import Path

from monitord import config as configuration
from monitord.actions import ACTIONS
from monitord.model.catalog import Catalog
from monitord.model.kinds import Kinds
from monitord.probes import PROBES
from monitord.tickets import BACKENDS

KINDS = Kinds(PROBES, ACTIONS, BACKENDS)


def load(path: Path) -> Catalog:
    """Load a configuration; ConfigError lists every mistake."""
    return configuration.load(path, KINDS)
