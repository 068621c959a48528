import numpy as np
import pytest

from engine.indications.step_events import Events, cost_events
from engine.market import Ints

UNIT = 1_000_000  # a step is 1 %


def walked(seed: int, length: int, symbols: int) -> Ints:
    """Closes that jump over several steps, fall to one tick and begin unknown."""
    rng = np.random.default_rng(seed)
    close = np.cumsum(rng.integers(-40, 41, (length, symbols)), axis=0) + rng.choice(
        [40, 900, 5000]
    )
    close = np.maximum(close, 1)
    close[: rng.integers(0, 4)] = 0
    return close


def one_by_one(anchor: Ints, close: Ints) -> list[list[int]]:
    """Steps of a long stretch, candle by candle as live."""
    lines = []
    for bar in range(len(close)):
        found = cost_events(anchor, close[bar : bar + 1], UNIT)
        anchor = anchor.copy()
        anchor[found.symbol] = found.anchor  # the last step of a symbol stays
        lines += [[bar, *line[1:]] for line in sorted_lines(found)]
    return lines


def sorted_lines(events: Events) -> list[list[int]]:
    lines = np.stack(events, axis=1)
    ordered: list[list[int]] = lines[np.lexsort((events.symbol, events.bar))].tolist()
    return ordered


@pytest.mark.parametrize("seed", range(12))
def test_a_long_stretch_steps_as_its_candles_do_one_by_one(seed: int) -> None:
    close = walked(seed, 60, 3)
    anchor = np.array([0, 5000, 37])

    found = cost_events(anchor, close, UNIT)

    assert len(found.bar) > 20
    assert (np.diff(found.bar) >= 0).all()
    assert sorted_lines(found) == one_by_one(anchor, close)


def test_prices_that_are_not_known_make_no_step() -> None:
    found = cost_events(np.array([5000]), np.zeros((9, 1), np.int64), UNIT)

    assert [len(column) for column in found] == [0, 0, 0, 0]
