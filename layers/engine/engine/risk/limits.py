"""Limits of one order and of all that is open; a refusal is a value with its numbers."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from engine.events import Account
from engine.risk.refusal import Refusal, above
from engine.settings import Settings
from engine.values import Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What is open already, entries on their way included; notionals in quote currency.

    Seen from a new position: all, of its side, of its symbol, of its symbol and side.
    """

    notional: Decimal = Decimal(0)
    side_notional: Decimal = Decimal(0)
    symbol_notional: Decimal = Decimal(0)
    symbol_side_notional: Decimal = Decimal(0)
    positions: int = 0


def risk_cap(equity: Decimal, settings: Settings) -> Decimal:
    """Largest sum of open notionals, so that `negative_change_pct` costs the risk budget."""
    return equity * settings.risk_budget_pct / settings.negative_change_pct


def position_limit(exchange: str, settings: Settings) -> int:
    """How many positions may be open: the account's limit, and the exchange's if it has one."""
    of_exchange = {"binance": settings.max_positions_binance}
    most = settings.max_open_positions
    return min(most, of_exchange.get(exchange, most))


def order_refusal(
    *,
    notional: Decimal,
    intended: Decimal,
    instrument: Instrument,
    equity: Decimal,
    settings: Settings,
) -> Refusal | None:
    """The first limit of a single order it would break, whatever computed its size.

    They are: the largest position; a multiple of the `intended` notional; a share of the equity;
    a share of the symbol's volume of a day, if that is known.
    """
    largest, volume = settings.max_position_size, instrument.volume_24h_quote
    share_pct = settings.max_volume_share_pct
    checks = (
        (largest > 0, "max_position_size", largest),
        (True, "fat_finger", intended * settings.fat_finger_factor),
        (True, "order_share", equity * settings.max_order_equity_pct / 100),
        (share_pct > 0 and volume > 0, "volume_share", volume * share_pct / 100),
    )
    found = (above(code, "notional", notional, limit) for on, code, limit in checks if on)
    return next((refusal for refusal in found if refusal is not None), None)


def limit_refusal(
    *,
    notional: Decimal,
    margin: Decimal,
    account: Account,
    exposure: Exposure,
    settings: Settings,
    exchange: str = "",
) -> Refusal | None:
    """The first limit of the account a new position would break.

    In this order: risk budget, free margin, number of positions, exposure of symbol and side, of
    the symbol, of the side, of all.
    """
    equity = account.equity
    usable = account.free_margin * settings.margin_share_pct / 100
    most = Decimal(position_limit(exchange, settings))
    of_symbol_side = exposure.symbol_side_notional + notional
    of_symbol = exposure.symbol_notional + notional
    of_side = exposure.side_notional + notional
    of_all = exposure.notional + notional
    checks = (
        ("risk_budget", "notional", of_all, risk_cap(equity, settings)),
        ("free_margin", "margin", margin, usable),
        ("max_open_positions", "positions", Decimal(exposure.positions + 1), most),
        (
            "symbol_exposure",
            "notional",
            of_symbol_side,
            _share(equity, settings.max_symbol_exposure_pct),
        ),
        ("symbol_total", "notional", of_symbol, _share(equity, settings.max_symbol_total_pct)),
        ("side_exposure", "notional", of_side, _share(equity, settings.max_side_exposure_pct)),
        ("total_exposure", "notional", of_all, _share(equity, settings.max_total_exposure_pct)),
    )
    found = (above(*check) for check in checks)
    return next((refusal for refusal in found if refusal is not None), None)


def safe_leverage(wanted: int, stop_loss_pct: Decimal, settings: Settings) -> int | Refusal:
    """The largest leverage up to `wanted` whose liquidation lies well beyond the stop.

    At leverage L a position is gone after about 100/L percent; the stop must be nearer than
    `liquidation_share_pct` of that, strictly.
    """
    furthest = settings.liquidation_share_pct
    largest = int((furthest / stop_loss_pct).to_integral_value(ROUND_CEILING)) - 1
    if largest < 1:
        return Refusal(
            code="stop_beyond_liquidation",
            numbers={"stop_loss_pct": stop_loss_pct, "limit_pct": furthest},
        )
    return min(wanted, largest)


def _share(equity: Decimal, percent: Decimal) -> Decimal:
    return equity * percent / 100
