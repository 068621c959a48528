"""The numbers a slot is decided on: what they are called, their unit, and how they are compared."""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple


class Quantity(IntEnum):
    """What `found` and `needed` of a reason count."""

    ENABLED = 0
    HISTORY = 1
    MINUTES = 2
    LIVELINESS = 3
    DEVIATION = 4
    DISTANCE = 5
    STEP = 6
    WAY = 7
    RUN_BEFORE = 8
    RUN = 9
    LASTED = 10
    OPPOSITE = 11
    REAL = 12
    CHANGE = 13
    ACTIVE = 14
    LAST_ACTIVE = 15
    SINCE_SAMPLE = 16
    AWAY = 17
    GOES_ON = 18
    VOLATILITY = 19
    MOST_VOLATILITY = 20
    MOMENTUM = 21
    DECLINE = 22
    ACTIVITY = 23
    PROGRESSIVE = 24
    PROGRESSION = 25
    SIDE = 26
    DRAWDOWN = 27
    MARKET_CHANGE = 28
    LAST_PART = 29
    DISAGREEMENT = 30
    REST = 31
    CONFLUENCE = 32
    STRENGTH = 33


class Wording(NamedTuple):
    """How a quantity is told: its name, unit, and how what was found relates to what is needed."""

    name: str
    unit: str
    relation: str = "at least"


WORDINGS: Mapping[Quantity, Wording] = {
    Quantity.ENABLED: Wording("the type being switched on", ""),
    Quantity.HISTORY: Wording("known prices in a row", ""),
    Quantity.MINUTES: Wording("minutes of history", "min"),
    Quantity.LIVELINESS: Wording("mean change of a candle", "%"),
    Quantity.DEVIATION: Wording("deviation of the candles' changes", "%"),
    Quantity.DISTANCE: Wording("change over the market's window", "%"),
    Quantity.STEP: Wording("distance from the last step", "steps"),
    Quantity.WAY: Wording("steps of this candle its way", ""),
    Quantity.RUN_BEFORE: Wording("run before the turn", "steps"),
    Quantity.RUN: Wording("run of steps its way", "steps"),
    Quantity.LASTED: Wording("time the run took", "s", "at most"),
    Quantity.OPPOSITE: Wording("candles against it", "", "at most"),
    Quantity.REAL: Wording("candles that moved", "%"),
    Quantity.CHANGE: Wording("change its way", "%"),
    Quantity.ACTIVE: Wording("active samples", "%"),
    Quantity.LAST_ACTIVE: Wording("active samples of the last part", "%"),
    Quantity.SINCE_SAMPLE: Wording("time since a sample ended", "s", "exactly"),
    Quantity.AWAY: Wording("distance from the mean its way", "%"),
    Quantity.GOES_ON: Wording("change of the last part its way", "%"),
    Quantity.VOLATILITY: Wording("volatility", "%"),
    Quantity.MOST_VOLATILITY: Wording("volatility", "%", "at most"),
    Quantity.MOMENTUM: Wording("momentum its way", "%", "more than"),
    Quantity.DECLINE: Wording("range of the window", "%", "at most"),
    Quantity.ACTIVITY: Wording("mean change a minute as trends differ", "%", "more than"),
    Quantity.PROGRESSIVE: Wording("progressive change", "%", "more than"),
    Quantity.PROGRESSION: Wording("step progression", "%", "more than"),
    Quantity.SIDE: Wording("the side to take being its own", ""),
    Quantity.DRAWDOWN: Wording("give-back from the best price", "%", "at most"),
    Quantity.MARKET_CHANGE: Wording("mean change in the normal time", "%"),
    Quantity.LAST_PART: Wording("pace of the last part", "times the whole"),
    Quantity.DISAGREEMENT: Wording("time since another type signalled the other side", "s"),
    Quantity.REST: Wording("time since its last signal", "s"),
    Quantity.CONFLUENCE: Wording("agreement at the end of a bar", "indicators"),
    Quantity.STRENGTH: Wording("strength of the indicators", ""),
}
