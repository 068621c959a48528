"""What an account's limits remember: results of closed positions, peaks, and why it rests."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.ledger import Position
from engine.values import CloseReason, Side


class TradingState(StrEnum):
    """What an account may do; exits and protection go on in each."""

    ACTIVE = "active"
    REDUCING = "reducing"  # a limit was breached: nothing new opens
    HALTED = "halted"  # an emergency: positions are flattened at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a closed position came to, in quote currency; `net` is after fees and funding."""

    position_id: str
    symbol: str
    side: Side
    reason: CloseReason | None
    closed_at_ms: int
    notional: Decimal
    net: Decimal

    @classmethod
    def of(cls, position: Position) -> "Result":
        """The result of a closed position that had an entry."""
        return cls(
            position_id=position.position_id,
            symbol=position.key.symbol,
            side=position.key.side,
            reason=position.close_reason,
            closed_at_ms=position.closed_at_ms,
            notional=(position.entry_price or Decimal(0)) * position.entry_quantity,
            net=position.net,
        )

    @property
    def net_pct(self) -> Decimal:
        """The net result in percent of what was bought or sold."""
        return self.net * 100 / self.notional if self.notional else Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restraint:
    """Why nothing new may open: which limit was breached, with its figures.

    It ends at `until_ms`, or, without one, when the operator resumes trading.
    """

    reason: str
    numbers: Mapping[str, Decimal]
    since_ms: int
    until_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRecord:
    """What the limits of an account must remember; figures in quote currency.

    `realised_today` and `consecutive_losses` follow from the results kept, which reach back to the
    UTC day before `day_ms`; `losses_before` is the run of losses at that time. Results up to
    `reset_ms`, when the operator resumed trading, count for nothing; up to `streak_ms` for no run.
    `skew_ms` is how far the venue's clock was seen ahead (behind, if negative) at `skew_at_ms`,
    zero while within what is allowed for.
    """

    day_ms: int = 0
    day_start_equity: Decimal = Decimal(0)
    equity_peak: Decimal = Decimal(0)
    realised_today: Decimal = Decimal(0)
    consecutive_losses: int = 0
    losses_before: int = 0
    streak_ms: int = 0
    reset_ms: int = 0
    state: TradingState = TradingState.ACTIVE
    restraint: Restraint | None = None
    skew_ms: int = 0
    skew_at_ms: int = 0
