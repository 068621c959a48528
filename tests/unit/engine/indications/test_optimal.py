import numpy as np
import pytest
from tests.indicating import both_sides, indicated
from tests.market import candles_of, mirrored

from engine.indications.slots import Slot
from engine.market import Candles
from engine.settings import Settings, with_values
from engine.values import IndicationType, Side, Variant

ENTRY = 1_000_000
LENIENT: dict[str, object] = {
    "marketActivityEnabled": False,
    "optimalEnabled": True,
    "drawdownRatio": "0.5",
    "marketChangeRange": 1,
    "lastPartRatioFactor": "1.0",
}
OPTIMAL = both_sides(IndicationType.OPTIMAL, (3,))
MOVE = both_sides(IndicationType.MOVE, (3,))
FALL = [0, 0, -101, -101, -110]  # a Move of the other side ends here
TURN = 130


def facing(moves: list[int], side: Side) -> Candles:
    path = candles_of([ENTRY, *(ENTRY + np.cumsum(moves) * 10).tolist()])
    return path if side is Side.LONG else mirrored(path, ENTRY)


def found(
    candles: Candles,
    slots: tuple[Slot, ...],
    cuts: tuple[int, ...] = (),
    **values: object,
) -> tuple[list[tuple[int, int]], dict[str, int]]:
    """(bar, sign) of the signals of Optimal, and what was refused."""
    rules = with_values(Settings(), LENIENT | values)
    _, signals, counts = indicated(candles, slots, rules, cuts)
    kind = list(IndicationType).index(IndicationType.OPTIMAL)
    mine = signals[signals["indication"] == kind]
    return list(zip(mine["bar"].tolist(), mine["sign"].tolist(), strict=True)), counts


@pytest.mark.parametrize("side", Side)
def test_optimal_is_direction_with_filters_of_its_own(side: Side) -> None:
    path = facing([*FALL, *[0] * 15, TURN], side)
    strict = Variant(market_change=9, drawdown_pct=10)

    assert found(path, OPTIMAL)[0] == [(21, side.sign)]
    assert not found(path, both_sides(IndicationType.OPTIMAL, (4,)))[0]
    slow = facing([*FALL, *[0] * 15, *[12] * 11], side)
    assert found(slow, OPTIMAL)[0]
    assert not found(slow, both_sides(IndicationType.OPTIMAL, (3,), (strict,)))[0]


@pytest.mark.parametrize("side", Side)
def test_optimal_follows_move_when_told_so(side: Side) -> None:
    rise = facing([0, 0, 101, 101, 110], side)

    assert found(rise, OPTIMAL, optimalSource="move")[0] == [(5, side.sign)]
    assert not found(rise, OPTIMAL)[0]


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("rest", "agrees"), [(13, False), (14, True)])
def test_a_signal_of_the_other_side_speaks_against_it_for_the_validation_time(
    side: Side, rest: int, agrees: bool
) -> None:
    path = facing([*FALL, *[0] * rest, TURN], side)  # the Move is 14 or 15 s old

    bars, counts = found(path, (*MOVE, *OPTIMAL))

    assert bars == ([(6 + rest, side.sign)] if agrees else [])
    assert counts["refused_disagreement"] == (not agrees)


@pytest.mark.parametrize("side", Side)
def test_what_speaks_against_it_is_remembered_from_candle_to_candle(side: Side) -> None:
    path = facing([*FALL, *[0] * 5, TURN], side)

    at_once = found(path, (*MOVE, *OPTIMAL))
    live = found(path, (*MOVE, *OPTIMAL), tuple(range(1, len(path))))

    assert live == at_once
    assert live[1]["refused_disagreement"] == 1


@pytest.mark.parametrize("side", Side)
def test_a_disabled_type_does_not_speak_against_it(side: Side) -> None:
    path = facing([*FALL, *[0] * 5, TURN], side)
    assert found(path, (*MOVE, *OPTIMAL), moveEnabled=False)[0] == [(11, side.sign)]


@pytest.mark.parametrize("side", Side)
def test_optimal_does_not_speak_against_itself(side: Side) -> None:
    path = facing([*FALL, 0, 140, 101, 101], side)

    for cuts in ((), tuple(range(1, len(path)))):
        bars, counts = found(path, OPTIMAL, cuts, optimalSource="move")

        assert [sign for _, sign in bars] == [-side.sign, side.sign]
        assert counts["refused_disagreement"] == 0


@pytest.mark.parametrize("side", Side)
def test_a_signal_of_the_same_side_agrees(side: Side) -> None:
    path = facing([*FALL, *[0] * 15, 140, 101, 101], side)

    bars, counts = found(path, (*MOVE, *OPTIMAL), validationTimeout=1)

    assert (21, side.sign) in bars
    assert counts["refused_disagreement"] == 0


@pytest.mark.parametrize("side", Side)
def test_another_symbol_does_not_speak_against_it(side: Side) -> None:
    slowly = [0, 0, -101, 0, 0, -101, 0, 0, -110, TURN]
    quickly = [0, 0, 0, 0, 0, 0, *FALL[2:], 0]
    moves = np.stack([np.cumsum(quickly), np.cumsum(slowly)], 1) * 10 * side.sign + ENTRY
    both = candles_of([[ENTRY, ENTRY], *moves.tolist()], symbols=("AUSDT", "BUSDT"))
    rules = with_values(Settings(), {**LENIENT, "moveSecondsPerStep": 1})

    _, signals, counts = indicated(both, (*MOVE, *OPTIMAL), rules)

    names = ("bar", "symbol", "sign")
    found_all = list(zip(*(signals[name].tolist() for name in names), strict=True))
    assert found_all == [(9, 0, -side.sign), (10, 1, side.sign)]
    assert counts["refused_disagreement"] == 0
