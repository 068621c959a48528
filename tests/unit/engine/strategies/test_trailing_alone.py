"""Trailing alone: the target never closes, the stop only rises."""

import pytest
from tests.unit.engine.strategies.living import Bar, Position, flat, settings_of

from engine.values import CloseReason, Side

BOTH = pytest.mark.parametrize("side", Side)
TRAILING: dict[str, object] = {
    "trailingEnabled": True,
    "trailingOnly": True,
    "trailingStartValues": ["0.6"],
    "trailingStopValues": ["0.2"],
}


def lived(side: Side, *path: Bar | None) -> Position:
    return Position(side, path, settings_of(**TRAILING))


@BOTH
def test_no_target_ends_it(side: Side) -> None:
    assert lived(side, flat(100.9), flat(105), flat(110)).end is None


@BOTH
def test_the_fixed_stop_ends_it_before_it_is_armed(side: Side) -> None:
    assert lived(side, flat(100.5), flat(99.6)).end == (1, CloseReason.STOP_LOSS, 99.6)


@BOTH
def test_the_trailing_stop_follows_the_best_price_and_never_loosens(side: Side) -> None:
    path = [flat(price) for price in (101, 103, 102.9, 102.81)]

    held = lived(side, *path)
    ended = lived(side, *path, flat(102.79))

    assert held.end is None
    assert ended.end == (4, CloseReason.TRAILING_STOP, 102.79)
