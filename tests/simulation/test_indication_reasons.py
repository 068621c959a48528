"""What is told of a candle is what happened on it, for every slot of every symbol."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.indicating import EVERY, every_setting
from tests.market import walked, without_rows

from engine.indications.filters import REFUSALS, Verdict
from engine.indications.quantities import Quantity
from engine.indications.reasons import explain, sentence
from engine.indications.signals import IndicationState, indicate
from engine.market import Candles
from engine.settings import Settings

SYMBOLS = ("AUSDT", "BUSDT")
COUNTED = (
    Verdict.DRAWDOWN,
    Verdict.MARKET_CHANGE,
    Verdict.LAST_PART,
    Verdict.DISAGREEMENT,
    Verdict.VALIDATION,
)
AT_MOST = {
    Quantity.LASTED,
    Quantity.OPPOSITE,
    Quantity.MOST_VOLATILITY,
    Quantity.DECLINE,
    Quantity.DRAWDOWN,
    Quantity.SINCE_SAMPLE,
}


@settings(max_examples=8, phases=[Phase.explicit, Phase.generate])
@given(
    seed=st.integers(0, 10**6),
    span_ms=st.sampled_from([1000, 5000, 60_000]),
    step_mode=st.sampled_from(["cost", "time", "window"]),
    gated=st.booleans(),
    source=st.sampled_from(["direction", "move"]),
    off=st.sampled_from(["", "moveEnabled", "optimalEnabled", "autoEnabled"]),
    missing=st.lists(st.integers(60, 200), max_size=2),
)
def test_reasons_agree_with_the_signals_on_every_candle(
    seed: int,
    span_ms: int,
    step_mode: str,
    gated: bool,
    source: str,
    off: str,
    missing: list[int],
) -> None:
    market = walked(
        seed, length=250, symbols=SYMBOLS, span_ms=span_ms, volatility=1e-3, gap_share=0.02
    )
    rules = every_setting(
        stepMode=step_mode,
        marketActivityEnabled=gated,
        marketActivityPositionCostRatio=8,
        optimalSource=source,
        **({off: False} if off else {}),
    )

    seen = agreed(without_rows(market, missing), rules, range(248 - len(missing)))

    if not gated:
        assert seen[Verdict.SIGNAL] > 0
        assert seen[Verdict.NO_LEG] > 0


def agreed(candles: Candles, rules: Settings, bars: range) -> Counter[Verdict]:
    """How often each verdict came, after comparing it with what `indicate` did."""
    state = IndicationState.fresh(len(candles.symbols), len(EVERY))
    seen: Counter[Verdict] = Counter()
    for bar in bars:
        candle = candles.rows(bar, bar + 1)
        reasons = explain(state, candle, EVERY, rules)
        state, signals, counts = indicate(state, candle, EVERY, rules)

        told = reasons[reasons["verdict"] == Verdict.SIGNAL]
        names = ["symbol", "slot"]
        assert told[names].tolist() == signals[names].tolist()
        verdicts = Counter(Verdict(each) for each in reasons["verdict"].tolist())
        for verdict in COUNTED:
            assert verdicts[verdict] == counts[REFUSALS[verdict]], verdict
        assert verdicts[Verdict.INACTIVE] >= counts["refused_inactive"]
        assert verdicts[Verdict.WARMING] >= counts["refused_warming"]
        numbers_fit(reasons)
        seen += verdicts
    return seen


def numbers_fit(reasons: np.ndarray) -> None:
    """What was found falls short of what is needed, or goes past it, as the verdict says."""
    slack = 1e-9 * (1 + np.abs(reasons["needed"]))
    found, needed = reasons["found"], reasons["needed"]
    most = np.isin(reasons["quantity"], sorted(AT_MOST))
    falls_short = np.where(most, found > needed - slack, found < needed + slack)
    refused = reasons["verdict"] != Verdict.SIGNAL
    wrong = reasons[refused & ~falls_short]
    assert not len(wrong), wrong[:3]
    signals = reasons[~refused]
    assert (signals["found"] >= signals["needed"] - 1e-9).all()


@pytest.mark.parametrize("span_ms", [1000, 60_000])
def test_every_reason_can_be_told_in_words(span_ms: int) -> None:
    rules = every_setting()
    candles = walked(5, length=2000, symbols=SYMBOLS, span_ms=span_ms, volatility=1e-3)
    state = IndicationState.fresh(2, len(EVERY))
    state, _, _ = indicate(state, candles.rows(0, 1900), EVERY, rules)

    told = set()
    for bar in range(1900, 2000):
        candle = candles.rows(bar, bar + 1)
        for reason in explain(state, candle, EVERY, rules):
            told.add(sentence(reason, SYMBOLS[int(reason["symbol"])], EVERY[int(reason["slot"])]))
        state, _, _ = indicate(state, candle, EVERY, rules)

    assert len(told) > 1000
    assert all(" was " in each and each.endswith(" is needed") for each in told)
