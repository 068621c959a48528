"""The stored OpenAPI document, from which the gateway is built, and the page that shows it."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from app import app
from guard import OPEN
from models.base import Conflict, Problem
from openapi import written
from operation import Contract
from reference.document import contract_of_view, document, routes_of
from reference.gateway import gateway_document
from reference.page import page, page_policy
from reference.table import built, left_out, left_out_words, named

ROOT = Path(__file__).parents[1]
# dist/rapidoc-min.js of rapidoc 9.3.8 on npm
VIEWER_SHA256 = "affbd173a65e870e18f392cca963113bcdafb6e50e88cd2f6a834a65b22db94d"
VIEWER = ROOT / "functions" / "api" / "reference" / "viewer"
ROUTES = [(path, method) for path, method, _ in routes_of(app)]
DOCUMENT = document(app)
OPERATIONS = [one for methods in DOCUMENT["paths"].values() for one in methods.values()]


def test_what_is_stored_is_what_the_routes_say() -> None:
    names = {str(target.relative_to(ROOT / "infra")) for target in written(app)}
    assert names == {"openapi.yaml", "gateway.yaml", "docs/api.md"}
    for target, content in written(app).items():
        assert target.read_text() == content, "write it anew: python functions/api/openapi.py"


def test_what_cloudformation_reads_stays_far_below_its_limit() -> None:
    """It refuses templates above 1 MB, what they include among it; JSON is longer than YAML."""
    sizes = [len(json.dumps(gateway_document(app))), (ROOT / "template.yaml").stat().st_size]

    assert sum(sizes) < 250_000


@pytest.mark.parametrize(("path", "method"), ROUTES)
def test_every_route_is_described_with_its_answers(path: str, method: str) -> None:
    told = DOCUMENT["paths"][path][method.lower()]

    assert told["summary"].endswith(".")
    assert told["tags"]
    assert any(status.startswith("2") for status in told["responses"])
    assert ("401" in told["responses"]) == (path not in OPEN)
    assert ("security" in told) == (path not in OPEN)
    assert (told["x-cts-role"] == "open") == (path in OPEN)


def test_the_gateway_sends_every_route_and_what_none_serves_to_the_function() -> None:
    paths = gateway_document(app)["paths"]

    assert set(paths) == {path for path, _ in ROUTES} | {"/", "/{proxy+}"}
    for methods in paths.values():
        for told in methods.values():
            assert told["x-amazon-apigateway-integration"]["type"] == "aws_proxy"
        assert "options" in methods
    assert set(paths["/{proxy+}"]) == {"get", "post", "put", "patch", "delete", "head", "options"}


def test_operation_ids_are_unique() -> None:
    ids = [one["operationId"] for one in OPERATIONS]

    assert len(ids) == len(set(ids)) == len(ROUTES)


def test_every_reference_leads_somewhere_and_every_word_is_of_openapi_3_0() -> None:
    schemas = DOCUMENT["components"]["schemas"]

    for node in _nodes({"paths": _without_examples(DOCUMENT["paths"]), "schemas": schemas}):
        if "$ref" in node:
            assert node["$ref"].removeprefix("#/components/schemas/") in schemas
            assert set(node) == {"$ref"}
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


def test_every_example_is_what_its_model_takes_or_tells() -> None:
    """Built from the models, and read back by them."""
    checked = 0
    for path, method, view in routes_of(app):
        contract = contract_of_view(view)
        told = DOCUMENT["paths"][path][method.lower()]
        if contract.body is not None:
            _read_back(contract.body, _example(told["requestBody"]))
            checked += 1
        for status, answer in told["responses"].items():
            model = _model(contract, int(status))
            if model is not None:
                _read_back(model, _example(answer))
                checked += 1

    assert checked > 3 * len(ROUTES)


def test_every_word_is_explained() -> None:
    """By the model's own field, or by functions/api/reference/glossary.toml."""
    fields = {
        (owner, name)
        for owner, schema in DOCUMENT["components"]["schemas"].items()
        for name, one in schema.get("properties", {}).items()
        if not one.get("description")
    }
    parameters = {
        (one["operationId"], parameter["name"])
        for one in OPERATIONS
        for parameter in one["parameters"]
        if not parameter["description"].split(" Without it:")[0].strip()
    }

    assert fields | parameters == set()


def test_every_route_of_the_specification_is_built_or_left_out_with_a_reason() -> None:
    """functions/api/reference/wanted.toml names them all."""
    there = built(app)

    assert named() - there - set(left_out()) == set()
    assert there & set(left_out()) == set()
    assert set(left_out()) - named() == set()
    assert all(left_out().values())


def test_words_left_out_are_told_with_a_reason_and_taken_by_no_route() -> None:
    for one in left_out_words():
        method, _, path = one["route"].partition(" ")
        parameters = DOCUMENT["paths"][path][method.lower()]["parameters"]
        assert one["word"] not in {parameter["name"] for parameter in parameters}
        assert one["why"]


def test_the_viewer_is_the_published_one_with_its_licence() -> None:
    viewer = (VIEWER / "rapidoc-min.js").read_bytes()

    assert hashlib.sha256(viewer).hexdigest() == VIEWER_SHA256
    assert b"RapiDoc 9.3.8" in viewer[:200]
    assert "MIT License" in (VIEWER / "rapidoc.LICENSE").read_text()
    assert "BSD-3-Clause" in (VIEWER / "rapidoc.bundled.LICENSE").read_text()


def test_the_page_is_one_file_that_may_ask_nobody_but_its_own_api() -> None:
    html = page()

    assert "<rapi-doc" in html
    assert "src=" not in html.replace((VIEWER / "rapidoc-min.js").read_text(), "")
    assert 500_000 < len(html.encode()) < 5_000_000
    policy = dict(part.strip().split(" ", 1) for part in page_policy().split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert "http" not in page_policy()
    assert policy["script-src"].count("'sha256-") == 2


def _model(contract: Contract, status: int) -> type[BaseModel] | None:
    if status in (contract.status, *contract.also):
        return contract.answer
    return Conflict if status == 409 else Problem


def _read_back(model: type[BaseModel], example: Any) -> None:
    try:
        model.model_validate(example)
    except ValueError as error:
        pytest.fail(
            f"{error}\nGive the model an example (`json_schema_extra`), its field one "
            "(`Field(examples=[...])`), or the word one in functions/api/reference/glossary.toml."
        )


def _example(told: dict[str, Any]) -> Any:
    return told["content"]["application/json"]["examples"]["one"]["value"]


def _without_examples(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_examples(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _without_examples(one)
        for name, one in value.items()
        if name not in ("example", "examples")
    }


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for one in value:
            yield from _nodes(one)
    elif isinstance(value, dict):
        yield value
        for one in value.values():
            yield from _nodes(one)
