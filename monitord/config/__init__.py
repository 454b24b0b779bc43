"""From YAML files to one immutable catalog, with errors that name the line and the cure."""

import json
from pathlib import Path

from monitord.config import inventories
from monitord.config import settings as own_settings
from monitord.config.assemble import assemble
from monitord.config.compare import ReloadPlan, compare
from monitord.config.content import SYSTEM, shipped_root
from monitord.config.context import Context, capped
from monitord.config.explain import explain
from monitord.config.pages import pages
from monitord.config.published import json_schema
from monitord.config.sections import gather
from monitord.config.sources import Sources, read
from monitord.errors import ConfigError
from monitord.model.catalog import Catalog, Settings
from monitord.model.inventory import Inventory
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
    "load_inventories",
    "load_settings",
    "pages",
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


def load_settings(path: Path) -> Settings:
    """Give the instance's own settings, although other parts of the files may be wrong.

    For who looks for a daemon: it goes on with its last good catalog while a file is broken.

    Raises:
        ConfigError: the settings themselves are wrong, or may stand in a file that is unreadable.
    """
    sources = read(path)
    nothing = Kinds({}, {}, {})
    mains = [document for document in sources.documents if document.role == "main"]
    top = gather(Context(nothing), mains)
    context = Context(nothing)
    settings = own_settings.build(context, top, sources)
    if context.problems or (sources.broken and "state" not in top.settings):
        raise ConfigError(capped([*sources.problems, *context.problems]))
    return settings


def load_inventories(path: Path) -> dict[str, Inventory]:
    """Give the inventory sources, although other parts of the files may be wrong.

    Raises:
        ConfigError: the section itself, the settings, or a file that may hold it is wrong.
    """
    sources = read(path)
    context = Context(Kinds({}, {}, {}))
    top = gather(context, [one for one in sources.documents if one.role == "main"])
    setup = own_settings.build(context, top, sources)
    found = inventories.sources(context, top, sources, setup.state)
    if context.problems or (sources.broken and not found):
        raise ConfigError(capped([*sources.problems, *context.problems]))
    return found


def default_path() -> Path:
    """Give the configuration of a daemon that was told none: /etc/monitord's, else the shipped."""
    installed = SYSTEM / "monitord.yaml"
    return installed if installed.exists() else shipped_root() / "config" / "monitord.yaml"
