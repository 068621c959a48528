"""Pages of other sites: none may call unless the deployment names their origin."""

import re
from collections.abc import Iterator

import pytest
from tests.api_world import ApiWorld
from tests.documents import document_of
from tests.gateway import Gateway, Told

from engine.errors import RefusedError
from origins import NAMES, Origins, origins

DESK = "https://desk.example:8443"
STATUS = "/api/trade-engine/status"
STOP = "/api/trade-engine/stop"


@pytest.fixture
def gateway(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """The API of a deployment that names one origin."""
    monkeypatch.setenv(NAMES, f"{DESK} https://other.example")
    origins.cache_clear()
    yield Gateway(token=api.operator)
    origins.cache_clear()


def preflight(gateway: Gateway, path: str, origin: str) -> Told:
    asked = {"origin": origin, "access-control-request-method": "POST"}
    return gateway.ask("OPTIONS", path, headers=asked)


def told_of_origins(told: Told) -> dict[str, str]:
    return {n: v for n, v in told.headers.items() if n.startswith("access-control-")}


def test_a_page_of_a_named_origin_may_read_answers_and_refusals(gateway: Gateway) -> None:
    answers = [
        gateway.ask("GET", path, headers={"origin": DESK, **sent})
        for path, sent in ((STATUS, {}), (STATUS, {"authorization": "Bearer no"}), ("/api/no", {}))
    ]

    assert [told.status for told in answers] == [200, 401, 404]
    for told in answers:
        assert told_of_origins(told) == {
            "access-control-allow-origin": DESK,
            "access-control-expose-headers": "Allow, Retry-After",
        }
        assert told.headers["vary"] == "Origin"


def test_before_it_calls_a_browser_learns_what_it_may_send(gateway: Gateway) -> None:
    told = preflight(gateway, STOP, DESK)

    assert (told.status, told.text) == (204, "")
    assert told_of_origins(told) == {
        "access-control-allow-origin": DESK,
        "access-control-expose-headers": "Allow, Retry-After",
        "access-control-allow-methods": "POST, OPTIONS",
        "access-control-allow-headers": "Authorization, Content-Type, Idempotency-Key",
        "access-control-max-age": "600",
    }


@pytest.mark.parametrize(
    "origin",
    [
        "https://desk.example",
        "http://desk.example:8443",
        "https://evil.example",
        "null",
        f"{DESK}.",
    ],
)
def test_any_other_origin_is_told_nothing(gateway: Gateway, origin: str) -> None:
    read = gateway.ask("GET", STATUS, headers={"origin": origin})

    for told in (read, preflight(gateway, STOP, origin)):
        assert told_of_origins(told) == {}
        assert told.headers["vary"] == "Origin"


def test_without_a_name_nobody_is_told_anything(api: ApiWorld) -> None:
    told = preflight(Gateway(), STOP, DESK)

    assert told_of_origins(told) == {}
    assert "vary" not in told.headers


@pytest.mark.parametrize(
    "named",
    [
        "*",
        "https://*.example",
        "http://desk.example",
        "https://desk.example/",
        "null",
        "https://a b",
    ],
)
def test_what_is_no_origin_is_refused_by_function_and_template(named: str) -> None:
    with pytest.raises(RefusedError, match=NAMES):
        Origins.of({NAMES: named})

    pattern = document_of("template.yaml")["Parameters"]["ApiOrigins"]["AllowedPattern"]
    assert not re.fullmatch(pattern, named)
    assert re.fullmatch(pattern, "")
    assert re.fullmatch(pattern, f"{DESK} https://other.example")
