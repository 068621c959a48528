"""Schemas of the models, in the words of OpenAPI 3.0."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from models.base import Conflict, Problem
from operation import Contract
from reference.glossary import meaning

PLACE = "#/components/schemas/"
Schema = dict[str, Any]
# The gateway knows OpenAPI 3.0; these words of newer JSON Schema say nothing to it.
_LEFT_OUT = frozenset({"title", "default", "const", "writeOnly", "example", "examples"})


def schemas_of(contracts: Iterable[Contract]) -> dict[str, Schema]:
    """Every model the routes name, answers as they are sent and bodies as they are read.

    As pydantic writes them, defaults and examples included, each field with its meaning.
    """
    known = list(contracts)
    sent = {one.answer for one in known if one.answer is not None} | {Problem, Conflict}
    read = {one.body for one in known if one.body is not None}
    inputs = [
        *((one, "serialization") for one in sorted(sent, key=_name)),
        *((one, "validation") for one in sorted(read, key=_name)),
    ]
    _, found = models_json_schema(inputs, by_alias=True, ref_template=PLACE + "{model}")  # type: ignore[arg-type]
    return {name: _explained(schema) for name, schema in sorted(found["$defs"].items())}


def query_schema(model: type[BaseModel]) -> Schema:
    """The parameters of a query, each with its meaning."""
    return _explained(model.model_json_schema(by_alias=True))


def plain(schema: Any) -> Any:
    """A JSON Schema of today in the words of OpenAPI 3.0."""
    if isinstance(schema, list):
        return [plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        name: {key: plain(one) for key, one in value.items()}
        if name == "properties"
        else plain(value)
        for name, value in schema.items()
        if name not in _LEFT_OUT
    }
    return _described_reference(_nullable(made))


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _explained(schema: Schema) -> Schema:
    """The schema, each property with a description: its own, or what the name means everywhere."""
    properties: Mapping[str, Schema] = schema.get("properties", {})
    if not properties:
        return schema
    told = {
        name: one if "description" in one else _with(one, meaning(name))
        for name, one in properties.items()
    }
    return {**schema, "properties": told}


def _with(schema: Schema, text: str) -> Schema:
    return {**schema, "description": text} if text else schema


def _nullable(schema: Schema) -> Schema:
    """`anyOf: [X, null]` is X with `nullable` in OpenAPI 3.0."""
    choices = schema.get("anyOf", [])
    real = [one for one in choices if one != {"type": "null"}]
    if len(real) == len(choices):
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    if len(real) > 1:
        return {**rest, "anyOf": real, "nullable": True}
    if "$ref" in real[0]:
        return {**rest, "allOf": real, "nullable": True}
    return {**real[0], **rest, "nullable": True}


def _described_reference(schema: Schema) -> Schema:
    """Words beside `$ref` are ignored by OpenAPI 3.0, so that the reference moves into `allOf`."""
    if "$ref" not in schema or len(schema) == 1:
        return schema
    rest = {name: value for name, value in schema.items() if name != "$ref"}
    return {**rest, "allOf": [{"$ref": schema["$ref"]}]}
