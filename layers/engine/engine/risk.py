"""Limits of the account: what may be opened at all. A refusal is a value with its numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from engine.events import Account, Quote
from engine.settings import Settings

MARGIN_SHARE = Decimal("0.95")  # of the free margin; the rest pays fees and a moving price
LIQUIDATION_SHARE = Decimal("0.8")  # a stop must lie within this share of the way to liquidation


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why something was not done: a reason code and the figures behind it."""

    code: str
    numbers: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def texts(self) -> dict[str, str]:
        """The numbers as they are stored and shown."""
        return {name: f"{number:f}" for name, number in self.numbers.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What is open already, entries on their way included; notionals in quote currency."""

    notional: Decimal = Decimal(0)
    symbol_side_notional: Decimal = Decimal(0)
    positions: int = 0


def risk_cap(equity: Decimal, settings: Settings) -> Decimal:
    """Largest sum of open notionals, so that `negative_change_pct` costs the risk budget."""
    return equity * settings.risk_budget_pct / settings.negative_change_pct


def limit_refusal(
    *,
    notional: Decimal,
    margin: Decimal,
    account: Account,
    exposure: Exposure,
    settings: Settings,
) -> Refusal | None:
    """The first limit a new position would break: budget, margin, count, symbol exposure."""
    cap = risk_cap(account.equity, settings)
    together = exposure.notional + notional
    if together > cap:
        return Refusal(code="risk_budget", numbers={"notional": together, "cap": cap})
    usable = account.free_margin * MARGIN_SHARE
    if margin > usable:
        return Refusal(code="free_margin", numbers={"margin": margin, "usable": usable})
    if exposure.positions >= settings.max_open_positions:
        return Refusal(
            code="max_open_positions",
            numbers={
                "open": Decimal(exposure.positions),
                "limit": Decimal(settings.max_open_positions),
            },
        )
    cap = account.equity * settings.max_symbol_exposure_pct / 100
    together = exposure.symbol_side_notional + notional
    if together > cap:
        return Refusal(code="symbol_exposure", numbers={"notional": together, "cap": cap})
    return None


def safe_leverage(wanted: int, stop_loss_pct: Decimal) -> int | Refusal:
    """The largest leverage up to `wanted` whose liquidation lies well beyond the stop.

    At leverage L a position is gone after about 100/L percent; the stop must be nearer than 0.8 of
    that, strictly.
    """
    furthest = LIQUIDATION_SHARE * 100
    largest = int((furthest / stop_loss_pct).to_integral_value(ROUND_CEILING)) - 1
    if largest < 1:
        return Refusal(
            code="stop_beyond_liquidation",
            numbers={"stop_loss_pct": stop_loss_pct, "limit_pct": furthest},
        )
    return min(wanted, largest)


def stale_equity(account: Account | None, now_ms: int, settings: Settings) -> Refusal | None:
    """An unknown or old equity opens nothing."""
    if account is None:
        return Refusal(code="equity_unknown")
    return _stale("equity_stale", now_ms - account.at_ms, settings.stale_equity_ms)


def stale_price(quote: Quote | None, now_ms: int, settings: Settings) -> Refusal | None:
    """An unknown or old price opens and closes nothing; age is that of the proof of life."""
    if quote is None:
        return Refusal(code="price_unknown")
    return _stale("price_stale", now_ms - quote.seen_ms, settings.stale_price_ms)


def stale_wish(created_at_ms: int, now_ms: int, settings: Settings) -> Refusal | None:
    """A wish is refused once it is older than the limit."""
    return _stale("wish_stale", now_ms - created_at_ms, settings.wish_max_age_ms)


def _stale(code: str, age_ms: int, limit_ms: int) -> Refusal | None:
    if age_ms <= limit_ms:
        return None
    numbers = {"age_ms": Decimal(age_ms), "limit_ms": Decimal(limit_ms)}
    return Refusal(code=code, numbers=numbers)
