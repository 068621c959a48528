"""Writes `infra/openapi.yaml` from the routes: `python functions/api/openapi.py`.

The file is what the REST gateway is built from, so a route exists only once: in its blueprint.
"""

import inspect
import sys
from pathlib import Path
from typing import Any

import yaml
from chalice.app import Chalice
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from guard import OPEN
from models.base import Conflict, Problem
from operation import Contract

TARGET = Path(__file__).resolve().parents[2] / "infra" / "openapi.yaml"
SCHEMAS = "#/components/schemas/"

_FAILURES = {
    400: "The request is not valid.",
    401: "The token is missing or not known.",
    403: "The caller, or this version, may not do that.",
    404: "Nothing of that name is stored.",
    409: "Right in itself, wrong in the present state; `reasons` says what must change.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The Idempotency-Key stands for another request.",
    429: "Too often; Retry-After says in how many seconds to come again.",
    503: "CTS cannot reach a part it needs; try again.",
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A repetition under the same key is not done again, for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_HEAD = "# Written by functions/api/openapi.py from the routes; do not edit.\n"
# The gateway knows OpenAPI 3.0; these words of newer JSON Schema say nothing to it.
_LEFT_OUT = frozenset({"title", "default", "const", "writeOnly"})


def document(app: Chalice) -> dict[str, Any]:
    """The whole API as OpenAPI 3.0.1."""
    schemas = _schemas(app)
    paths = {
        path: {
            method.lower(): _method(path, method, entry.view_function)
            for method, entry in sorted(methods.items())
        }
        for path, methods in sorted(app.routes.items())
    }
    return {
        "openapi": "3.0.1",
        "info": {
            "title": "CTS",
            "version": "1",
            "description": "The API of a crypto trade engine.",
        },
        "x-amazon-apigateway-gateway-responses": _gateway_responses(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def text(app: Chalice) -> str:
    """The document as it is stored."""
    return _HEAD + yaml.dump(
        document(app), Dumper=_Plain, sort_keys=False, width=100, allow_unicode=True
    )


class _Plain(yaml.SafeDumper):
    """Writes equal parts out instead of referring to them, which the gateway cannot read."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _method(path: str, method: str, view: Any) -> dict[str, Any]:
    contract = _contract(view)
    made: dict[str, Any] = {
        "operationId": _operation_id(method, view.__name__),
        "summary": (inspect.getdoc(view) or "").splitlines()[0],
        "parameters": [
            *_path_parameters(path),
            *_query_parameters(contract),
            *([] if method == "GET" else [_IDEMPOTENCY_KEY]),
        ],
        "responses": _responses(path, method, contract),
        "x-amazon-apigateway-integration": _integration(),
    }
    if contract.body is not None:
        made["requestBody"] = {"required": True, "content": _content(contract.body)}
    if path not in OPEN:
        made["security"] = [{"bearer": []}]
        made["x-cts-role"] = contract.role.value
    return made


def _contract(view: Any) -> Contract:
    contract: Contract = view.contract
    return contract


def _operation_id(method: str, name: str) -> str:
    """PUT and PATCH share a view, and an id must be unique."""
    words = (name if method != "PATCH" else f"{name}_partly").split("_")
    return words[0] + "".join(word.capitalize() for word in words[1:])


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]


def _query_parameters(contract: Contract) -> list[dict[str, Any]]:
    if contract.query is None:
        return []
    schema = contract.query.model_json_schema(by_alias=True)
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _plain(one)}
        for name, one in schema["properties"].items()
    ]


def _responses(path: str, method: str, contract: Contract) -> dict[str, Any]:
    made: dict[str, Any] = {
        str(contract.status): {"description": "Done.", "content": _content(contract.answer)}
    }
    statuses = {400, 503, *contract.failures}
    if path not in OPEN:
        statuses |= {401, 403, 429}
    if method != "GET":
        statuses |= {409, 422}
    if contract.body is not None:
        statuses |= {413, 415}
    for status in sorted(statuses):
        model = Conflict if status == 409 else Problem
        made[str(status)] = {"description": _FAILURES[status], "content": _content(model)}
    return made


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": SCHEMAS + model.__name__}}}


def _integration() -> dict[str, Any]:
    uri = (
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
        "${ApiFunction.Arn}/invocations"
    )
    return {"type": "aws_proxy", "httpMethod": "POST", "uri": {"Fn::Sub": uri}}


def _gateway_responses() -> dict[str, Any]:
    """What the gateway refuses by itself, in the envelope of every other failure."""
    body = '{"success": false, "error": $context.error.messageString, "details": []}'
    answer = {"responseTemplates": {"application/json": body}}
    return dict.fromkeys(("DEFAULT_4XX", "DEFAULT_5XX"), answer)


def _schemas(app: Chalice) -> dict[str, Any]:
    """Every model the routes name, answers as they are sent and bodies as they are read."""
    contracts = [
        _contract(entry.view_function)
        for methods in app.routes.values()
        for entry in methods.values()
    ]
    sent = {contract.answer for contract in contracts} | {Problem, Conflict}
    read = {contract.body for contract in contracts if contract.body is not None}
    ordered = sorted(sent, key=lambda one: one.__name__)
    inputs = [
        *((one, "serialization") for one in ordered),
        *((one, "validation") for one in sorted(read, key=lambda one: one.__name__)),
    ]
    _, found = models_json_schema(inputs, by_alias=True, ref_template=SCHEMAS + "{model}")  # type: ignore[arg-type]
    return {name: _plain(schema) for name, schema in sorted(found["$defs"].items())}


def _plain(schema: Any) -> Any:
    """A JSON Schema of today in the words of OpenAPI 3.0."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        name: {key: _plain(one) for key, one in value.items()}
        if name == "properties"
        else _plain(value)
        for name, value in schema.items()
        if name not in _LEFT_OUT
    }
    return _nullable(made)


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """`anyOf: [X, null]` is X with `nullable` in OpenAPI 3.0."""
    choices = schema.get("anyOf", [])
    real = [one for one in choices if one != {"type": "null"}]
    if len(real) == len(choices):
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    if len(real) > 1:
        return {**rest, "anyOf": real, "nullable": True}
    return {**rest, **real[0], "nullable": True}


if __name__ == "__main__":
    from app import app as served

    TARGET.write_text(text(served))
    sys.stdout.write(f"wrote {TARGET}\n")
