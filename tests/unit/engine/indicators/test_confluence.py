"""An entry needs enough indicators on one side, strong enough among all that spoke."""

from decimal import Decimal

import numpy as np
import pytest

from engine.indicators.configurations import (
    IndicatorKind,
    PresetConfiguration,
    preset_configurations,
)
from engine.indicators.confluence import REFUSALS, SIGNAL, SILENT, decide
from engine.indicators.panel import rules_of
from engine.indicators.votes import Votes
from engine.settings import Settings, with_values
from engine.values import Side

KINDS = (IndicatorKind.RSI, IndicatorKind.MACD, IndicatorKind.BOLLINGER, IndicatorKind.ADX)
SIDES = pytest.mark.parametrize("side", Side)


def vote(signed: int | None) -> Votes:
    """One vote: its strength with the sign of its side, 0 for none, None while warming up."""
    cell = np.full((1, 1, 1), signed or 0)
    warm = np.full((1, 1, 1), signed is not None)
    return Votes(np.sign(cell), np.abs(cell), warm, np.zeros_like(warm))


def decided(
    *signed: int | None, moving: int | None = 1, **values: object
) -> tuple[int, int, int, str]:
    """Leading side, its signals and strength, and what became of it."""
    kinds = (*KINDS[: len(signed)], IndicatorKind.ATR)
    parameters = tuple((kind, (Decimal(1), Decimal(2), Decimal(3))) for kind in kinds)
    rules = rules_of([PresetConfiguration(parameters=parameters)])
    said = [vote(each) for each in (*signed, moving)]
    verdict = decide(list(zip(rules, said, strict=True)), with_values(Settings(), values))
    sign, agreeing, strong, signals, refusal = (
        int(getattr(verdict, name)[0, 0, 0])
        for name in ("sign", "agreeing", "strong", "signals", "refusal")
    )
    names = {SILENT: "silent", SIGNAL: "signal"} | dict(enumerate(REFUSALS))
    return sign, agreeing, strong // max(signals, 1), names[refusal]


@SIDES
def test_two_strong_indicators_outweigh_one_weak_one(side: Side) -> None:
    s = side.sign

    assert decided(8000 * s, 9000 * s, -1000 * s) == (s, 2, 5666, "signal")


@SIDES
def test_opposite_signals_count_against_the_strength(side: Side) -> None:
    s = side.sign

    assert decided(6000 * s, 6000 * s, -3000 * s) == (s, 2, 4000, "refused_strength")
    assert decided(6000 * s, 6000 * s, 0) == (s, 2, 6000, "signal")


@SIDES
def test_one_indicator_alone_is_no_confluence_however_strong(side: Side) -> None:
    s = side.sign

    assert decided(10_000 * s, 0, 0) == (s, 1, 10_000, "refused_confluence")
    assert decided(10_000 * s, 0, 0, presetConfluence=1) == (s, 1, 10_000, "signal")
    assert decided(9000 * s, 9000 * s, presetConfluence=3)[3] == "refused_confluence"


@SIDES
def test_exactly_the_least_strength_is_enough(side: Side) -> None:
    s = side.sign

    assert decided(5000 * s, 5000 * s) == (s, 2, 5000, "signal")
    assert decided(5000 * s, 4999 * s) == (s, 2, 4999, "refused_strength")
    assert decided(3000 * s, 3000 * s, presetMinStrength="0.3")[3] == "signal"


def test_equally_strong_sides_lead_nowhere() -> None:
    assert decided(7000, -7000)[3] == "silent"
    assert decided(7000, -6999)[0] == 1
    assert decided(0, 0, 0)[3] == "silent"


@SIDES
def test_a_market_too_quiet_refuses_what_would_be_a_signal(side: Side) -> None:
    s = side.sign

    assert decided(8000 * s, 9000 * s, moving=0)[3] == "refused_volatility"


@SIDES
def test_all_indicators_must_be_warm(side: Side) -> None:
    s = side.sign

    assert decided(8000 * s, 9000 * s, None)[3] == "silent"
    assert decided(8000 * s, 9000 * s, moving=None)[3] == "silent"


def test_eight_indicators_at_full_strength_do_not_run_into_each_other() -> None:
    settings = with_values(Settings(), {"sarEnabled": True, "atrEnabled": False})
    rules = rules_of(preset_configurations(settings))

    assert len(rules) == 8
    for strength in (10_000, -10_000):
        verdict = decide([(each, vote(strength)) for each in rules], Settings())

        assert verdict.sign[0, 0, 0] == np.sign(strength)
        assert (verdict.agreeing[0, 0, 0], verdict.strong[0, 0, 0]) == (8, 80_000)
        assert verdict.refusal[0, 0, 0] == SIGNAL
        sides = (verdict.longs[0, 0, 0], verdict.shorts[0, 0, 0])
        assert sides == ((255, 0) if strength > 0 else (0, 255))
