"""The API as an OpenAPI 3.0.1 document, made from the routes, their contracts and their models."""

import inspect
from collections.abc import Mapping
from typing import Any

from chalice.app import Chalice
from pydantic import BaseModel

from guard import OPEN
from operation import Contract
from reference.areas import AREAS, area_of
from reference.examples import body_of, example_of
from reference.failures import MEANINGS, example_of_failure, model_of, statuses
from reference.glossary import meaning
from reference.schemas import PLACE, Schema, plain, query_schema, schemas_of

_ABOUT = """\
Everything an operator or a program does to CTS, a crypto trade engine.

Send `Authorization: Bearer <token>` with every request but those marked open. Bodies are JSON.
Money, prices and quantities are strings, so that no digit is lost; times are UTC epoch
milliseconds. An answer is `{"success": true, ...}`, a failure
`{"success": false, "error": "...", "details": [...]}` with a status that says what to do next.
Lists come in pages: send the `cursor` of an answer to get the next one. PUT and PATCH do the same:
what is left out stays as it is."""

_ROLES = {
    "open": "Needs no token.",
    "viewer": "Any token will do.",
    "operator": "Needs the role operator or admin.",
    "admin": "Needs the role admin.",
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A repetition under the same key is not done again, for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def document(app: Chalice) -> dict[str, Any]:
    """The whole API, for people and programs that call it."""
    contracts = [contract_of_view(view) for _, _, view in routes_of(app)]
    schemas = schemas_of(contracts)
    paths: dict[str, dict[str, Any]] = {}
    for path, method, view in routes_of(app):
        paths.setdefault(path, {})[method.lower()] = _operation(path, method, view, schemas)
    used = {one["tags"][0] for methods in paths.values() for one in methods.values()}
    return {
        "openapi": "3.0.1",
        "info": {"title": "CTS", "version": "1", "description": _ABOUT},
        "servers": [{"url": "..", "description": "where this document was read"}],
        "tags": [
            {"name": name, "description": text} for name, text in AREAS.items() if name in used
        ],
        "paths": paths,
        "components": {
            "schemas": {name: plain(schema) for name, schema in schemas.items()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A token of CTS."}
            },
        },
    }


def routes_of(app: Chalice) -> list[tuple[str, str, Any]]:
    """Path, method and view of every route, sorted."""
    return [
        (path, method, entry.view_function)
        for path, methods in sorted(app.routes.items())
        for method, entry in sorted(methods.items())
    ]


def contract_of_view(view: Any) -> Contract:
    """What a view promises."""
    contract: Contract = view.contract
    return contract


def _operation(path: str, method: str, view: Any, schemas: Mapping[str, Schema]) -> dict[str, Any]:
    contract = contract_of_view(view)
    summary, _, more = (inspect.getdoc(view) or "").partition("\n")
    role = "open" if path in OPEN else contract.role.value
    made: dict[str, Any] = {
        "operationId": _operation_id(method, view.__name__),
        "tags": [area_of(path)],
        "summary": summary,
        "description": f"{_ROLES[role]}\n\n{more.strip()}".strip(),
        "x-cts-role": role,
        "x-cts-reach": contract.reach.value,
        "parameters": [
            *path_parameters(path),
            *_query_parameters(contract, schemas),
            *([] if method == "GET" else [_IDEMPOTENCY_KEY]),
        ],
        "responses": _responses(path, method, contract, schemas),
    }
    if contract.body is not None:
        schema = schemas[contract.body.__name__]
        content = _content(contract.body, body_of(schema, schemas))
        made["requestBody"] = {"required": True, "content": content}
    if path not in OPEN:
        made["security"] = [{"bearer": []}]
    return made


def _operation_id(method: str, name: str) -> str:
    """PUT and PATCH share a view, and an id must be unique."""
    words = (name if method != "PATCH" else f"{name}_partly").split("_")
    return words[0] + "".join(word.capitalize() for word in words[1:])


def path_parameters(path: str) -> list[dict[str, Any]]:
    """The parameters in a path's template."""
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": meaning(name),
            "schema": {"type": "string"},
            "example": example_of({"type": "string"}, {}, name),
        }
        for name in names
    ]


def _query_parameters(contract: Contract, schemas: Mapping[str, Schema]) -> list[dict[str, Any]]:
    if contract.query is None:
        return []
    schema = query_schema(contract.query)
    required = schema.get("required", [])
    made = []
    for name, one in schema.get("properties", {}).items():
        words = {word: value for word, value in plain(one).items() if word != "nullable"}
        told = {"name": name, "in": "query", "required": name in required}
        told["description"] = _with_default(words.pop("description", ""), one.get("default"))
        if name in required:
            told["example"] = example_of(one, schema.get("$defs", {}), name)
        made.append({**told, "schema": words})
    return made


def _with_default(text: str, default: object) -> str:
    return text if default in (None, "") else f"{text} Without it: {default}."


def _responses(
    path: str, method: str, contract: Contract, schemas: Mapping[str, Schema]
) -> dict[str, Any]:
    content = _answer(contract, schemas)
    made: dict[str, Any] = {str(contract.status): {"description": "Done.", "content": content}}
    for status in contract.also:
        made[str(status)] = {"description": _ALSO, "content": content}
    for status in statuses(contract, method, is_open=path in OPEN):
        content = _content(model_of(status), example_of_failure(status))
        made[str(status)] = {"description": MEANINGS[status], "content": content}
    return made


def _answer(contract: Contract, schemas: Mapping[str, Schema]) -> dict[str, Any]:
    if contract.answer is None:
        return {contract.media: {"schema": _FREE[contract.media]}}
    example = example_of(schemas[contract.answer.__name__], schemas)
    return _content(contract.answer, example)


_ALSO = "The same answer, whose content says what is wrong."
_FREE = {
    "application/json": {"type": "object"},
    "text/html": {"type": "string"},
    "text/csv": {"type": "string"},
}


def _content(model: type[BaseModel], example: Any) -> dict[str, Any]:
    return {
        "application/json": {
            "schema": {"$ref": PLACE + model.__name__},
            "examples": {"one": {"summary": "as it may look", "value": example}},
        }
    }
