"""Where indicators agree: an entry needs enough of them on one side, and strong enough."""

from dataclasses import dataclass

import numpy as np

from engine.indicators.configurations import IndicatorKind
from engine.indicators.panel import Rules
from engine.indicators.votes import FULL, Votes
from engine.market import Ints
from engine.settings import Settings

REFUSALS = ("refused_confluence", "refused_strength", "refused_volatility")
"""Why a side that led became no signal, in the order of the tests."""

SIGNAL, SILENT = -1, -2
"""In place of a refusal: all tests passed; no side led, or an indicator still warms up."""

# A ballot is one integer: strengths long and short, who is long and short, how many are cold,
# quiet. No field of a sum of ballots runs over: a sum of ballots holds the sum of every field.
_SHORT, _LONGS, _SHORTS, _COLD, _QUIET = 20, 40, 48, 56, 60
_STRENGTH, _WHO, _COUNT = (1 << 20) - 1, (1 << 8) - 1, (1 << 4) - 1

_KINDS = list(IndicatorKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """(T, S, C) each: what the indicators of a configuration say together.

    `sign` is the side that leads (0 if none), `agreeing` its signals and `strong` the sum of
    their strengths in ten-thousandths. `longs` and `shorts` are the indicators that gave signals,
    a bit for each by its place in `IndicatorKind`. `refusal` is the index in `REFUSALS` of the
    test that failed, or `SIGNAL` or `SILENT`.
    """

    sign: Ints
    agreeing: Ints
    strong: Ints
    longs: Ints
    shorts: Ints
    refusal: Ints

    @property
    def signals(self) -> Ints:
        """Signals of both sides."""
        return _count(self.longs | self.shorts)


def decide(spoken: list[tuple[Rules, Votes]], settings: Settings) -> Verdict:
    """Weigh the votes of each configuration.

    The side with the larger sum of strengths leads, none if they are equal. It needs at least
    `presetConfluence` signals, and strengths that make up `presetMinStrength` of the number of
    all signals of both sides. A configuration is silent until all its indicators are warm.
    """
    first, votes = spoken[0]
    ballot = np.zeros((*votes.sign.shape[:2], len(first.of)), np.int64)
    for rules, said in spoken:
        ballot += np.take(_ballots(rules.kind, said), rules.of, axis=-1)
    long, short = ballot & _STRENGTH, ballot >> _SHORT & _STRENGTH
    longs, shorts = ballot >> _LONGS & _WHO, ballot >> _SHORTS & _WHO
    sign = np.sign(long - short)
    agreeing = _count(np.where(sign > 0, longs, shorts))
    strong = np.maximum(long, short)
    refusal = np.where(ballot >> _QUIET > 0, 2, SIGNAL)
    least = int(settings.preset_min_strength * FULL)
    refusal[strong < least * _count(longs | shorts)] = 1
    refusal[agreeing < settings.preset_confluence] = 0
    refusal[(sign == 0) | (ballot >> _COLD & _COUNT > 0)] = SILENT
    return Verdict(
        sign=sign, agreeing=agreeing, strong=strong, longs=longs, shorts=shorts, refusal=refusal
    )


def _ballots(kind: IndicatorKind, said: Votes) -> Ints:
    """(T, S, R): the average range has no side, it only can find a market too quiet."""
    cold = (~said.warm).astype(np.int64) << _COLD
    if kind is IndicatorKind.ATR:
        quiet: Ints = cold + ((said.warm & (said.sign == 0)).astype(np.int64) << _QUIET)
        return quiet
    short = said.sign < 0
    strength = said.strength << np.where(short, _SHORT, 0)
    mine = _KINDS.index(kind)
    signal = (said.sign != 0).astype(np.int64) << np.where(short, _SHORTS + mine, _LONGS + mine)
    ballots: Ints = cold + strength + signal
    return ballots


def _count(indicators: Ints) -> Ints:
    return np.bitwise_count(indicators).astype(np.int64)
