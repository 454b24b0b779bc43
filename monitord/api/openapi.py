"""GET /v1/openapi.json: the routes as an OpenAPI 3.1 document, made of the table of routes.

Bodies are the pydantic models that handlers parse, statuses those that a route of its shape can
give. What answers hold is not described here but in docs/api.md.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pydantic.json_schema import models_json_schema

from monitord import __version__
from monitord.api.access import Right
from monitord.api.routes import Asked, Route

OF_PERSONS = frozenset({Right.READ, Right.RESPOND, Right.OPERATE, Right.ADMIN})
"""The rights that roles have; a route with another is for another process of monitord."""

_REF = "#/components/schemas/{model}"
_STATUSES: Mapping[int, str] = MappingProxyType(
    {
        400: "the body, the selector or the query cannot be read",
        401: "the session or token proves nothing (any more)",
        403: "the person may not",
        404: "no such thing",
        409: "it cannot be done now",
        413: "the body is too long",
        422: "the configuration has mistakes",
        429: "that was too often; Retry-After says how long to wait",
        500: "a bug of ours; the daemon's log has it",
        503: "the core, the database or the executor does not answer",
    }
)
_ERROR: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "required": ["error"],
        "additionalProperties": False,
        "properties": {
            "error": {
                "type": "object",
                "required": ["text", "cure"],
                "additionalProperties": False,
                "properties": {
                    "text": {"type": "string", "description": "what is wrong, for people"},
                    "cure": {"type": "string", "description": "what would help, or empty"},
                    "problems": {"type": "array", "items": {"type": "string"}},
                },
            }
        },
    }
)
_NUMBERS = frozenset({"limit", "days", "points"})
_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "/metrics": "text/plain",
        "/v1/events": "application/x-ndjson",
        "/v1/reports.csv": "text/csv",
    }
)
_PARAMETER = re.compile(r"{(\w+)(?::(\w+))?}")


def document(routes: Iterable[Route], *, outside: bool) -> dict[str, Any]:
    """Give the document: of the core's socket, or of what monitord-web passes on to it."""
    shown = [route for route in routes if not outside or _passed_on(route)]
    refs, schemas = _schemas(shown)
    paths: dict[str, dict[str, Any]] = {}
    for route in shown:
        operation = _operation(route, refs, outside=outside)
        paths.setdefault(_PARAMETER.sub(r"{\1}", route.path), {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "monitord",
            "version": __version__,
            "description": "docs/api.md says more. x-monitord-right is what the person needs.",
        },
        "servers": [{"url": "/api" if outside else "/"}],
        "security": [{"bearer": []}] if outside else [{"bearer": []}, {}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Error": dict(_ERROR)},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


async def openapi(asked: Asked) -> Any:
    """GET /v1/openapi.json: whoever asks with a session or a token gets that of monitord-web."""
    routes: Sequence[Route] = asked.request.app.state.routes
    outside = asked.person.known is not None
    return await asyncio.to_thread(lambda: document(routes, outside=outside))


def _passed_on(route: Route) -> bool:
    return route.path.startswith("/v1/") and route.right in OF_PERSONS


def _schemas(routes: Sequence[Route]) -> tuple[dict[type, Any], dict[str, Any]]:
    models = list(dict.fromkeys(route.body for route in routes if route.body is not None))
    found, whole = models_json_schema([(one, "validation") for one in models], ref_template=_REF)
    return {model: found[model, "validation"] for model in models}, whole.get("$defs", {})


def _operation(route: Route, refs: Mapping[type, Any], *, outside: bool) -> dict[str, Any]:
    parameters = [_in_path(*match) for match in _PARAMETER.findall(route.path)]
    parameters += [_in_query(name) for name in route.query]
    operation: dict[str, Any] = {
        "operationId": _name(route),
        "summary": route.about,
        "x-monitord-right": route.right.value,
        "parameters": parameters,
        "responses": {
            "200": {"description": "done", "content": _content(route)},
            **{str(status): _refusal(status) for status in _statuses(route, outside=outside)},
        },
    }
    if route.body is not None:
        schema = {"application/json": {"schema": refs[route.body]}}
        needed = any(field.is_required() for field in route.body.model_fields.values())
        operation["requestBody"] = {"required": needed, "content": schema}
    return operation


def _name(route: Route) -> str:
    words = re.findall(r"\w+", _PARAMETER.sub(r"by_\1", route.path.removeprefix("/v1")))
    return "_".join([route.method.lower(), *words])


def _in_path(name: str, kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "minLength": 1}
    if kind == "int":
        schema = {"type": "integer", "minimum": 0}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(name: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1} if name in _NUMBERS else {"type": "string"}
    return {"name": name, "in": "query", "schema": schema}


def _content(route: Route) -> dict[str, Any]:
    kind = _KINDS.get(route.path, "application/json")
    return {kind: {"schema": {"type": "object" if kind.endswith("/json") else "string"}}}


def _refusal(status: int) -> dict[str, Any]:
    schema = {"application/json": {"schema": {"$ref": _REF.format(model="Error")}}}
    return {"description": _STATUSES[status], "content": schema}


def _statuses(route: Route, *, outside: bool) -> list[int]:
    asks, tells = bool(route.query), route.method == "POST"
    takes = asks or route.body is not None
    found = {401, 403, 500, 503}
    found |= {400} if takes or outside else set()
    found |= {404} if takes or "{" in route.path else set()
    found |= {409} if tells else set()
    found |= {413} if tells else set()
    found |= {422} if route.path in ("/v1/reload", "/v1/plan") else set()
    found |= {429} if outside else set()
    return sorted(found)


OPENAPI = (Route("GET", "/v1/openapi.json", Right.READ, openapi, "this table for programs"),)
