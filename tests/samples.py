"""Orders, positions, wishes and candles for tests of the store, each different where asked."""

from decimal import Decimal

import numpy as np

from engine.ledger import Fill, Order, OrderType, Position, PositionStatus, Purpose, Recovery
from engine.market import Candles, Kind
from engine.records import PositionTicks, TradeTick
from engine.values import Exits, IndicationType, SetKey, Side, Variant, Wish

START_MS = 1_760_000_000_000
PRICE = Decimal("67123.4")


def a_key(symbol: str = "BTCUSDT", *, side: Side = Side.LONG, parameter: int = 5) -> SetKey:
    exits = Exits(
        take_profit_pct=Decimal("0.8"),
        stop_loss_pct=Decimal("0.4"),
        trail_start_pct=Decimal("0.3"),
        trail_stop_pct=Decimal("0.1"),
        ladder=True,
        profit_back=True,
    )
    return SetKey(
        symbol=symbol,
        indication=IndicationType.MOVE,
        parameter=parameter,
        variant=Variant(drawdown_pct=30, market_change=3, last_part_pct=150, preset="rsi14"),
        side=side,
        exits=exits,
    )


def a_wish(key: SetKey | None = None, *, at_ms: int = START_MS) -> Wish:
    return Wish(key=key or a_key(), entry_close_ms=at_ms, price=PRICE, size_ratio=Decimal("1.5"))


def a_position(
    position_id: str = "p1",
    *,
    key: SetKey | None = None,
    status: PositionStatus = PositionStatus.OPENING,
    at_ms: int = START_MS,
    closed_at_ms: int = 0,
) -> Position:
    return Position(
        position_id=position_id,
        key=key or a_key(),
        status=status,
        entry_close_ms=at_ms,
        leverage=10,
        quantity=Decimal("0.015"),
        first_quantity=Decimal("0.01"),
        first_price=PRICE,
        recovery=Recovery.UNDER,
        closed_at_ms=closed_at_ms,
        updated_at_ms=at_ms,
    )


def an_order(
    client_order_id: str = "o1", *, position_id: str = "p1", at_ms: int = START_MS
) -> Order:
    return Order(
        client_order_id=client_order_id,
        position_id=position_id,
        purpose=Purpose.ENTRY,
        attempt=1,
        symbol="BTCUSDT",
        side=Side.LONG,
        order_type=OrderType.MARKET,
        quantity=Decimal("0.015"),
        created_at_ms=at_ms,
        updated_at_ms=at_ms,
    )


def a_fill(trade_id: str = "t1", *, client_order_id: str = "o1", at_ms: int = START_MS) -> Fill:
    order = an_order()
    return Fill(
        trade_id=trade_id,
        client_order_id=client_order_id,
        exchange_order_id="88",
        symbol=order.symbol,
        side=order.side,
        order_side=order.order_side,
        price=PRICE,
        quantity=Decimal("0.005"),
        fee=Decimal("0.18458935"),
        fee_asset="USDT",
        is_maker=False,
        executed_at_ms=at_ms,
    )


def some_candles(
    *,
    first_close_ms: int = START_MS,
    length: int = 1,
    symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT"),
    span_ms: int = 1000,
) -> Candles:
    """Traded candles whose prices tell their row and column apart."""
    rows = np.arange(length, dtype=np.int64)[:, None]
    close = 671_234 + 3 * rows + 1000 * np.arange(len(symbols), dtype=np.int64)
    return Candles(
        symbols=symbols,
        span_ms=span_ms,
        close_ms=first_close_ms + np.arange(length, dtype=np.int64) * span_ms,
        open=close - 1,
        high=close + 2,
        low=close - 4,
        close=close,
        volume=close % 97,
        kind=np.full(close.shape, Kind.TRADED, np.int8),
    )


def a_tick(slot_ms: int = START_MS) -> TradeTick:
    return TradeTick(
        slot_ms=slot_ms,
        started_us=slot_ms * 1000 + 250_300,
        finished_us=slot_ms * 1000 + 262_100,
        compute_us=7_900,
        counts={"signals": 3, "opened": 1},
        close_reasons={"stop_loss": 1},
        skipped={"burst": 1},
        candles=some_candles(first_close_ms=slot_ms),
        source="stream",
    )


def position_ticks(slot_ms: int = START_MS) -> PositionTicks:
    ticks = tuple(
        (slot, slot * 1000 + 200, slot * 1000 + 1_900, 1_100)
        for slot in (slot_ms, slot_ms + 300, slot_ms + 600)
    )
    return PositionTicks(ticks=ticks, skipped={"overrun": 2}, inputs=b"journal")
