"""A market with tides, for the trade loop to find something in: long climbs, then long falls."""

import math
from functools import lru_cache

from local.paper.market.scripted import ScriptedMarket

_HALF_S = 120
_STEPS = (0.0009, 0.0009, 0.0016)


class TidalMarket(ScriptedMarket):
    """The scripted walk on a tide of quick steps, up for two minutes and down for two."""

    def _prices(self, symbol: str, second: int) -> tuple[int, ...]:
        walk = super()._prices(symbol, second)
        before, after = _tide(second), _tide(second + 1)
        last = len(walk)
        return tuple(
            max(round(price * (before + (after - before) * place / last)), 1)
            for place, price in enumerate(walk)
        )


@lru_cache(maxsize=4 * _HALF_S)
def _level(place: int) -> float:
    return math.exp(sum(math.log1p(_STEPS[one % len(_STEPS)]) for one in range(place)))


def _tide(second: int) -> float:
    """A factor of the price: how far the tide has risen, or is still to fall."""
    place = second % (2 * _HALF_S)
    return _level(place if place < _HALF_S else 2 * _HALF_S - place)
