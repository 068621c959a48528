"""Examples made from the models themselves, so that none can have a shape no model has."""

from collections.abc import Mapping
from typing import Any

from reference.glossary import NOTHING, sample
from reference.schemas import PLACE, Schema

_TIME_MS = 1_767_225_600_000  # 2026-01-01 00:00 UTC


def example_of(schema: Schema, schemas: Mapping[str, Schema], name: str = "") -> Any:
    """A value of `schema`: its own example, what `name` looks like, or the plainest that fits.

    Parameters
    ----------
    schema
        As pydantic writes it.
    schemas
        The models it may refer to.
    name
        Of the field, whose word may have a sample in the glossary.
    """
    for own in (schema.get("example"), *schema.get("examples", [])):
        if own is not None:
            return own
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].removeprefix(PLACE)], schemas, name)
    choices = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    if choices:
        return example_of(choices[0], schemas, name)
    known = sample(name)
    if known is not NOTHING and _fits(known, schema):
        return known
    return _made(schema, schemas, name)


def body_of(schema: Schema, schemas: Mapping[str, Schema]) -> Any:
    """What a caller would send: all that is required and what has a value by itself."""
    if "example" in schema or "examples" in schema:
        return example_of(schema, schemas)
    required = schema.get("required", [])
    wanted = {
        name: one
        for name, one in schema.get("properties", {}).items()
        if name in required or one.get("default") is not None
    }
    return _object({"properties": wanted}, schemas)


def _made(schema: Schema, schemas: Mapping[str, Schema], name: str) -> Any:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, schemas)
    if kind == "array":
        return [example_of(schema.get("items", {}), schemas, name.removesuffix("s"))]
    if kind in ("integer", "number"):
        return _number(schema, name)
    if kind == "boolean":
        return bool(schema.get("default", True))
    if r"\d" in schema.get("pattern", ""):
        return "1.5"
    return "" if schema.get("default") == "" else "text"


def _object(schema: Schema, schemas: Mapping[str, Schema]) -> dict[str, Any]:
    return {
        name: example_of(one, schemas, name) for name, one in schema.get("properties", {}).items()
    }


def _number(schema: Schema, name: str) -> float:
    if name.lower().endswith(("ms", "timestamp")) and schema.get("maximum") is None:
        return _TIME_MS
    if schema.get("default") is not None:
        return float(schema["default"]) if schema["type"] == "number" else int(schema["default"])
    least = schema.get("minimum", 1)
    return max(int(least), 1)


_KINDS: dict[object, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def _fits(value: Any, schema: Schema) -> bool:
    """Whether a sample of the word is one of this schema, too."""
    if "enum" in schema:
        return value in schema["enum"]
    if "$ref" in schema or "const" in schema:
        return bool(value == schema.get("const"))
    kind = _KINDS.get(schema.get("type"))
    if kind is None:
        return True
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        return False
    return all(_fits_one(part, inner) for part, inner in _parts(value, schema))


def _parts(value: Any, schema: Schema) -> list[tuple[Any, Schema]]:
    """What a list or a mapping holds, with the schema of it."""
    if isinstance(value, list):
        return [(part, schema.get("items", {})) for part in value]
    inner = schema.get("additionalProperties")
    if isinstance(value, dict) and isinstance(inner, dict):
        return [(part, inner) for part in value.values()]
    return []


def _fits_one(value: Any, schema: Schema) -> bool:
    choices = schema.get("anyOf", [schema])
    return any(_fits(value, one) for one in choices)
