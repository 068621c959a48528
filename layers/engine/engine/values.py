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


class TradeMode(StrEnum):
    """Which of the two engines of a connection traded."""

    MAIN = "main"
    PRESET = "preset"


class IndicationType(StrEnum):
    """Which rule produced a signal."""

    DIRECTION = "direction"
    MOVE = "move"
    ACTIVE = "active"
    ACTIVITY = "activity"
    OPTIMAL = "optimal"
    ACTIVE_ADVANCED = "active_advanced"
    AUTO = "auto"
    PRESET = "preset"
    EXTERNAL = "external"  # no rule of ours: a position found on the venue and adopted

    @property
    def mode(self) -> TradeMode:
        """Common indicators trade in preset mode, all others in main mode."""
        return TradeMode.PRESET if self is IndicationType.PRESET else TradeMode.MAIN


RULES: tuple[IndicationType, ...] = tuple(
    each for each in IndicationType if each is not IndicationType.EXTERNAL
)
"""The types that signal."""


class CloseReason(StrEnum):
    """Why a position ended."""

    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    TRAILING_STOP = "trailing_stop"
    TIMEOUT = "timeout"
    STRATEGY_EXIT = "strategy_exit"  # an opposite signal of the same kind
    PROFIT_BACK = "profit_back"
    MANUAL = "manual"
    LIQUIDATED = "liquidated"
    EMERGENCY = "emergency"  # it could not be protected, or was filled after it was given up
    RECONCILE_MISSING = "reconcile_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What can be traded, and in which steps.

    `symbol` is base and quote joined (`BTCUSDT`). Prices are multiples of `price_tick` in quote
    currency, quantities multiples of `quantity_step` in base units, `min_notional` is in quote.
    With `is_spot` the base itself is bought and sold: there is no short side and no leverage, and
    whatever waits to be sold is locked. `max_stops` is how many orders of the symbol may wait for
    their trigger price at once, 0 where that is never reached.
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
    is_spot: bool = False
    max_stops: int = 0

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

    `trail_start_pct` and `trail_stop_pct` are both zero without trailing. With `trailing_only` the
    target never closes, it only names the stop's distance. `ladder` adds to a losing position in
    steps (DCA); `profit_back` takes part of it off when it comes back from a loss.
    """

    take_profit_pct: Decimal
    stop_loss_pct: Decimal
    trail_start_pct: Decimal = Decimal(0)
    trail_stop_pct: Decimal = Decimal(0)
    trailing_only: bool = False
    ladder: bool = False
    profit_back: bool = False

    @property
    def is_trailing(self) -> bool:
        return self.trail_stop_pct > 0

    @property
    def flags(self) -> tuple[str, ...]:
        """Names of what is on; `Exits(..., **dict.fromkeys(flags, True))` undoes it."""
        return tuple(name for name in _FLAGS if getattr(self, name))

    @property
    def text(self) -> str:
        """The short key's part: stop, target and trailing, whatever is done in between."""
        return (
            f"{plain(self.take_profit_pct)}|{plain(self.stop_loss_pct)}|"
            f"{plain(self.trail_start_pct)}/{plain(self.trail_stop_pct)}"
        )


_FLAGS = ("trailing_only", "ladder", "profit_back")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What an indication is tried with beside its parameter; 0 or empty where it has none.

    Attributes
    ----------
    window_min : window of Active-Advanced and Auto, minutes.
    activity_pct, last_activity_pct : shares of samples that must be active, of Active by activity.
    drawdown_pct : give-back allowed from a leg's best price, % of the leg.
    market_change : index of the average change needed, 1 to 10.
    last_part_pct : pace of the last part, % of the leg's.
    preset : text of a configuration of common indicators.
    """

    window_min: int = 0
    activity_pct: int = 0
    last_activity_pct: int = 0
    drawdown_pct: int = 0
    market_change: int = 0
    last_part_pct: int = 0
    preset: str = ""

    @property
    def text(self) -> str:
        """Every part that is set, such as `d30 m3 p150`."""
        parts = [f"{mark}{getattr(self, name)}" for mark, name in _MARKS if getattr(self, name)]
        return " ".join(parts)

    @staticmethod
    def of(text: str) -> "Variant":
        """The variant of a `text`."""
        names = dict(_MARKS)
        values = {names[part[0]]: part[1:] for part in text.split()}
        preset = values.pop("preset", "")
        return Variant(preset=preset, **{name: int(value) for name, value in values.items()})


PLAIN = Variant()
"""No more than the parameter."""

_MARKS = (
    ("w", "window_min"),
    ("a", "activity_pct"),
    ("l", "last_activity_pct"),
    ("d", "drawdown_pct"),
    ("m", "market_change"),
    ("p", "last_part_pct"),
    ("c", "preset"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetKey:
    """Identity of a configuration Set; statistics are kept per full key.

    `parameter` is the range N of Direction, Move and Optimal in steps, the threshold of Active
    in hundredths of a percent, the activity range of Active by activity (1 to 10), the activity
    ratio of Active-Advanced and Auto in hundredths of a percent, 0 of a preset.
    """

    symbol: str
    indication: IndicationType
    parameter: int
    side: Side
    exits: Exits
    variant: Variant = PLAIN

    @property
    def text(self) -> str:
        tried = f"{self.parameter} {self.variant.text}".rstrip()
        ends = "+".join((self.exits.text, *self.exits.flags))
        return f"{self.symbol}|{self.indication}|{tried}|{self.side}|{ends}"

    @property
    def short_text(self) -> str:
        """The key at most one open position may hold: what is tried, without how it is tuned."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An opposite signal of the same kind: positions of `side` it opened for are to be closed.

    `side` is that of the positions, `at_ms` the close time of the candle that signalled.
    """

    symbol: str
    indication: IndicationType
    parameter: int
    side: Side
    at_ms: int
    variant: Variant = PLAIN

    @property
    def turn_id(self) -> str:
        tried = f"{self.parameter} {self.variant.text}".rstrip()
        return f"{self.at_ms:013d}|turn|{self.symbol}|{self.indication}|{tried}|{self.side}"


def plain(number: Decimal) -> str:
    """The shortest text of a decimal, without an exponent: `0.30` and `0.3` are one key."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
