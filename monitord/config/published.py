"""The JSON Schema for editors, made from the same models that judge the files.

One document: the root takes any of the three kinds of files, and `#/$defs/main`, `check_file` and
`runbook_file` name them singly. Nothing here judges a file.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from monitord.config.calendar_models import CalendarModel, SlaModel, UrgencyModel
from monitord.config.device import DeviceModel
from monitord.config.inbound import InboundModel
from monitord.config.login_models import PENDING, LocalModel, SshModel
from monitord.config.oncall_models import PersonModel, RotationModel
from monitord.config.policy_models import PolicyModel, VendorModel
from monitord.config.schema import (
    CheckModel,
    ExceptionModel,
    GroupModel,
    HostModel,
    RunbookModel,
    RungModel,
    ServiceModel,
    SettingsModel,
    StepModel,
)
from monitord.model.inventory import InventoryModel
from monitord.model.kinds import Kinds

_MODELS: tuple[type[BaseModel], ...] = (
    CalendarModel,
    CheckModel,
    DeviceModel,
    ExceptionModel,
    GroupModel,
    HostModel,
    InboundModel,
    InventoryModel,
    LocalModel,
    PersonModel,
    PolicyModel,
    RotationModel,
    RungModel,
    RunbookModel,
    ServiceModel,
    SettingsModel,
    SlaModel,
    SshModel,
    StepModel,
    UrgencyModel,
    VendorModel,
)
_STRING_OR_LIST = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Schema = dict[str, Any]


def json_schema(kinds: Kinds) -> Schema:
    """Give the schema (draft 2020-12) of the main file, check files and runbook files."""
    specs = [
        *(kind.spec for kind in kinds.probes.values()),
        *(kind.spec for kind in kinds.actions.values()),
        *(kind.spec for kind in kinds.backends.values()),
    ]
    models = list(dict.fromkeys([*_MODELS, *specs]))
    named, top = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/$defs/{model}"
    )
    definitions: Schema = dict(top.get("$defs", {}))
    refs = {model: named[model, "validation"] for model in models}
    definitions["local"] = refs[LocalModel]
    definitions["ssh"] = refs[SshModel]
    definitions["device_login"] = refs[DeviceModel]
    definitions["rung"] = _without(definitions, refs[RungModel], "runbook")
    definitions.update(_check_definitions(kinds, definitions, refs))
    definitions["steps"] = _steps(kinds, definitions, refs)
    definitions["runbook"] = refs[RunbookModel]
    definitions.update(_files(kinds, definitions, refs))
    definitions = {name: _linked(body) for name, body in definitions.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "monitord: main file, check file or runbook file",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in ("main", "check_file", "runbook_file")],
        "$defs": definitions,
    }


def _linked(schema: Any) -> Any:
    """Put a reference wherever a model left word of a definition that is made from the kinds."""
    if isinstance(schema, dict):
        if PENDING in schema:
            rest = {key: value for key, value in schema.items() if key != PENDING}
            return {**rest, "$ref": f"#/$defs/{schema[PENDING]}"}
        return {key: _linked(value) for key, value in schema.items()}
    return [_linked(item) for item in schema] if isinstance(schema, list) else schema


Refs = Mapping[type[BaseModel], Schema]


def _body(definitions: Schema, ref: Schema) -> Schema:
    body: Schema = definitions[ref["$ref"].rsplit("/", 1)[-1]]
    return body


def _without(definitions: Schema, ref: Schema, *keys: str) -> Schema:
    """Give a copy of a model's schema that does not know some keys."""
    body = dict(_body(definitions, ref))
    body["properties"] = {
        name: schema for name, schema in body["properties"].items() if name not in keys
    }
    body["required"] = [name for name in body.get("required", []) if name not in keys]
    return body


def _check_definitions(kinds: Kinds, definitions: Schema, refs: Refs) -> Schema:
    """Give `check_definition` (whole), `check` (what a host or group says) and `checks`."""
    common = _never_null(_body(definitions, refs[CheckModel])["properties"])
    whole = {name: refs[kind.spec] for name, kind in kinds.probes.items()}
    partial: Schema = {}
    single: Schema = {}
    for name, kind in kinds.probes.items():
        body = _body(definitions, refs[kind.spec])
        partial[name] = {"anyOf": [{"type": "null"}, _optional(body)]}
        single.update(dict.fromkeys(_properties(body), True))
    return {
        "check_definition": {
            "type": "object",
            "properties": {**common, **whole},
            "additionalProperties": False,
            "oneOf": [{"required": [name]} for name in kinds.probes],
        },
        "check": {
            "type": "object",
            "description": "A check's own settings, or single settings of a definition.",
            "properties": {**single, **partial, **common},
            "additionalProperties": False,
        },
        "checks": {
            "anyOf": [
                {"type": "null"},
                {
                    "type": "object",
                    "additionalProperties": {
                        "anyOf": [{"type": "null"}, {"$ref": "#/$defs/check"}]
                    },
                },
            ]
        },
    }


def _never_null(properties: Schema) -> Schema:
    """Give properties that cannot be empty: a key without a value is a mistake."""
    found: Schema = {}
    for name, schema in properties.items():
        ways = [way for way in schema.get("anyOf", []) if way != {"type": "null"}]
        rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
        found[name] = {**rest, **({"anyOf": ways} if ways else {})}
    return found


def _properties(body: Schema) -> list[str]:
    """Give the keys of a spec, also where it has a short form beside its map."""
    found = list(body.get("properties", {}))
    for way in body.get("anyOf", []):
        found.extend(way.get("properties", {}))
    return found


def _optional(body: Schema) -> Schema:
    """Give a spec's schema in which nothing is required: the rest comes from other layers."""
    if "anyOf" in body:
        return {**body, "anyOf": [_optional(way) for way in body["anyOf"]]}
    return {key: value for key, value in body.items() if key != "required"}


def _steps(kinds: Kinds, definitions: Schema, refs: Refs) -> Schema:
    common = _body(definitions, refs[StepModel])["properties"]
    actions = {name: refs[kind.spec] for name, kind in kinds.actions.items()}
    return {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {**common, **actions},
            "additionalProperties": False,
            "oneOf": [{"required": [name]} for name in kinds.actions],
        },
    }


def _files(kinds: Kinds, definitions: Schema, refs: Refs) -> Schema:
    settings = _body(definitions, refs[SettingsModel])["properties"]
    defaults = _never_null(_body(definitions, refs[CheckModel])["properties"])
    backends = {
        "type": "object",
        "properties": {name: refs[kind.spec] for name, kind in kinds.backends.items()},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    main = {
        **settings,
        "include": _STRING_OR_LIST,
        "content": _STRING_OR_LIST,
        "defaults": {"type": "object", "properties": defaults, "additionalProperties": False},
        "hosts": _named({"anyOf": [{"type": "null"}, refs[HostModel]]}),
        "groups": _named({"anyOf": [{"type": "null"}, refs[GroupModel]]}),
        "checks": _named({"$ref": "#/$defs/check"}),
        "runbooks": _named({"$ref": "#/$defs/runbook"}),
        "services": _named(refs[ServiceModel]),
        "chains": _named(_chain(kinds, definitions, refs, defaults)),
        "tickets": _named(backends),
        "policies": _named(refs[PolicyModel]),
        "vendors": _named(refs[VendorModel]),
        "inbound": _named(refs[InboundModel]),
        "inventory": _named(refs[InventoryModel]),
        "people": _named({"anyOf": [{"type": "null"}, refs[PersonModel]]}),
        "rotations": _named(refs[RotationModel]),
        "calendars": _named(refs[CalendarModel]),
        "slas": _named(refs[SlaModel]),
        "priorities": _named(refs[UrgencyModel]),
        "exceptions": {"type": "array", "items": refs[ExceptionModel]},
    }
    return {
        "main": {"type": "object", "properties": main, "additionalProperties": False},
        "check_file": {
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/check_definition"},
            "minProperties": 1,
            "maxProperties": 1,
        },
        "runbook_file": {"$ref": "#/$defs/runbook"},
    }


def _chain(kinds: Kinds, definitions: Schema, refs: Refs, common: Schema) -> Schema:
    """Give a chain: a check of that kind, its host and its service, all in one map."""
    if "chain" not in kinds.probes:
        return {"type": "object"}
    body = _body(definitions, refs[kinds.probes["chain"].spec])
    name = {"type": "string"}
    return {
        **body,
        "properties": {**common, **body["properties"], "host": name, "service": name},
        "required": ["host", *body["required"]],
    }


def _named(schema: Schema) -> Schema:
    return {"anyOf": [{"type": "null"}, {"type": "object", "additionalProperties": schema}]}
