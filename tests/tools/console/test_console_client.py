import asyncio
import json
from pathlib import Path

import httpx
import pytest
from tests.console_api import CONNECTION, TOKEN
from tests.tools.console.screens import Clock, a_client, an_address, an_api

from console.address import Address, SetupError
from console.client import (
    ApiAnswerError,
    ApiRefusedError,
    ApiUnreachableError,
    Client,
)
from console.models import Snapshot


def answering(folder: Path, status: int, body: bytes) -> Client:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    return Client(an_address(folder), transport=transport)


async def whole(client: Client) -> Snapshot:
    return await client.snapshot("", "", candles=5, ticks=1, cadence=False)


async def test_one_call_reads_the_whole_screen(tmp_path: Path) -> None:
    api = an_api(Clock())
    client = a_client(api, tmp_path)

    told = await client.snapshot(CONNECTION, "ETHUSDT", candles=5, ticks=2, cadence=True)

    assert len(api.asked) == 1
    assert told.engine.connection_id == CONNECTION
    assert told.candles is not None
    assert (told.candles.symbol, len(told.candles.candles)) == ("ETHUSDT", 5)
    assert {order.status for order in told.orders.data} == {"open", "unknown"}
    assert len(told.progression.trade_cycles) == 1


async def test_a_command_names_its_position_in_the_path(tmp_path: Path) -> None:
    api = an_api(Clock())
    client = a_client(api, tmp_path)

    told = await client.command("close", {"reason": "r"}, position_id="p/1")

    assert api.asked == [("POST", "/api/positions/p/1/close", {"reason": "r"})]
    assert told.message == "the positions close in the next tick"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "the API does not let this console in (401): why"),
        (403, "this token may not do that (403): why"),
        (429, "the API was asked too often (429): why"),
        (503, "the API is not available (503): why"),
        (500, "why"),
    ],
)
async def test_a_refusal_is_a_sentence_with_the_words_of_the_api(
    tmp_path: Path, status: int, said: str
) -> None:
    with pytest.raises(ApiRefusedError) as refused:
        await whole(answering(tmp_path, status, b'{"error": "why"}'))

    assert (str(refused.value), refused.value.status) == (said, status)


async def test_a_renewed_token_is_taken_up_without_a_restart(tmp_path: Path) -> None:
    api = an_api(Clock())
    client = a_client(api, tmp_path)
    (tmp_path / "token").write_text("an-old-token")

    with pytest.raises(ApiRefusedError, match="this token is not known"):
        await whole(client)
    (tmp_path / "token").write_text(TOKEN)

    assert (await whole(client)).connections


async def test_the_reasons_of_a_refused_start_are_told(tmp_path: Path) -> None:
    refusal = {
        "success": False,
        "error": "the engine cannot start",
        "details": [],
        "reasons": [{"code": "not_tested", "message": "the connection was never tested"}],
    }
    client = answering(tmp_path, 409, json.dumps(refusal).encode())

    with pytest.raises(ApiRefusedError) as refused:
        await client.command("start", {"connectionId": CONNECTION})

    assert str(refused.value) == "the engine cannot start; the connection was never tested"


async def test_a_page_that_is_no_answer_is_not_taken_for_one(tmp_path: Path) -> None:
    with pytest.raises(ApiRefusedError, match="the API answered 502"):
        await whole(answering(tmp_path, 502, b"<html>"))
    with pytest.raises(ApiAnswerError, match="/api/snapshot: connections"):
        await whole(answering(tmp_path, 200, b'{"timestamp": 1}'))


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
        await whole(client)


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

    await asyncio.gather(whole(client), whole(client), whole(client))

    assert most == 1


async def test_the_token_is_in_no_representation_and_no_error(tmp_path: Path) -> None:
    client = answering(tmp_path, 401, b'{"error": "this token is not known"}')

    with pytest.raises(ApiRefusedError) as refused:
        await whole(client)

    assert TOKEN not in repr(client) + repr(an_address(tmp_path)) + repr(refused.value)
    assert refused.value.__cause__ is None


async def test_a_missing_or_empty_authority_is_named(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    token_file = an_address(tmp_path).token_file
    client = Client(Address(url="https://api.test", token_file=token_file, ca_file=ca_file))

    with pytest.raises(SetupError, match=r"ca\.pem cannot be read"):
        await whole(client)
    ca_file.write_text("no certificate")
    with pytest.raises(SetupError, match=r"ca\.pem holds no certificate"):
        await whole(client)
