"""Values for tests: plausible by default, each field changeable."""

from decimal import Decimal

from engine.events import Account, Quote
from engine.ledger import Fill, Position, PositionStatus
from engine.values import Exits, IndicationType, Instrument, SetKey, Side, Wish

NOW_MS = 1_700_000_000_000


def an_instrument(symbol: str = "BTCUSDT", **changes: object) -> Instrument:
    values: dict[str, object] = {
        "symbol": symbol,
        "base": symbol.removesuffix("USDT"),
        "quote": "USDT",
        "price_tick": Decimal("0.1"),
        "quantity_step": Decimal("0.001"),
        "min_quantity": Decimal("0.001"),
        "max_quantity": Decimal(1000),
        "min_notional": Decimal(5),
        "max_leverage": 125,
    }
    return Instrument(**(values | changes))  # type: ignore[arg-type]


def some_exits(
    take_profit: str = "0.8",
    stop_loss: str = "0.4",
    trailing: tuple[str, str] = ("0", "0"),
    **flags: bool,
) -> Exits:
    return Exits(
        take_profit_pct=Decimal(take_profit),
        stop_loss_pct=Decimal(stop_loss),
        trail_start_pct=Decimal(trailing[0]),
        trail_stop_pct=Decimal(trailing[1]),
        **flags,
    )


def a_set_key(
    side: Side = Side.LONG,
    symbol: str = "BTCUSDT",
    exits: Exits | None = None,
    parameter: int = 5,
) -> SetKey:
    return SetKey(
        symbol=symbol,
        indication=IndicationType.DIRECTION,
        parameter=parameter,
        side=side,
        exits=exits or some_exits(),
    )


def a_wish(
    side: Side = Side.LONG,
    symbol: str = "BTCUSDT",
    *,
    exits: Exits | None = None,
    parameter: int = 5,
    entry_close_ms: int = NOW_MS,
    price: str = "100",
) -> Wish:
    return Wish(
        key=a_set_key(side, symbol, exits, parameter),
        entry_close_ms=entry_close_ms,
        price=Decimal(price),
    )


def a_position(side: Side = Side.LONG, **changes: object) -> Position:
    """An open position of one unit entered at 100."""
    values: dict[str, object] = {
        "position_id": "a" * 25,
        "key": a_set_key(side),
        "status": PositionStatus.OPEN,
        "entry_close_ms": NOW_MS,
        "leverage": 10,
        "quantity": Decimal(1),
        "entry_quantity": Decimal(1),
        "entry_price": Decimal(100),
    }
    return Position(**(values | changes))  # type: ignore[arg-type]


def an_account(equity: str = "5000", at_ms: int = NOW_MS) -> Account:
    return Account(equity=Decimal(equity), free_margin=Decimal(equity), at_ms=at_ms)


def a_quote(price: str = "100", symbol: str = "BTCUSDT", at_ms: int = NOW_MS) -> Quote:
    return Quote(symbol=symbol, price=Decimal(price), event_ms=at_ms, seen_ms=at_ms)


def a_fill(side: Side, price: Decimal, quantity: str, *, closing: bool = False) -> Fill:
    """An execution that opens, or closes, a position of the side."""
    return Fill(
        trade_id="1",
        client_order_id="",
        exchange_order_id="",
        symbol="BTCUSDT",
        side=side,
        order_side=side.exit if closing else side.entry,
        price=price,
        quantity=Decimal(quantity),
        fee=Decimal("0.1"),
        fee_asset="USDT",
        is_maker=False,
        executed_at_ms=NOW_MS,
    )


def on(side: Side, price: str) -> Decimal:
    """The price as far on the favourable side of 100 for a SHORT as it is for a LONG."""
    return Decimal(price) if side is Side.LONG else 200 - Decimal(price)
