"""The dialects of network devices, by the name that stands in YAML: one file each."""

from collections.abc import Mapping
from types import MappingProxyType

from monitord.model.dialect import Dialect
from monitord.model.dialects import frr

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {dialect.name: dialect for dialect in (frr.DIALECT,)}
)
"""Every dialect; a new one is its file and a word here."""
