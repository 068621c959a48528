"""The filters a leg must pass: known window, active market, drawdown, market change, last part.

Change over a window is the difference of its ends over the price at its start, so that its mean
is exact, and the same in whatever pieces the candles came.

A leg is measured once. What its slots ask for differs in three figures only, so a leg passes a
filter for the most lenient slots up to some level, and legs with equal levels have equal verdicts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.indications.legs import FACTS, Legs, Samples
from engine.indications.slots import KINDS, SlotTable
from engine.indications.windows import hundredths
from engine.market import Ints
from engine.settings import Settings
from engine.values import IndicationType

Floats = NDArray[np.float64]

_SCALE = 10_000


class Verdict(IntEnum):
    """What became of a slot on a candle; the first that applies, in this order."""

    SIGNAL = 0
    DISABLED = 1
    WARMING = 2
    INACTIVE = 3
    NO_LEG = 4
    DRAWDOWN = 5
    MARKET_CHANGE = 6
    LAST_PART = 7
    DISAGREEMENT = 8
    VALIDATION = 9


TESTS = (
    Verdict.WARMING,
    Verdict.INACTIVE,
    Verdict.NO_LEG,  # too few active samples,
    Verdict.NO_LEG,  # or too few of the last ones
    Verdict.DRAWDOWN,
    Verdict.MARKET_CHANGE,
    Verdict.LAST_PART,
)
"""What a leg fails at if it is not known, in a sleeping market, or below a level, in this order."""

REFUSALS: Mapping[Verdict, str] = {
    each: f"refused_{each.name.lower()}"
    for each in Verdict
    if each not in (Verdict.SIGNAL, Verdict.DISABLED, Verdict.NO_LEG)
}
"""Names under which candidates that became no signal are counted."""

_OWN_KINDS = [KINDS.index(IndicationType.ACTIVE_ADVANCED), KINDS.index(IndicationType.AUTO)]
"""They test windows of their own, not the common filters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the filters saw of each leg.

    `samples` is the window in candles, `last` its last part; `change` and `last_change` are over
    them, in signal direction, in ticks; `base` is the price at its start; `price` the close.
    `given_back` of `reach` ticks were lost since the best price.
    """

    known: NDArray[np.bool_]
    active: NDArray[np.bool_]
    samples: Ints
    last: Ints
    base: Ints
    price: Ints
    change: Ints
    last_change: Ints
    given_back: Ints
    reach: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """What each slot asks for, (J,): shares in ten-thousandths, index of the market change.

    Active by activity asks for shares of samples, too, in percent; all others for none. `places`
    (J, F) are those of what a slot asks for among `values`, the different ones of each filter from
    the mildest on; -1 for slots that have no such filter.
    """

    active_pct: Ints
    last_active_pct: Ints
    drawdown: Ints
    market_change: Ints
    last_part: Ints
    values: tuple[Ints, ...]
    places: Ints


def market_change_factor(index: int) -> Decimal:
    """Position costs a leg must move in the normal time: 0.1 + (index - 1) * 0.1556."""
    return Decimal("0.1") + (index - 1) * Decimal("0.1556")


def asked_of(table: SlotTable, settings: Settings) -> Asked:
    """A slot that names no figure asks for that of the settings."""
    drawdown, last = (
        hundredths(100 * each) for each in (settings.drawdown_ratio, settings.last_part_ratio)
    )
    return _asked(table, drawdown, settings.market_change_range, last)


@lru_cache(maxsize=8)
def _asked(table: SlotTable, drawdown: int, index: int, last: int) -> Asked:
    def own(name: str, scale: int, otherwise: int) -> Ints:
        values = table.tuning[name]
        return np.where(values > 0, values * scale, otherwise)

    counted = table.kind == KINDS.index(IndicationType.ACTIVITY)
    asked = {
        "active_pct": np.where(counted, table.tuning["activity_pct"], 0),
        "last_active_pct": np.where(counted, table.tuning["last_activity_pct"], 0),
        "drawdown": own("drawdown_pct", 100, drawdown),
        "market_change": own("market_change", 1, index),
        "last_part": own("last_part_pct", 100, last),
    }
    values, places = [], []
    for name, column in asked.items():
        milder = -1 if name == "drawdown" else 1  # of that, more is milder
        different, place = np.unique(milder * column, return_inverse=True)
        values.append(milder * different)
        places.append(place.reshape(-1))
    ranks = np.stack(places, 1)
    ranks[np.isin(table.kind, _OWN_KINDS)] = -1
    return Asked(**asked, values=tuple(values), places=ranks)


def measure(
    legs: Legs,
    samples: Samples,
    active: NDArray[np.bool_],
    table: SlotTable,
    settings: Settings,
) -> Measured:
    """Look at every leg over its duration; `active` (T, S) is what the gate says.

    The window is at least `minCalculationTime` and at most `maxCalculationTime`. One that reaches
    before the first sample, or over candles that are missing, is not known.
    """
    count = _window(legs, samples, settings)
    last = last_part(count, settings)
    begin, tail = np.maximum(legs.row - count, 0), np.maximum(legs.row - last, 0)
    known = legs.row >= count
    price = samples.close[legs.row, legs.symbol]
    base = samples.close[begin, legs.symbol]
    lasted = samples.at_ms[legs.row] - samples.at_ms[begin]
    known &= (base > 0) & (lasted == count * samples.span_ms)
    own = np.isin(table.group_kind[legs.group], _OWN_KINDS)
    return Measured(
        known=known | own,
        active=active[legs.row - samples.remembered, legs.symbol],
        samples=count,
        last=last,
        base=base,
        price=price,
        change=legs.sign * (price - base),
        last_change=legs.sign * (price - samples.close[tail, legs.symbol]),
        given_back=legs.sign * (legs.best - price),
        reach=legs.sign * (legs.best - legs.start),
    )


def last_part(count: Ints, settings: Settings) -> Ints:
    """Samples of the last part of windows: `lastPartRatio` of them, rounded down, at least 1."""
    share = hundredths(100 * settings.last_part_share)
    part: Ints = np.maximum(1, count * share // _SCALE)
    return part


def needed_change(index: Ints, base: Ints, lasted_ms: Ints, settings: Settings) -> Floats:
    """Least change in ticks that the market change `index` asks from `base` in `lasted_ms`.

    The market change factor times the position cost, in `marketChangeNormSeconds`.
    """
    whole = 100 * settings.market_change_norm_s * 1000
    costs = np.array([_per_ms(int(each), settings.position_cost_pct, whole) for each in index])
    needed: Floats = base * lasted_ms * costs
    return needed


@lru_cache(maxsize=64)
def _per_ms(index: int, cost_pct: Decimal, whole: int) -> float:
    return float(market_change_factor(index) * cost_pct / whole)


def decide(
    legs: Legs,
    measured: Measured,
    table: SlotTable,
    asked: Asked,
    span_ms: int,
    settings: Settings,
) -> tuple[Ints, Ints, dict[Verdict, int]]:
    """Legs and slots that passed all filters, pair by pair; and how often each filter refused."""
    level, rank = levels(legs, measured, asked, span_ms, settings), asked.places
    flags = np.stack([measured.known, measured.active], 1)
    alike = np.column_stack([legs.group, flags, level])
    first, which, times = _distinct(alike)
    count = np.diff(table.begin)[legs.group[first]]
    rep, place = stretches(count)
    slot = table.members[table.begin[legs.group[first]][rep] + place]
    passed = np.column_stack([flags[first][rep], rank[slot] < level[first][rep]])
    failed = np.argmin(passed, axis=1)
    verdict = np.where(passed.all(axis=1), Verdict.SIGNAL, np.array(TESTS)[failed])
    refused = {each: int(times[rep[verdict == each]].sum()) for each in TESTS if each in REFUSALS}
    chosen = np.flatnonzero(verdict == Verdict.SIGNAL)
    pair, place = stretches(times[rep[chosen]])
    begin = np.cumsum(times) - times
    leg = np.argsort(which, kind="stable")[begin[rep[chosen]][pair] + place]
    return leg, slot[chosen][pair], refused


def stretches(lengths: Ints) -> tuple[Ints, Ints]:
    """For stretches one after another: the stretch of every element, and its place in it."""
    which = np.repeat(np.arange(len(lengths)), lengths)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def levels(legs: Legs, measured: Measured, asked: Asked, span_ms: int, settings: Settings) -> Ints:
    """(L, F) levels of the legs: a slot's filter is passed if its place is below the level.

    active samples: at least the shares asked for; drawdown: (best - now) / (best - start) at
    most the drawdown ratio; market change: the change at least what the index asks; last part:
    its mean change at least the factor times that of all samples, which must be positive.
    """
    shares, ends, drawdowns, indices, factors = asked.values
    active, last_active = (legs.facts[:, FACTS.index(n), None] for n in ("active", "last_active"))
    back, reach = measured.given_back[:, None], measured.reach[:, None]
    lasted_ms = measured.samples * span_ms
    needed = needed_change(indices, measured.base[:, None], lasted_ms[:, None], settings)
    pace = (measured.last_change * measured.samples * _SCALE)[:, None]
    whole = (measured.change * measured.last)[:, None]
    passed = (
        active >= shares,
        last_active >= ends,
        (reach > 0) & (back * _SCALE <= drawdowns * reach),
        measured.change[:, None] >= needed,
        (measured.change > 0)[:, None] & (pace >= whole * factors),
    )
    return np.stack([each.sum(axis=1) for each in passed], 1)


def _distinct(rows: Ints) -> tuple[Ints, Ints, Ints]:
    """Of equal rows: where the first is, which of those each row equals, how many there are."""
    sizes = rows.max(axis=0, initial=0) + 1
    code = np.zeros(len(rows), np.int64)
    for column, size in zip(rows.T, sizes, strict=True):
        code = code * size + column
    _, first, which, times = np.unique(
        code, return_index=True, return_inverse=True, return_counts=True
    )
    return first, which.reshape(-1), times


def _window(legs: Legs, samples: Samples, settings: Settings) -> Ints:
    """Samples of each leg: its duration, within the shortest and longest window."""
    shortest = samples.count(settings.min_calculation_s)
    longest = max(shortest, samples.count(settings.max_calculation_s))
    lasted = (samples.at_ms[legs.row] - legs.start_ms) // samples.span_ms
    window: Ints = np.clip(lasted, shortest, longest)
    return window
