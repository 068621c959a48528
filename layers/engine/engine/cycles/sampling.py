"""Once a minute, what the account is worth: from what the position loop knows anyway."""

from collections.abc import Mapping
from decimal import Decimal

from engine.desk import DeskState
from engine.events import Quote
from engine.records import EquitySample

MINUTE_MS, HOUR_MS = 60_000, 3_600_000


def equity_sample(
    desk: DeskState, quotes: Mapping[str, Quote], sampled_ms: int
) -> EquitySample | None:
    """A sample, if the account was read in a later minute than `sampled_ms`."""
    account = desk.account
    if account is None or account.at_ms // MINUTE_MS <= sampled_ms // MINUTE_MS:
        return None
    return EquitySample(
        at_ms=account.at_ms,
        equity=account.equity,
        free_margin=account.free_margin,
        unrealized=_unrealized(desk, quotes),
        open_positions=len(desk.positions),
        opens_hour=account.at_ms // HOUR_MS > sampled_ms // HOUR_MS,
    )


def _unrealized(desk: DeskState, quotes: Mapping[str, Quote]) -> Decimal | None:
    held = [position for position in desk.positions.values() if position.quantity]
    if any(position.key.symbol not in quotes for position in held):
        return None
    marked = (one.unrealized_pnl(quotes[one.key.symbol].price) for one in held)
    return sum(marked, Decimal(0))
