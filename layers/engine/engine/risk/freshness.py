"""What is decided on must be fresh, of one time, and still near what the signal saw."""

from decimal import Decimal

from engine.events import Account, Quote
from engine.risk.refusal import Refusal
from engine.risk_record import RiskRecord
from engine.settings import Settings

SKEW_KEPT_MS = 600_000
"""A clock difference seen in an execution counts this long; then an entry may test it again."""


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


def clock_skew(quote: Quote, record: RiskRecord, now_ms: int, settings: Settings) -> Refusal | None:
    """A venue whose clock and ours differ by more than is allowed for opens nothing.

    A price from the future shows a venue ahead; whether it lags behind only executions tell, which
    cannot be older than their order.
    """
    skew_ms = quote.event_ms - now_ms
    if skew_ms <= settings.clock_skew_ms:
        skew_ms = record.skew_ms if now_ms - record.skew_at_ms < SKEW_KEPT_MS else 0
    if abs(skew_ms) <= settings.clock_skew_ms:
        return None
    numbers = {"ahead_ms": Decimal(skew_ms), "limit_ms": Decimal(settings.clock_skew_ms)}
    return Refusal(code="clock_skew", numbers=numbers)


def price_band(signal: Decimal, price: Decimal, settings: Settings) -> Refusal | None:
    """A price that left the signal's by more than the limit, either way, is another market."""
    limit_pct = settings.max_price_deviation_pct
    if signal <= 0:
        return Refusal(code="price_band", numbers={"signal": signal, "price": price})
    away_pct = abs(price - signal) * 100 / signal
    if away_pct <= limit_pct:
        return None
    numbers = {"signal": signal, "price": price, "away_pct": away_pct, "limit_pct": limit_pct}
    return Refusal(code="price_band", numbers=numbers)


def _stale(code: str, age_ms: int, limit_ms: int) -> Refusal | None:
    if age_ms <= limit_ms:
        return None
    numbers = {"age_ms": Decimal(age_ms), "limit_ms": Decimal(limit_ms)}
    return Refusal(code=code, numbers=numbers)
