import asyncio
import json
from pathlib import Path

import httpx
import pytest
from tests.console_api import CONNECTION, TOKEN
from tests.unit.console.screens import Clock, a_client, an_address, an_api

from console.address import Address, SetupError
from console.client import (
    ApiAnswerError,
    ApiRefusedError,
    ApiUnreachableError,
    Client,
)


def answering(folder: Path, status: int, body: bytes) -> Client:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    return Client(an_address(folder), transport=transport)


async def test_every_subject_is_read_from_its_route(tmp_path: Path) -> None:
    api = an_api(Clock())
    client = a_client(api, tmp_path)

    status = await client.status()
    candles = await client.candles(CONNECTION, "ETHUSDT", limit=5)
    working = await client.orders(CONNECTION, only_open=True)

    assert status.connections[0].connection_id == CONNECTION
    assert [candle.symbol for candle in [candles]] == ["ETHUSDT"]
    assert len(candles.candles) == 5
    assert {order.status for order in working.data} == {"open", "unknown"}


async def test_stop_says_whether_positions_are_closed(tmp_path: Path) -> None:
    api = an_api(Clock())
    client = a_client(api, tmp_path)

    await client.stop(CONNECTION, close_positions=True)

    body = {"connectionId": CONNECTION, "closePositions": True}
    assert api.asked == [("POST", "/api/trade-engine/stop", body)]


async def test_a_renewed_token_is_taken_up_without_a_restart(tmp_path: Path) -> None:
    api = an_api(Clock())
    client = a_client(api, tmp_path)
    (tmp_path / "token").write_text("an-old-token")

    with pytest.raises(ApiRefusedError, match="this token is not known"):
        await client.status()
    (tmp_path / "token").write_text(TOKEN)

    assert (await client.status()).connections


async def test_the_reasons_of_a_refused_start_are_told(tmp_path: Path) -> None:
    refusal = {
        "success": False,
        "error": "the engine cannot start",
        "details": [],
        "reasons": [{"code": "not_tested", "message": "the connection was never tested"}],
    }
    client = answering(tmp_path, 409, json.dumps(refusal).encode())

    with pytest.raises(ApiRefusedError) as refused:
        await client.start(CONNECTION)

    assert str(refused.value) == "the engine cannot start; the connection was never tested"


async def test_a_page_that_is_no_answer_is_not_taken_for_one(tmp_path: Path) -> None:
    with pytest.raises(ApiRefusedError, match="the API answered 502"):
        await answering(tmp_path, 502, b"<html>").status()
    with pytest.raises(ApiAnswerError, match="/api/trade-engine/status: connections"):
        await answering(tmp_path, 200, b'{"timestamp": 1}').status()


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (httpx.ConnectError("refused"), "nothing answers"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]"), "certificate not trusted"),
        (httpx.ReadTimeout("slow"), "no answer within 8 s"),
        (httpx.RemoteProtocolError("cut"), "the connection broke"),
    ],
)
async def test_silence_is_told_by_its_kind(
    tmp_path: Path, failure: httpx.HTTPError, said: str
) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise failure

    client = Client(an_address(tmp_path), transport=httpx.MockTransport(fail))

    with pytest.raises(ApiUnreachableError, match=said):
        await client.status()


async def test_calls_wait_for_each_other(tmp_path: Path) -> None:
    api, under_way, most = an_api(Clock()), 0, 0

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return await api.transport().handle_async_request(request)

    client = Client(an_address(tmp_path), transport=httpx.MockTransport(handle))

    await asyncio.gather(client.status(), client.connections(), client.positions(CONNECTION))

    assert most == 1


async def test_the_token_is_in_no_representation_and_no_error(tmp_path: Path) -> None:
    client = answering(tmp_path, 401, b'{"error": "this token is not known"}')

    with pytest.raises(ApiRefusedError) as refused:
        await client.status()

    assert TOKEN not in repr(client) + repr(an_address(tmp_path)) + repr(refused.value)
    assert refused.value.__cause__ is None


async def test_a_missing_or_empty_authority_is_named(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    token_file = an_address(tmp_path).token_file
    client = Client(Address(url="https://api.test", token_file=token_file, ca_file=ca_file))

    with pytest.raises(SetupError, match=r"ca\.pem cannot be read"):
        await client.status()
    ca_file.write_text("no certificate")
    with pytest.raises(SetupError, match=r"ca\.pem holds no certificate"):
        await client.status()
