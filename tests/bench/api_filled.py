"""Tables as a busy account fills them: what the API's own work is measured over."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from tests.api_world import ApiWorld
from tests.builders import an_instrument
from tests.samples import a_key, a_position, a_tick, an_order, position_ticks, some_candles

from adapters import equity_rows
from adapters.position_rows import position_row
from adapters.store import DynamoStore
from adapters.tables import EngineStateRow, EquityRow, OrderRow, PositionRow
from adapters.trade_rows import order_row
from engine.ledger import Order, OrderState, OrderType, Position, PositionStatus, Purpose
from engine.orders import connection_mark
from engine.records import EquitySample
from engine.settings import Settings
from engine.values import CloseReason, Loop, Side

NOW_MS = 1_760_864_000_000
MOST_ENDED_ORDERS = 1_000
DAYS = 20
"""Over which positions closed."""
TRAILED = 10
"""So many positions' stops are moved in a second: far more than a calm market moves."""
HOUR_MS, MINUTE_MS = 3_600_000, 60_000
_REASONS = tuple(CloseReason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """How much of each; ticks are those of each loop, equity is sampled hourly.

    Of the positions as many are open as an account may hold unless a setting says otherwise.
    """

    symbols: int = 100
    positions: int = 10_000
    open: int = Settings().max_open_positions
    ticks: int = 120
    samples: int = 24 * DAYS


def filled(api: ApiWorld, stored: Stored) -> str:
    """A running engine's connection with so many positions stored.

    Each open one has its stop and its target at the venue. Closed ones lie over `DAYS`.
    """
    api.clock.time_ms = NOW_MS - stored.ticks * 1000
    made, positions = api.running(), stored.positions
    names = tuple(f"S{number:03d}USDT" for number in range(stored.symbols))
    EngineStateRow(made).update(
        [
            EngineStateRow.instruments.set(tuple(map(an_instrument, names))),
            EngineStateRow.symbols.set(list(names)),
        ]
    )
    _ticked(api, made, names, stored.ticks)
    _sampled(made, stored.samples)
    held = [_open(made, number, names[number % len(names)]) for number in range(stored.open)]
    ended = (_closed(n, names[n % len(names)], positions) for n in range(stored.open, positions))
    with PositionRow.batch_write() as batch:
        for position in (*held, *ended):
            batch.save(position_row(made, position))
    with OrderRow.batch_write() as batch:
        for order in (*_working(held), *_ended(min(positions, MOST_ENDED_ORDERS))):
            batch.save(order_row(made, order))
    return made


def _ticked(api: ApiWorld, connection_id: str, names: tuple[str, ...], ticks: int) -> None:
    """Both loops' last minutes, written as loops write them."""
    store = DynamoStore(api.clock)
    trade, position = (
        api.leases.take(connection_id, loop, token=0, owner="bench", lease_ms=15_000)
        for loop in (Loop.TRADE, Loop.POSITION)
    )
    for number in range(ticks):
        slot_ms = api.clock.time_ms = NOW_MS - (ticks - 1 - number) * 1000
        candles = some_candles(first_close_ms=slot_ms, symbols=names)
        trade = store.write_tick(trade, replace(a_tick(slot_ms), candles=candles), ())
        position = store.write_position_ticks(position, position_ticks(slot_ms))
        if slot_ms % MINUTE_MS == 0:
            begun_ms = slot_ms - MINUTE_MS + 1000
            minute = some_candles(first_close_ms=begun_ms, length=60, symbols=names)
            store.write_minute(trade, minute)


def _sampled(connection_id: str, samples: int) -> None:
    """An equity sample for each of the last hours."""
    with EquityRow.batch_write() as batch:
        for number in range(samples):
            sample = EquitySample(
                at_ms=NOW_MS - number * HOUR_MS,
                equity=Decimal(10_000 + number % 13),
                free_margin=Decimal(9_000),
                unrealized=Decimal(number % 5),
                open_positions=3,
                opens_hour=True,
            )
            for row in equity_rows.rows_of(connection_id, sample):
                batch.save(row)


def open_id(connection_id: str, number: int) -> str:
    """The name of an open position; it bears its connection's mark."""
    return f"{connection_mark(connection_id)}open{number:05d}"


def trail(connection_id: str, number: int) -> None:
    """Move the stops of some open positions, as the position loop does once prices have risen."""
    price = Decimal(66_860 + number)
    for position in list(PositionRow.live.query(connection_id, limit=TRAILED)):
        position.update([PositionRow.stop_price.set(price)])
        stop = OrderRow.get(connection_id, f"{Purpose.STOP}-{position.position_id}")
        stop.update([OrderRow.trigger_price.set(price)])


def _open(connection_id: str, number: int, symbol: str) -> Position:
    key = a_key(symbol, side=Side.LONG if number % 3 else Side.SHORT, parameter=1 + number % 20)
    return replace(
        a_position(open_id(connection_id, number), key=key, at_ms=NOW_MS - (1 + number) * 60_000),
        status=PositionStatus.OPEN,
        entry_quantity=Decimal("0.015"),
        entry_price=Decimal("67123.4"),
        stop_price=Decimal("66854.9"),
        target_price=Decimal("67660.4"),
        opened_at_ms=NOW_MS - number * 60_000 - 59_000,
        fees=Decimal("0.40274"),
    )


def _closed(number: int, symbol: str, of: int) -> Position:
    at_ms = NOW_MS - DAYS * 24 * HOUR_MS * (of - number) // of
    key = a_key(symbol, side=Side.LONG if number % 2 else Side.SHORT, parameter=1 + number % 20)
    return replace(
        a_position(f"p{number:06d}", key=key, at_ms=at_ms - 95_000),
        status=PositionStatus.CLOSED,
        quantity=Decimal(0),
        entry_quantity=Decimal("0.015"),
        entry_price=Decimal("67123.4"),
        exit_price=Decimal("67391.9"),
        realized_pnl=Decimal(number % 7 - 3) + Decimal("0.0375"),
        fees=Decimal("0.80548"),
        funding=Decimal("-0.0125"),
        opened_at_ms=at_ms - 94_000,
        closed_at_ms=at_ms,
        close_reason=_REASONS[number % len(_REASONS)],
    )


def _working(held: list[Position]) -> Iterator[Order]:
    for position in held:
        for purpose, kind in ((Purpose.STOP, OrderType.STOP_MARKET), (Purpose.TARGET, _TARGET)):
            yield replace(
                an_order(f"{purpose}-{position.position_id}", at_ms=position.entry_close_ms),
                position_id=position.position_id,
                purpose=purpose,
                order_type=kind,
                symbol=position.key.symbol,
                side=position.key.side,
                state=OrderState.OPEN,
                trigger_price=position.stop_price,
            )


def _ended(count: int) -> Iterator[Order]:
    for number in range(count):
        yield replace(
            an_order(f"entry-{number:06d}", at_ms=NOW_MS - 100_000 - number * 1_000),
            state=OrderState.FILLED,
            filled_quantity=Decimal("0.015"),
            average_price=Decimal("67123.4"),
        )


_TARGET = OrderType.TAKE_PROFIT_MARKET
