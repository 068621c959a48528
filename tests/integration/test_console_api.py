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

from adapters.position_rows import position_row
from adapters.store import DynamoStore
from adapters.tables import EngineStateRow
from adapters.trade_rows import order_row
from console.address import Address
from console.client import ApiRefusedError, Client
from console.commands import body_of
from console.models import Engine
from console.reader import Reader
from engine.ledger import OrderState, PositionStatus
from engine.orders import position_id
from engine.values import Loop, Side


@pytest.fixture
def connection_id(api: ApiWorld) -> str:
    """A running engine that follows a symbol and has ticked five times."""
    made = api.running()
    row = EngineStateRow(made)
    instruments = (an_instrument("BTCUSDT"), an_instrument("ETHUSDT"))
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
    assert screen.snapshot.problem == ""
    assert screen.choice.connection_id == connection_id
    assert screen.engine is not None
    assert screen.engine.actual_state == "running"
    assert screen.account is not None
    assert screen.account.is_paper
    assert screen.tally is not None
    assert screen.tally.last_ms - screen.tally.since_ms == 4_000
    assert screen.cadence is not None
    assert screen.cadence.trade_loop.ticks == 5
    assert screen.candles is not None
    assert len(screen.candles.candles) == 5
    assert [position.side for position in screen.positions] == ["SHORT"]
    assert not screen.positions[0].is_protected
    assert [order.status for order in screen.all_orders] == ["unknown", "new"]


async def test_each_button_does_what_it_says(
    api: ApiWorld, connection_id: str, client_with: Callable[[str], Client]
) -> None:
    client = client_with(api.admin)
    reader = Reader(client, api.clock.now_ms)

    async def after(asked: str, *, ticked: bool = False) -> Engine:
        await reader.refresh()
        reader.choose(ticked=ticked)
        route, meant, body = body_of(asked, reader.screen)
        told = await client.command(route, body, position_id=meant)
        assert told.success, told.message
        await reader.refresh()
        assert reader.screen.engine is not None
        return reader.screen.engine

    name = position_id(connection_id, a_key().text, 1)
    held = replace(a_position(name), status=PositionStatus.OPEN)
    position_row(connection_id, held).save()
    assert (await after("pause")).desired_state == "paused"
    assert (await after("resume")).desired_state == "running"
    for asked in (f"close:{name}", "close-all", "close-profitable"):
        await after(asked)
    listed = api.get(f"/api/commands?connectionId={connection_id}").body["data"]
    kinds = {command["kind"] for command in listed}
    assert kinds == {"close_position", "close_all", "close_profitable"}
    stopped = await after("stop", ticked=True)
    assert api.machines.stopped == [(connection_id, True)]
    assert stopped.desired_state == "stopped"


async def test_the_emergency_stop_is_latched_on_the_screen_until_an_admin_resets_it(
    api: ApiWorld, connection_id: str, client_with: Callable[[str], Client]
) -> None:
    reader = Reader(client_with(api.admin), api.clock.now_ms)
    await reader.refresh()
    reader.choose(ticked=True)

    name, _, body = body_of("emergency", reader.screen)
    assert (await client_with(api.operator).command(name, body)).success
    await reader.refresh()

    held = reader.screen.engine.emergency if reader.screen.engine else None
    assert held is not None
    assert (held.reason, held.flatten, held.verified) == ("from the console", True, False)
    name, _, body = body_of("reset", reader.screen)
    with pytest.raises(ApiRefusedError, match="admin"):
        await client_with(api.operator).command(name, body)
    assert (await client_with(api.admin).command(name, body)).success
    await reader.refresh()
    assert reader.screen.engine is not None
    assert reader.screen.engine.emergency is None


async def test_a_viewer_sees_everything_but_is_refused_the_buttons(
    api: ApiWorld, connection_id: str, client_with: Callable[[str], Client]
) -> None:
    reader = Reader(client_with(api.viewer), api.clock.now_ms)
    await reader.refresh()
    assert reader.screen.engine is not None

    name, _, body = body_of("stop", reader.screen)
    with pytest.raises(ApiRefusedError, match="operator"):
        await client_with(api.viewer).command(name, body)
    assert api.machines.stopped == []
