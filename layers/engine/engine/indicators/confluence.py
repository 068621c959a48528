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

# A ballot is one integer: strengths long and short, signals long and short, cold, quiet. Each
# field is wide enough for the sum of all indicators, so adding ballots adds every field.
_SHORT, _LONGS, _SHORTS, _COLD, _QUIET = 20, 40, 44, 48, 52
_STRENGTH, _COUNT = (1 << 20) - 1, (1 << 4) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """(T, S, C) each: what the indicators of a configuration say together.

    `sign` is the side that leads (0 if none), `agreeing` its signals and `strong` the sum of
    their strengths in ten-thousandths; `signals` are those of both sides; `refusal` is the index
    in `REFUSALS` of the test that failed, or `SIGNAL` or `SILENT`.
    """

    sign: Ints
    agreeing: Ints
    strong: Ints
    signals: Ints
    refusal: Ints


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
    longs, shorts = ballot >> _LONGS & _COUNT, ballot >> _SHORTS & _COUNT
    sign = np.sign(long - short)
    agreeing = np.where(sign > 0, longs, shorts)
    strong, signals = np.maximum(long, short), longs + shorts
    refusal = np.where(ballot >> _QUIET > 0, 2, SIGNAL)
    least = int(settings.preset_min_strength * FULL)
    refusal[strong < least * signals] = 1
    refusal[agreeing < settings.preset_confluence] = 0
    refusal[(sign == 0) | (ballot >> _COLD & _COUNT > 0)] = SILENT
    return Verdict(sign=sign, agreeing=agreeing, strong=strong, signals=signals, refusal=refusal)


def _ballots(kind: IndicatorKind, said: Votes) -> Ints:
    """(T, S, R): the average range has no side, it only can find a market too quiet."""
    cold = (~said.warm).astype(np.int64) << _COLD
    if kind is IndicatorKind.ATR:
        quiet: Ints = cold + ((said.warm & (said.sign == 0)).astype(np.int64) << _QUIET)
        return quiet
    short = said.sign < 0
    strength = said.strength << np.where(short, _SHORT, 0)
    signal = (said.sign != 0).astype(np.int64) << np.where(short, _SHORTS, _LONGS)
    ballots: Ints = cold + strength + signal
    return ballots
