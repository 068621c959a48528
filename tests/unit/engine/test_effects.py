"""When each key counts: what would change the Sets waits for a start, the rest does not."""

from decimal import Decimal
from functools import cache

import pytest

from engine.cycles.changing import AT_A_BURST, AT_A_TICK
from engine.sets import make_grid
from engine.setting import Effect, Scalar, Setting, Value
from engine.settings import DEFAULTS, Settings, schema, taking, value_of, with_values

KEYS = pytest.mark.parametrize("key", schema())
FEW = with_values(
    Settings(),
    {
        "dcaEnabled": True,
        "profitBackEnabled": True,
        "gridRanges": [10],
        "gridTakeProfits": ["4"],
        "gridStopLosses": ["1.0"],
        "fullTakeProfits": ["4"],
        "fullStopLosses": ["1.0"],
        "advancedWindows": [5],
        "tradeMode": "main",
    },
)


def another(about: Setting, like: Value) -> Value:
    """A value in range that is not this one."""
    if isinstance(like, tuple):
        return (*like[:-1], _other(about, like[-1]))
    return _other(about, like)


def _other(about: Setting, like: Scalar) -> Scalar:
    if isinstance(like, bool):
        return not like
    if isinstance(like, str):
        return next((one for one in about.choices if one != like), "DOGE")
    step = about.step or Decimal("0.1")
    whole = isinstance(like, int)
    larger = like + (max(1, int(step)) if whole else step)
    assert about.maximum is not None
    return larger if larger <= about.maximum else like - (1 if whole else step)


@cache
def all_changed() -> Settings:
    """Every key with another value than its default, whether they fit together or not."""
    fields = {
        name: another(field.metadata["setting"], getattr(DEFAULTS, name))
        for name, field in Settings.__dataclass_fields__.items()
    }
    return Settings(**fields)  # type: ignore[arg-type]


@KEYS
def test_a_running_loop_takes_over_exactly_the_keys_whose_effect_allows_it(key: str) -> None:
    effect, wanted = schema()[key].effect, all_changed()
    ticked, burst = (taking(DEFAULTS, wanted, each) for each in (AT_A_TICK, AT_A_BURST))

    at_a_tick, at_a_burst, asked = (value_of(each, key) for each in (ticked, burst, wanted))

    assert asked != value_of(DEFAULTS, key)
    assert (at_a_tick == asked) is (effect in {Effect.NOW, Effect.TICK})
    assert (at_a_burst == asked) is (effect is not Effect.START)


def test_what_a_loop_may_take_over_leaves_its_sets_and_books_as_they_are() -> None:
    taken = taking(FEW, all_changed(), AT_A_BURST)

    assert make_grid(taken).fingerprint == make_grid(FEW).fingerprint
    assert taken != FEW
