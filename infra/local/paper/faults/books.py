"""What a fault does to the exchange's books: things that happen to an account."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from local.paper.core import margin, modes
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import OrderSide, Position, PositionSide
from local.paper.core.refusals import RefusedError
from local.paper.core.requests import OrderRequest
from local.paper.core.scripts import KeyPermissions, Part
from local.paper.faults.plan import Fault
from local.paper.market.instruments import PaperInstrument

_Given = Mapping[str, Any]
BEFORE = frozenset(
    {
        "partial_fill", "slippage", "shift_mark", "change_filters", "fire_conditionals",
        "refuse_triggered",
    }
)  # fmt: skip
"""Kinds that come before the request they are tied to; the others follow it."""


def act(exchange: PaperExchange, fault: Fault) -> str:
    """Do to the books what a fault says; what became of it, in words."""
    try:
        return _ACTS[fault.kind](exchange, fault.parameters)
    except RefusedError as refusal:
        return f"refused: {refusal.reason}"


def _trade(exchange: PaperExchange, given: _Given) -> str:
    order = exchange.place_order(
        OrderRequest(
            symbol=given["symbol"], side=OrderSide(given["side"]), order_type="MARKET",
            position_side=PositionSide(given["position_side"]),
            quantity=Decimal(given["quantity"]), client_order_id=_by_hand(exchange),
        )
    )  # fmt: skip
    return f"{order.side} {order.filled} {order.symbol} at {order.average_price}"


def _by_hand(exchange: PaperExchange) -> str:
    """A name such as the venue's own site gives."""
    return f"web_{exchange.books.account.next_id + 1}"


def _held(exchange: PaperExchange, symbol: str) -> list[Position]:
    exchange.instrument(symbol)
    return [one for one in margin.held(exchange.books) if one.symbol == symbol]


def _close(exchange: PaperExchange, given: _Given) -> str:
    held = _held(exchange, given["symbol"])
    for one in held:
        one_way = one.position_side is PositionSide.BOTH
        exchange.place_order(
            OrderRequest(
                symbol=one.symbol, side=OrderSide.SELL if one.quantity > 0 else OrderSide.BUY,
                position_side=one.position_side, order_type="MARKET", quantity=abs(one.quantity),
                reduce_only=one_way, client_order_id=_by_hand(exchange),
            )
        )  # fmt: skip
    return f"closed {len(held)} positions"


def _cancel(exchange: PaperExchange, given: _Given) -> str:
    symbol, what, count = exchange.instrument(given["symbol"]).symbol, given["what"], 0
    if what in ("all", "orders"):
        for order in [one for one in exchange.books.open_orders.values() if one.symbol == symbol]:
            count += not exchange.cancel_order(order).is_open
    if what in ("all", "algos"):
        for algo in [one for one in exchange.books.open_algos.values() if one.symbol == symbol]:
            count += not exchange.cancel_algo(algo).is_open
    return f"cancelled {count} orders"


def _liquidate(exchange: PaperExchange, given: _Given) -> str:
    held = _held(exchange, given["symbol"])
    for one in held:
        exchange.liquidate(one.symbol, one.position_side)
    return f"liquidated {len(held)} positions"


def _deleverage(exchange: PaperExchange, given: _Given) -> str:
    held = _held(exchange, given["symbol"])
    for one in held:
        exchange.deleverage(one.symbol, one.position_side, Decimal(str(given["percent"])))
    return f"deleveraged {len(held)} positions"


def _flip(exchange: PaperExchange, given: _Given) -> str:
    exchange.advance()
    wanted = not exchange.books.account.hedge_mode
    modes.set_hedge_mode(exchange.books, hedge_mode=wanted)
    return "hedge mode" if wanted else "one-way mode"


def _leverage(exchange: PaperExchange, given: _Given) -> str:
    symbol = exchange.instrument(given["symbol"]).symbol
    return f"leverage {modes.set_leverage(exchange.books, symbol, given['leverage']).leverage}"


def _fire(exchange: PaperExchange, given: _Given) -> str:
    return f"fired {exchange.fire_conditionals(given['symbol'])} orders"


def _refuse(exchange: PaperExchange, given: _Given) -> str:
    exchange.scripts.refuse_triggered(exchange.instrument(given["symbol"]).symbol)
    return "the next conditional order that fires is refused"


def _fund(exchange: PaperExchange, given: _Given) -> str:
    exchange.charge_funding(given["symbol"], Decimal(str(given["rate"])))
    return f"funding settled at {given['rate']:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refiltered(PaperInstrument):
    """An instrument whose orders have another step; the market's own trades keep theirs."""

    market_step: Decimal

    def quantity(self, steps: int) -> Decimal:
        return self.market_step * steps


def _filters(exchange: PaperExchange, given: _Given) -> str:
    old = exchange.instrument(given["symbol"])
    values = {one.name: getattr(old, one.name) for one in fields(PaperInstrument)}
    for name in ("step", "min_notional"):
        if given[name]:
            values[name] = Decimal(given[name])
    market_step = old.market_step if isinstance(old, _Refiltered) else old.step
    new = _Refiltered(**values, market_step=market_step)
    exchange.quotes.instruments[old.symbol] = new
    return f"step {new.step}, least value {new.min_notional}"


def _parts(exchange: PaperExchange, given: _Given) -> str:
    parts = [Part(percent=Decimal(str(one)), after_ms=ms) for one, ms in given["schedule"]]
    exchange.scripts.fill_in_parts(parts, given["symbol"])
    return f"the next order executes in {len(parts)} parts"


def _thin(exchange: PaperExchange, given: _Given) -> str:
    symbol, factor = exchange.instrument(given["symbol"]).symbol, given["liquidity"]
    exchange.scripts.set_liquidity(symbol, Decimal(str(factor)))
    return f"liquidity times {factor:g}"


def _mark(exchange: PaperExchange, given: _Given) -> str:
    symbol, percent = exchange.instrument(given["symbol"]).symbol, given["percent"]
    exchange.scripts.shift_mark(symbol, Decimal(str(percent)))
    return f"mark price {percent:g} % from the last"


def _key(exchange: PaperExchange, given: _Given) -> str:
    exchange.scripts.key = KeyPermissions(**{name: value == "yes" for name, value in given.items()})
    return ", ".join(f"{name} {value}" for name, value in given.items())


_ACTS: dict[str, Callable[[PaperExchange, _Given], str]] = {
    "external_trade": _trade, "external_close": _close, "external_cancel": _cancel,
    "liquidate": _liquidate, "adl": _deleverage, "flip_position_mode": _flip,
    "fire_conditionals": _fire, "refuse_triggered": _refuse,
    "change_leverage": _leverage, "charge_funding": _fund, "change_filters": _filters,
    "partial_fill": _parts, "slippage": _thin, "shift_mark": _mark,
    "change_key": _key,
}  # fmt: skip
