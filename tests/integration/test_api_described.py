"""What the API answers is what its description says, to requests made from that description."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV30SpecValidator
from schemathesis import Case, GenerationMode
from schemathesis import Response as Seen
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.api_world import ApiWorld, api_world
from tests.dynamo import tables_of_moto
from tests.gateway import Gateway, Told

from app import app
from reference.document import document, routes_of

HERE = "http://cts.invalid"
DOCUMENT = json.loads(json.dumps(document(app)))
DESCRIBED = schemathesis.openapi.from_dict({**DOCUMENT, "servers": [{"url": HERE}]})
ROUTES = [(path, method) for path, method, _ in routes_of(app)]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 4


@pytest.fixture(scope="module")
def world() -> Iterator[ApiWorld]:
    """An API whose accounts the requests may do anything to."""
    with tables_of_moto(), api_world() as made:
        made.running()
        yield made


def test_the_description_is_openapi() -> None:
    assert [error.message for error in OpenAPIV30SpecValidator(DOCUMENT).iter_errors()] == []


@pytest.mark.parametrize(("path", "method"), ROUTES)
def test_every_answer_is_one_of_those_described(world: ApiWorld, path: str, method: str) -> None:
    known = world.created() if "connection_id" in path else ""
    gateway = Gateway(token=world.admin)
    operation = DESCRIBED[path][method]
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in _modes(operation)))

    @given(case=cases, existing=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def asked(case: Case[Any], existing: bool) -> None:
        if existing and known:
            case.path_parameters = {**(case.path_parameters or {}), "connection_id": known}
        case.validate_response(_ask(gateway, case), checks=CHECKS)

    asked()


def _modes(operation: Any) -> list[GenerationMode]:
    """Good data always; bad data where there is data to be bad."""
    told = operation.definition.raw
    bad = [GenerationMode.NEGATIVE] if told.get("parameters") or "requestBody" in told else []
    return [GenerationMode.POSITIVE, *bad]


def _ask(gateway: Gateway, case: Case[Any]) -> Seen:
    sent = requests.Request(**case.as_transport_kwargs(base_url=HERE)).prepare()
    url = str(sent.url).removeprefix(HERE)
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body
    assert body is None or isinstance(body, bytes)
    headers = {n: str(value) for n, value in sent.headers.items() if n != "Authorization"}
    return _seen(gateway.ask(str(sent.method), url, body, headers=headers), sent)


def _seen(told: Told, sent: requests.PreparedRequest) -> Seen:
    return Seen(
        status_code=told.status,
        headers={name: [value] for name, value in told.headers.items()},
        content=told.text.encode(),
        request=sent,
        elapsed=0.0,
        verify=False,
    )
