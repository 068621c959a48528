"""The words of the domain as immutable values."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from enum import StrEnum


class OrderSide(StrEnum):
    """What an order does on the venue."""

    BUY = "BUY"
    SELL = "SELL"


class Side(StrEnum):
    """Which way a position earns."""

    LONG = "LONG"
    SHORT = "SHORT"

    @property
    def sign(self) -> int:
        """+1 for LONG, -1 for SHORT: one formula serves both."""
        return 1 if self is Side.LONG else -1

    @property
    def opposite(self) -> "Side":
        return Side.SHORT if self is Side.LONG else Side.LONG

    @property
    def entry(self) -> OrderSide:
        return OrderSide.BUY if self is Side.LONG else OrderSide.SELL

    @property
    def exit(self) -> OrderSide:
        return OrderSide.SELL if self is Side.LONG else OrderSide.BUY


class Loop(StrEnum):
    """The two loops of a connection; a lease row is keyed `connection#loop`."""

    TRADE = "trade"
    POSITION = "position"


class IndicationType(StrEnum):
    """Which rule produced a signal."""

    DIRECTION = "direction"
    MOVE = "move"
    ACTIVE = "active"


class CloseReason(StrEnum):
    """Why a position ended."""

    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    TRAILING_STOP = "trailing_stop"
    MANUAL = "manual"
    LIQUIDATED = "liquidated"
    EMERGENCY = "emergency"  # it could not be protected, or was filled after it was given up
    RECONCILE_MISSING = "reconcile_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What can be traded, and in which steps.

    `symbol` is base and quote joined (`BTCUSDT`). Prices are multiples of `price_tick` in quote
    currency, quantities multiples of `quantity_step` in base units, `min_notional` is in quote.
    """

    symbol: str
    base: str
    quote: str
    price_tick: Decimal
    quantity_step: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    min_notional: Decimal
    max_leverage: int
    volume_24h_quote: Decimal = Decimal(0)

    def to_ticks(self, price: Decimal) -> int:
        """Integer ticks nearest to `price`."""
        return int((price / self.price_tick).to_integral_value(ROUND_HALF_EVEN))

    def to_price(self, ticks: int) -> Decimal:
        return self.price_tick * int(ticks)

    def floor_quantity(self, quantity: Decimal) -> Decimal:
        """`quantity` rounded down to the step."""
        steps = (quantity / self.quantity_step).to_integral_value(ROUND_DOWN)
        return steps * self.quantity_step


@dataclass(frozen=True, slots=True, kw_only=True)
class Exits:
    """How a position ends, as configured: percentages of price, on the favourable or adverse side.

    `trail_start_pct` and `trail_stop_pct` are both zero without trailing.
    """

    take_profit_pct: Decimal
    stop_loss_pct: Decimal
    trail_start_pct: Decimal = Decimal(0)
    trail_stop_pct: Decimal = Decimal(0)

    @property
    def is_trailing(self) -> bool:
        return self.trail_stop_pct > 0

    @property
    def text(self) -> str:
        return (
            f"{plain(self.take_profit_pct)}|{plain(self.stop_loss_pct)}|"
            f"{plain(self.trail_start_pct)}/{plain(self.trail_stop_pct)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SetKey:
    """Identity of a configuration Set; statistics are kept per full key.

    `parameter` is the range N of Direction and Move in steps, or the threshold of Active in
    hundredths of a percent.
    """

    symbol: str
    indication: IndicationType
    parameter: int
    side: Side
    exits: Exits

    @property
    def text(self) -> str:
        return f"{self.symbol}|{self.indication}|{self.parameter}|{self.side}|{self.exits.text}"

    @property
    def short_text(self) -> str:
        """The key at most one open position may hold: the full key without its parameter."""
        return f"{self.symbol}|{self.indication}|{self.side}|{self.exits.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A proven Real Set opened on paper and asks for the same on the exchange.

    `entry_close_ms` is the close time of the candle it was decided on, `price` that candle's
    close, `size_ratio` the adjust ratio of its strategies (1 without). Carries no volume.
    """

    key: SetKey
    entry_close_ms: int
    price: Decimal
    size_ratio: Decimal = Decimal(1)

    @property
    def wish_id(self) -> str:
        return f"{self.entry_close_ms:013d}|{self.key.text}"


def plain(number: Decimal) -> str:
    """The shortest text of a decimal, without an exponent: `0.30` and `0.3` are one key."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
