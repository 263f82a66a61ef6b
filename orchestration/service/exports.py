"""The description in the forms that other tools import: OpenAPI 3.0 and 2.0, and a collection of Postman.

Belongs here: turning the description of today into older forms. Does not: the description itself (the routes).
Surprise: what an older form cannot say is left out, never bent: where a value may be of several types, 2.0 says nothing
of its type. Power Automate and Workato read 2.0 and 3.0 only; no kept Python library goes this way (the known ones are
for Node), so these are ours, and a test has each form checked by openapi-spec-validator.
"""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

FORMS = ("3.1", "3.0", "2.0", "postman")
_METHODS = ("get", "post", "put", "patch", "delete")
_SIMPLE = {"type", "format", "enum", "items", "default", "maximum", "minimum", "maxLength", "minLength", "pattern"}
_KEPT_IN_2 = _SIMPLE | {
    "properties", "required", "additionalProperties", "description", "title", "example", "maxItems", "minItems", "$ref",
    "allOf", "x-nullable",
}  # fmt: skip


def exported(description: Json, form: str, *, url: str) -> Json:
    """The description in `form`, one of FORMS; `url` is where the service will be reached."""
    whole = {**copy.deepcopy(description), "servers": [{"url": url.rstrip("/")}]}
    if form == "3.1":
        return whole
    if form == "postman":
        return _postman(whole, url)
    older = _as_3_0(whole)
    return older if form == "3.0" else _as_2_0(older, url)


def _as_3_0(whole: Json) -> Json:
    return {**_schemas_mapped(whole, _schema_3_0), "openapi": "3.0.3"}


def _schema_3_0(schema: Json) -> Json:
    """JSON Schema 2020-12 as OpenAPI 3.0 has it: no null type, no const, one example."""
    told = dict(schema)
    if "const" in told:
        told["enum"] = [told.pop("const")]
    if isinstance(examples := told.pop("examples", None), list) and examples:
        told["example"] = examples[0]
    choices = told.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [one for one in choices if one != {"type": "null"}]
        del told["anyOf"]
        if len(rest) > 1:
            told["anyOf"] = rest
        elif "$ref" in rest[0]:
            told["allOf"] = rest  # beside a $ref nothing else counts
        else:
            told = {**rest[0], **told}
        told["nullable"] = True
    return told


def _as_2_0(older: Json, url: str) -> Json:
    where = urlsplit(url)
    mapped = _schemas_mapped(older, _schema_2_0)
    return {
        "swagger": "2.0",
        "info": mapped["info"],
        "host": where.netloc,
        "basePath": where.path.rstrip("/") or "/",
        "schemes": [where.scheme],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "securityDefinitions": {
            "key": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Bearer hs_…"}
        },
        "paths": {
            path: {method: _operation_2_0(one) for method, one in operations.items() if method in _METHODS}
            for path, operations in mapped["paths"].items()
        },
        "definitions": mapped["components"]["schemas"],
    }


def _operation_2_0(operation: Json) -> Json:
    told = {name: operation[name] for name in ("tags", "summary", "operationId", "security") if name in operation}
    parameters = []
    for one in operation.get("parameters", []):
        common = {name: one[name] for name in ("name", "in", "required", "description") if name in one}
        schema = {name: value for name, value in one["schema"].items() if name in _SIMPLE}
        parameters.append(common | {"type": "string"} | schema)
    if body := operation.get("requestBody"):
        taken: Json = _content(body).get("schema") or {"type": "object"}
        parameters.append({"name": "body", "in": "body", "required": body.get("required", False), "schema": taken})
    responses = {}
    for status, answer in operation["responses"].items():
        said = _content(answer).get("schema")
        responses[status] = {"description": answer["description"]} | ({"schema": said} if said else {})
    return told | {"parameters": parameters, "responses": responses}


def _schema_2_0(schema: Json) -> Json:
    told = dict(schema)
    if told.pop("nullable", False):
        told["x-nullable"] = True
    if "$ref" in told:
        return {"$ref": told["$ref"].replace("#/components/schemas/", "#/definitions/")}
    return {name: value for name, value in told.items() if name in _KEPT_IN_2}


def _content(told: Json) -> Json:
    found = told.get("content", {}).get("application/json", {})
    assert isinstance(found, dict)
    return found


def _schemas_mapped(whole: Json, change: Any) -> Json:
    """The description with `change` applied to every schema in it, the innermost first."""

    def mapped(schema: Any) -> Any:
        if not isinstance(schema, dict):
            return schema
        told = dict(schema)
        for name in ("items", "additionalProperties"):
            if name in told:
                told[name] = mapped(told[name])
        for name in ("anyOf", "allOf", "oneOf"):
            if name in told:
                told[name] = [mapped(one) for one in told[name]]
        if "properties" in told:
            told["properties"] = {name: mapped(one) for name, one in told["properties"].items()}
        return change(told)

    def walked(value: Any) -> Any:
        if isinstance(value, list):
            return [walked(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {name: mapped(one) if name == "schema" else walked(one) for name, one in value.items()}

    told = {name: walked(value) for name, value in whole.items()}
    schemas = whole["components"]["schemas"]
    told["components"] = {**whole["components"], "schemas": {name: mapped(one) for name, one in schemas.items()}}
    assert isinstance(told, dict)
    return told


def _postman(whole: Json, url: str) -> Json:
    """Collection v2.1: a folder for each tag; `{{url}}` and `{{key}}` are variables."""
    folders: dict[str, list[Json]] = {}
    for path, operations in whole["paths"].items():
        for method, operation in operations.items():
            folders.setdefault(operation["tags"][0], []).append(_request(whole, path, method, operation))
    return {
        "info": {
            "name": whole["info"]["title"],
            "description": whole["info"].get("description", ""),
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{key}}", "type": "string"}]},
        "variable": [{"key": "url", "value": url.rstrip("/")}, {"key": "key", "value": ""}],
        "item": [{"name": tag, "item": items} for tag, items in folders.items()],
    }


def _request(whole: Json, path: str, method: str, operation: Json) -> Json:
    parameters = operation.get("parameters", [])
    parts = [f":{part[1:-1]}" if part.startswith("{") else part for part in path.strip("/").split("/")]
    address: Json = {"raw": "{{url}}/" + "/".join(parts), "host": ["{{url}}"], "path": parts}
    address["query"] = [
        {"key": one["name"], "value": "", "disabled": True, "description": one.get("description", "")}
        for one in parameters
        if one["in"] == "query"
    ]
    address["variable"] = [{"key": one["name"], "value": ""} for one in parameters if one["in"] == "path"]
    request: Json = {"method": method.upper(), "header": [], "url": address}
    if not operation.get("security"):
        request["auth"] = {"type": "noauth"}
    if body := operation.get("requestBody"):
        request["header"] = [{"key": "Content-Type", "value": "application/json"}]
        request["body"] = {"mode": "raw", "raw": _example(whole, _content(body).get("schema", {}))}
    return {"name": operation["summary"], "request": request, "response": []}


def _example(whole: Json, schema: Json) -> str:

    named = whole["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
    given = {
        name: one["examples"][0] for name, one in named.get("properties", {}).items() if one.get("examples")
    }  # fmt: skip
    return json.dumps(given, indent=2)
