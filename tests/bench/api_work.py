"""The API's own work for a request: everything but the calls to the store, which it waits for.

Tables are kept in this process; what they take is measured call by call and left out. Processor
time is counted, so that what else runs on the machine is not.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from moto import mock_aws
from tests.api_world import ApiWorld, api_world
from tests.builders import an_instrument
from tests.dynamo import create_tables, point_tables_at
from tests.samples import START_MS, a_key, a_position, a_tick, an_order, some_candles

from adapters import dynamo
from adapters.engine_rows import instruments_json
from adapters.position_rows import position_row
from adapters.store import DynamoStore
from adapters.tables import EngineStateRow, OrderRow, PositionRow
from adapters.trade_rows import order_row
from engine.ledger import PositionStatus
from engine.values import Loop, Side

MAIN = ("health-check", "status", "progression", "positions", "orders", "candles")
"""What a console asks again and again."""
OPEN_POSITIONS = 100
DAY_MS = 86_400_000


@dataclass(slots=True)
class StoreTime:
    """Seconds spent in calls to the store."""

    seconds: float = 0.0


def measure_api(*, symbols: int, positions: int, requests: int) -> dict[str, list[float]]:
    """Milliseconds of each request, by route: asked so often, once before to warm it up."""
    work = {}
    with mock_aws():
        point_tables_at(None)
        create_tables()
        with api_world() as api, _timed_store() as store:
            connection_id = _filled(api, symbols, positions)
            for name, path in _paths(connection_id).items():
                api.get(path)
                work[name] = [_own_ms(api, path, store) for _ in range(requests)]
    return work


def _paths(connection_id: str) -> dict[str, str]:
    asked = f"?connectionId={connection_id}"
    return {
        "health-check": "/api/system/health-check",
        "status": f"/api/trade-engine/status{asked}",
        "progression": f"/api/trade-engine/progression{asked}",
        "performance": f"/api/trade-engine/performance{asked}",
        "positions": f"/api/positions{asked}&limit=50",
        "closed positions": f"/api/positions{asked}&status=closed&limit=50",
        "orders": f"/api/orders{asked}&limit=50",
        "candles": f"/api/market-data{asked}&symbol=S000USDT&limit=60",
        "snapshot": f"/api/snapshot{asked}",
        "statistics": f"/api/statistics{asked}",
        "statistics of positions": f"/api/positions/{connection_id}/stats",
    }


def _own_ms(api: ApiWorld, path: str, store: StoreTime) -> float:
    store.seconds = 0.0
    begun = time.thread_time()
    answer = api.get(path)
    took = time.thread_time() - begun - store.seconds
    assert answer.status == 200, answer.text
    return took * 1e3


@contextmanager
def _timed_store() -> Iterator[StoreTime]:
    """Note how long each call of the one connection takes."""
    spent = StoreTime()
    client: Any = dynamo.connection().client
    call = client._make_api_call

    def timed(*given: Any) -> Any:
        begun = time.thread_time()
        try:
            return call(*given)
        finally:
            spent.seconds += time.thread_time() - begun

    client._make_api_call = timed
    try:
        yield spent
    finally:
        del client._make_api_call


def _filled(api: ApiWorld, symbols: int, positions: int) -> str:
    """A running engine of so many symbols with so many closed positions, and some open ones."""
    api.clock.time_ms = START_MS + 10 * DAY_MS
    made = api.running()
    names = tuple(f"S{number:03d}USDT" for number in range(symbols))
    instruments = instruments_json([an_instrument(name) for name in names])
    state = EngineStateRow(made)
    state.update(
        [EngineStateRow.instruments.set(instruments), EngineStateRow.symbols.set(list(names))]
    )
    with PositionRow.batch_write() as batch:
        for number in range(positions):
            batch.save(_closed(made, names[number % symbols], number))
    with PositionRow.batch_write() as batch, OrderRow.batch_write() as orders:
        for number in range(OPEN_POSITIONS):
            key = a_key(names[number % symbols])
            held = a_position(f"open{number}", key=key, status=PositionStatus.OPEN)
            batch.save(position_row(made, held))
            orders.save(order_row(made, an_order(f"o{number}", at_ms=START_MS + number)))
    slot_ms = api.clock.now_ms() // 1000 * 1000
    tick = replace(a_tick(slot_ms), candles=some_candles(first_close_ms=slot_ms, symbols=names))
    lease = api.leases.take(made, Loop.TRADE, token=0, owner="bench", lease_ms=15_000)
    DynamoStore(api.clock).write_tick(lease, tick, ())
    return made


def _closed(connection_id: str, symbol: str, number: int) -> PositionRow:
    side = Side.LONG if number % 2 else Side.SHORT
    ended = replace(
        a_position(f"p{number:06d}", key=a_key(symbol, side=side), at_ms=START_MS + number),
        status=PositionStatus.CLOSED,
        quantity=Decimal(0),
        entry_quantity=Decimal("0.01"),
        entry_price=Decimal(50_000),
        realized_pnl=Decimal(number % 7 - 3),
        fees=Decimal("0.05"),
        closed_at_ms=START_MS + number * 60_000,
    )
    return position_row(connection_id, ended)
