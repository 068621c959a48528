"""The twin's gateway, built from infra/gateway.yaml, sends every request to the function."""

from collections.abc import Iterator

import pytest
from ministack.services import apigateway_v1 as gateway

from app import app
from reference.document import routes_of
from reference.gateway import gateway_document

ROUTES = [(method, path) for path, method, _ in routes_of(app)]


@pytest.fixture(scope="module")
def api_id() -> Iterator[str]:
    made: str = gateway._import_rest_api(gateway_document(app))
    yield made
    gateway.reset()


def resource_of(api_id: str, method: str, path: str) -> str:
    """The resource that gets the request, found as MiniStack finds it."""
    segments = [part for part in path.strip("/").split("/") if part]
    resource, _ = gateway._match_resource_tree(api_id, segments)
    if resource is None or method not in resource.get("resourceMethods", {}):
        resource, _ = gateway._match_greedy_fallback(api_id, segments, method)
    assert resource is not None, f"{method} {path} reaches nothing"
    integration = resource["resourceMethods"][method]["methodIntegration"]
    assert integration["type"] == "AWS_PROXY"
    return str(resource["path"])


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_is_reached(api_id: str, method: str, path: str) -> None:
    asked = "/".join("x" if part.startswith("{") else part for part in path.split("/"))

    assert resource_of(api_id, method, asked) == path
    assert resource_of(api_id, "OPTIONS", asked) == path


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/nothing"),
        ("GET", "/favicon.ico"),
        ("PATCH", "/api/settings/connections"),
        ("HEAD", "/api/trade-engine/status"),
        ("DELETE", "/api/a/b/c/d/e/f"),
    ],
)
def test_what_no_route_serves_is_reached_as_well(api_id: str, method: str, path: str) -> None:
    assert resource_of(api_id, method, path) == "/{proxy+}"


def test_the_root_is_reached(api_id: str) -> None:
    assert resource_of(api_id, "GET", "/") == "/"
