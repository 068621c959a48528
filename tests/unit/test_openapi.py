"""The stored OpenAPI document, from which the gateway is built."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from app import app
from guard import OPEN
from openapi import TARGET, document, text

ROUTES = [(path, method) for path, methods in app.routes.items() for method in methods]
DOCUMENT = document(app)


def test_the_stored_document_is_what_the_routes_say() -> None:
    assert Path(__file__).parents[2] / "infra" / "openapi.yaml" == TARGET
    assert TARGET.read_text() == text(app), "write it anew: python functions/api/openapi.py"


@pytest.mark.parametrize(("path", "method"), ROUTES)
def test_every_route_is_described_with_its_answers(path: str, method: str) -> None:
    told = DOCUMENT["paths"][path][method.lower()]

    assert told["summary"].endswith(".")
    assert any(status.startswith("2") for status in told["responses"])
    assert ("401" in told["responses"]) == (path not in OPEN)
    assert ("security" in told) == (path not in OPEN)
    assert told["x-amazon-apigateway-integration"]["type"] == "aws_proxy"


def test_operation_ids_are_unique() -> None:
    ids = [one["operationId"] for path in DOCUMENT["paths"].values() for one in path.values()]

    assert len(ids) == len(set(ids)) == len(ROUTES)


def test_every_reference_leads_somewhere_and_every_word_is_of_openapi_3_0() -> None:
    schemas = DOCUMENT["components"]["schemas"]

    for node in _nodes(yaml.safe_load(text(app))):
        if "$ref" in node:
            assert node["$ref"].removeprefix("#/components/schemas/") in schemas
        assert node.get("type") != "null"
        assert "const" not in node and "prefixItems" not in node
        assert not isinstance(node.get("exclusiveMinimum"), int | float) or isinstance(
            node["exclusiveMinimum"], bool
        )


def test_no_answer_has_room_for_a_secret() -> None:
    told = {
        name: schema
        for name, schema in DOCUMENT["components"]["schemas"].items()
        if name not in ("NewConnection", "ConnectionChange")
    }

    names = {key for node in _nodes(told) for key in node.get("properties", {})}

    assert not {"api_key", "api_secret", "api_passphrase", "credentials"} & names


def _nodes(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [node for one in value for node in _nodes(one)]
    if not isinstance(value, dict):
        return []
    return [value, *(node for one in value.values() for node in _nodes(one))]
