"""Statistics over positions: every figure is a sum over fills."""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from engine.ledger import Position
from engine.values import Side

_CENT = Decimal("0.01")


def stats(live: Iterable[Position], closed: Iterable[Position]) -> dict[str, Any]:
    """Figures of all positions; a win is a closed one with a positive result after all costs."""
    ended = [position for position in closed if position.entry_quantity]
    active = list(live)
    results = [position.net for position in ended]
    wins = [one for one in results if one > 0]
    losses = [one for one in results if one < 0]
    everything = [*active, *ended]
    return {
        "total_positions": len(everything),
        "active_positions": len(active),
        "closed_positions": len(ended),
        "total_pnl": sum((position.net for position in everything), Decimal(0)),
        "total_fees": sum((position.fees for position in everything), Decimal(0)),
        "total_funding": sum((position.funding for position in everything), Decimal(0)),
        "win_rate": _share(len(wins), len(ended)),
        "avg_profit": _mean(wins),
        "avg_loss": _mean(losses),
        "profit_factor": _profit_factor(wins, losses),
        "long": _side(ended, Side.LONG),
        "short": _side(ended, Side.SHORT),
        "close_reasons": dict(Counter(str(position.close_reason or "") for position in ended)),
    }


def _profit_factor(wins: Sequence[Decimal], losses: Sequence[Decimal]) -> Decimal | None:
    lost = -sum(losses, Decimal(0))
    return (sum(wins, Decimal(0)) / lost).quantize(_CENT) if lost else None


def _side(ended: Sequence[Position], side: Side) -> dict[str, Any]:
    results = [position.net for position in ended if position.key.side is side]
    wins = sum(1 for one in results if one > 0)
    return {
        "closed_positions": len(results),
        "wins": wins,
        "total_pnl": sum(results, Decimal(0)),
        "win_rate": _share(wins, len(results)),
    }


def _share(part: int, whole: int) -> Decimal | None:
    """In percent."""
    return (Decimal(100 * part) / whole).quantize(_CENT) if whole else None


def _mean(values: Sequence[Decimal]) -> Decimal | None:
    return sum(values, Decimal(0)) / len(values) if values else None
