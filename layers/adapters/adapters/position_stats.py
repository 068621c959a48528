"""Statistics over positions: every figure is a sum over fills."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from adapters.closed_sums import Sums, Totals
from adapters.tables import PositionRow
from engine.values import Side

_CENT = Decimal("0.01")
LIVE_NEEDED = ("realized_pnl", "fees", "funding")


def stats(live: Iterable[PositionRow], closed: Sums) -> dict[str, Any]:
    """Figures of all positions; a win is a closed one with a positive result after all costs.

    Of the live rows `LIVE_NEEDED` is read.
    """
    count, pnl, fees, funding = 0, Decimal(0), Decimal(0), Decimal(0)
    for row in live:
        count += 1
        pnl += row.realized_pnl
        fees += row.fees
        funding += row.funding or 0
    ended = Totals()
    for totals in closed.sides.values():
        ended.add(totals)
    return {
        "total_positions": count + ended.closed,
        "active_positions": count,
        "closed_positions": ended.closed,
        "total_pnl": pnl - fees + funding + ended.net,
        "total_fees": fees + ended.fees,
        "total_funding": funding + ended.funding,
        "win_rate": _share(ended.wins, ended.closed),
        "avg_profit": ended.won / ended.wins if ended.wins else None,
        "avg_loss": ended.lost / ended.losses if ended.losses else None,
        "profit_factor": (ended.won / -ended.lost).quantize(_CENT) if ended.lost else None,
        "long": _side(closed.sides[Side.LONG]),
        "short": _side(closed.sides[Side.SHORT]),
        "close_reasons": dict(closed.reasons),
    }


def _side(totals: Totals) -> dict[str, Any]:
    return {
        "closed_positions": totals.closed,
        "wins": totals.wins,
        "total_pnl": totals.net,
        "win_rate": _share(totals.wins, totals.closed),
    }


def _share(part: int, whole: int) -> Decimal | None:
    """In percent."""
    return (Decimal(100 * part) / whole).quantize(_CENT) if whole else None
