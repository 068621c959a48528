"""The API's HTTPS address: what goes through it, and what it says when nothing answers."""

from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from local.front import MAX_BODY_BYTES, front


async def echo(request: web.Request) -> web.Response:
    told = {
        "method": request.method,
        "path": request.path_qs,
        "token": request.headers.get("Authorization"),
        "type": request.headers.get("Content-Type"),
        "body": await request.text(),
    }
    return web.json_response(told, status=418, headers={"X-Request-Id": "r1"})


@pytest.fixture
async def upstream() -> AsyncIterator[TestServer]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", echo)
    server = TestServer(app)
    async with server:
        yield server


async def test_method_path_query_token_and_body_go_through_unchanged(upstream: TestServer) -> None:
    async with TestClient(TestServer(front(f"{upstream.make_url('/stage/v1')}"))) as client:
        answer = await client.post(
            "/api/settings?limit=2&name=a%20b",
            json={"x": 1},
            headers={"Authorization": "Bearer t"},
        )
        told = await answer.json()

    assert answer.status == 418
    assert answer.headers["X-Request-Id"] == "r1"
    assert told == {
        "method": "POST",
        "path": "/stage/v1/api/settings?limit=2&name=a+b",
        "token": "Bearer t",
        "type": "application/json",
        "body": '{"x": 1}',
    }


async def test_a_get_without_a_body_has_no_content_type(upstream: TestServer) -> None:
    async with TestClient(TestServer(front(str(upstream.make_url("/"))))) as client:
        told = await (await client.get("/api")).json()

    assert told["type"] is None
    assert told["body"] == ""


async def test_an_upstream_that_does_not_answer_is_a_502_in_the_apis_own_form(
    upstream: TestServer,
) -> None:
    address = str(upstream.make_url("/"))
    await upstream.close()

    async with TestClient(TestServer(front(address))) as client:
        answer = await client.get("/api")
        told = await answer.json()

    assert answer.status == 502
    assert (told["success"], told["details"]) == (False, [])


async def test_a_body_that_is_far_too_large_is_refused_in_the_apis_own_form(
    upstream: TestServer,
) -> None:
    async with TestClient(TestServer(front(str(upstream.make_url("/"))))) as client:
        answer = await client.post("/api", data=BytesIO(bytes(MAX_BODY_BYTES + 1)))
        told = await answer.json()

    assert answer.status == 413
    assert (told["success"], told["details"]) == (False, [])
