"""Sources under `inbound:` on their way from the core to monitord-web: their JSON, and their marks.

A mark tells the core by which words a payload was proven and read. No secret is resolved here; one
that stands in the configuration as a text travels as it is, to those who may read that file.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from monitord.model.inbound import Source
from monitord.secrets import SecretRef


def to_json(source: Source) -> dict[str, Any]:
    """Give a source as JSON values; a reference to a secret as a map."""
    return {field.name: _plain(getattr(source, field.name)) for field in fields(Source)}


def from_json(values: Mapping[str, Any]) -> Source:
    """Make the source that `to_json` was given."""
    return Source(**{name: _value(value) for name, value in values.items()})


def mark(source: Source) -> str:
    """Give what differs as soon as anything of a source does."""
    text = json.dumps(to_json(source), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, SecretRef):
        return {"scheme": value.scheme, "name": value.name}
    if isinstance(value, Mapping):
        return {"paths": dict(value)}
    return list(value) if isinstance(value, tuple) else value


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if not isinstance(value, dict):
        return value
    return MappingProxyType(value["paths"]) if "paths" in value else SecretRef(**value)
