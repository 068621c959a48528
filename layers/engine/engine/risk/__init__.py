"""What may be opened at all: freshness, limits, protections, and the account's trading state."""

from engine.risk.freshness import (
    clock_skew,
    price_band,
    stale_equity,
    stale_price,
    stale_wish,
)
from engine.risk.limits import (
    Exposure,
    limit_refusal,
    order_refusal,
    position_limit,
    risk_cap,
    safe_leverage,
)
from engine.risk.protections import Candidate, protection_refusal
from engine.risk.refusal import Refusal
from engine.risk.trading_state import (
    at_equity,
    counted,
    day_of,
    judged,
    kept_since,
    released,
    resumed,
    state_refusal,
    trading_state,
)

__all__ = [
    "Candidate",
    "Exposure",
    "Refusal",
    "at_equity",
    "clock_skew",
    "counted",
    "day_of",
    "judged",
    "kept_since",
    "limit_refusal",
    "order_refusal",
    "position_limit",
    "price_band",
    "protection_refusal",
    "released",
    "resumed",
    "risk_cap",
    "safe_leverage",
    "stale_equity",
    "stale_price",
    "stale_wish",
    "state_refusal",
    "trading_state",
]
