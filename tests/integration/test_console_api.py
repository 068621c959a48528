"""The console before the real API: its routes, its tables, its words."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from tests.api_world import ApiWorld
from tests.builders import an_instrument
from tests.samples import a_key, a_position, a_tick, an_order

from adapters.engine_rows import instruments_json
from adapters.position_rows import position_row
from adapters.store import DynamoStore
from adapters.tables import EngineStateRow
from adapters.trade_rows import order_row
from console.address import Address
from console.client import ApiRefusedError, Client
from console.reader import Reader
from engine.ledger import OrderState, PositionStatus
from engine.values import Loop, Side


@pytest.fixture
def connection_id(api: ApiWorld) -> str:
    """A running engine that follows a symbol and has ticked five times."""
    made = api.running()
    row = EngineStateRow(made)
    instruments = instruments_json([an_instrument("BTCUSDT"), an_instrument("ETHUSDT")])
    followed = EngineStateRow.symbols.set(["BTCUSDT", "ETHUSDT"])
    row.update([EngineStateRow.instruments.set(instruments), followed])
    lease = api.leases.take(made, Loop.TRADE, token=0, owner="burst", lease_ms=15_000)
    store = DynamoStore(api.clock)
    for _ in range(5):
        api.clock.advance(1000)
        lease = store.write_tick(lease, a_tick(api.clock.now_ms() // 1000 * 1000), ())
    return made


@pytest.fixture
def client_with(api: ApiWorld, tmp_path: Path) -> Callable[[str], Client]:
    """A client of this API that sends the given token."""

    def handle(request: httpx.Request) -> httpx.Response:
        body = request.content or None
        token = request.headers["authorization"].removeprefix("Bearer ")
        path = request.url.raw_path.decode()
        answer = api.call(request.method, path, body, token=token)
        return httpx.Response(answer.status, text=answer.text)

    def make(token: str) -> Client:
        file = tmp_path / "token"
        file.write_text(token)
        address = Address(url="https://api.test", token_file=file, ca_file=None)
        return Client(address, transport=httpx.MockTransport(handle))

    return make


async def test_one_refresh_reads_every_panel_from_the_real_api(
    api: ApiWorld, connection_id: str, client_with: Callable[[str], Client]
) -> None:
    held = replace(
        a_position(key=a_key(side=Side.SHORT)),
        status=PositionStatus.OPEN,
        quantity=Decimal("2"),
        entry_quantity=Decimal("2"),
        entry_price=Decimal("67023.4"),
    )
    position_row(connection_id, held).save()
    order_row(connection_id, an_order("o1", at_ms=1000)).save()
    unclear = replace(an_order("o2", at_ms=2000), state=OrderState.UNKNOWN)
    order_row(connection_id, unclear).save()
    reader = Reader(client_with(api.operator), api.clock.now_ms)

    await reader.refresh()

    screen = reader.screen
    problems = {
        subject: getattr(screen, subject).problem
        for subject in (
            "status", "connections", "performance", "tally", "positions", "working", "orders",
            "candles",
        )
    }  # fmt: skip
    assert set(problems.values()) == {""}, problems
    assert screen.choice.connection_id == connection_id
    assert screen.engine is not None
    assert screen.engine.actual_state == "running"
    assert screen.connection is not None
    assert screen.connection.is_paper
    assert screen.tally.value is not None
    assert screen.tally.value.last_ms - screen.tally.value.since_ms == 4_000
    assert screen.candles.value is not None
    assert len(screen.candles.value.candles) == 5
    assert screen.positions.value is not None
    assert [position.side for position in screen.positions.value.data] == ["SHORT"]
    assert [order.status for order in screen.all_orders] == ["unknown", "new"]


async def test_stop_and_start_reach_the_engine(
    api: ApiWorld, connection_id: str, client_with: Callable[[str], Client]
) -> None:
    client = client_with(api.operator)

    assert await client.stop(connection_id, close_positions=True)

    assert api.machines.stopped == [(connection_id, True)]
    (engine,) = (await client.status()).connections
    assert engine.desired_state == "stopped"


async def test_a_viewer_sees_everything_but_is_refused_the_buttons(
    api: ApiWorld, connection_id: str, client_with: Callable[[str], Client]
) -> None:
    client = client_with(api.viewer)

    assert (await client.status()).connections
    with pytest.raises(ApiRefusedError, match="operator"):
        await client.stop(connection_id, close_positions=False)
    assert api.machines.stopped == []
