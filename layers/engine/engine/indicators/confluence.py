"""Where indicators agree: an entry needs enough of them on one side, and strong enough."""

from dataclasses import dataclass

import numpy as np

from engine.indicators.bars import Bools
from engine.indicators.configurations import IndicatorKind
from engine.indicators.panel import Rules
from engine.indicators.votes import FULL, Votes
from engine.market import Ints
from engine.settings import Settings

REFUSALS = ("refused_confluence", "refused_strength", "refused_volatility")
"""Why a side that led became no signal, in the order of the tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """(T, S, C) each: what the indicators of a configuration say together.

    `sign` is the side that leads (0 if none), `agreeing` its signals, `strength` their strengths
    over the number of all signals in ten-thousandths, rounded down; `refusal` the index in
    `REFUSALS` of the test that failed, -1 if all passed, -2 without a side or while warming up.
    """

    sign: Ints
    agreeing: Ints
    strength: Ints
    refusal: Ints


def decide(spoken: list[tuple[Rules, Votes]], settings: Settings) -> Verdict:
    """Weigh the votes of each configuration.

    The side with the larger sum of strengths leads, none if they are equal. It needs at least
    `presetConfluence` signals, and strengths that make up `presetMinStrength` of the number of
    all signals of both sides. A configuration is silent until all its indicators are warm.
    """
    sums = [_Sum.of(rules, said) for rules, said in spoken if rules.kind is not IndicatorKind.ATR]
    total = _Sum.joined(sums)
    sign = np.sign(total.strong[0] - total.strong[1])
    agreeing = np.where(sign > 0, total.signals[0], total.signals[1])
    strong = np.where(sign > 0, total.strong[0], total.strong[1])
    signals = total.signals[0] + total.signals[1]
    least = int(settings.preset_min_strength * FULL)
    warm, moving = total.warm, np.ones(sign.shape, np.bool_)
    for rules, said in spoken:
        if rules.kind is IndicatorKind.ATR:
            warm = warm & said.warm[..., rules.of]
            moving = said.sign[..., rules.of] > 0
    tests = np.stack([agreeing >= settings.preset_confluence, strong >= least * signals, moving])
    refusal = np.where(tests.all(axis=0), -1, np.argmin(tests, axis=0))
    return Verdict(
        sign=sign,
        agreeing=agreeing,
        strength=strong // np.maximum(signals, 1),
        refusal=np.where(warm & (sign != 0), refusal, -2),
    )


@dataclass(frozen=True, slots=True)
class _Sum:
    """Signals and sums of strengths of the two sides, (2, T, S, C), and whether all are warm."""

    signals: Ints
    strong: Ints
    warm: Bools

    @staticmethod
    def of(rules: Rules, said: Votes) -> "_Sum":
        sides = np.stack([said.sign > 0, said.sign < 0])[..., rules.of]
        return _Sum(
            sides.astype(np.int64),
            np.where(sides, said.strength[..., rules.of], 0),
            said.warm[..., rules.of],
        )

    @staticmethod
    def joined(parts: "list[_Sum]") -> "_Sum":
        first = parts[0]
        signals, strong, warm = first.signals, first.strong, first.warm
        for part in parts[1:]:
            signals, strong = signals + part.signals, strong + part.strong
            warm = warm & part.warm
        return _Sum(signals, strong, warm)
