"""Venues that pass the same contract, and the codes in which they refuse the same things."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from adapters.venues import Dialect
from adapters.venues.binance import BinanceUsdm
from adapters.venues.binance_spot import BinanceSpot
from adapters.venues.bybit import BybitLinear
from adapters.venues.okx import OkxSwap


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueCase:
    """A wire of the paper exchange, our dialect of it, and its codes for what we try."""

    name: str
    dialect: Callable[[], Dialect]
    no_margin: str
    nothing_to_reduce: str
    passed_trigger: tuple[str, ...]
    mode_in_use: str
    leverage: int = 10
    is_in_memory: bool = False


VENUES = (
    VenueCase(
        name="binance",
        dialect=BinanceUsdm,
        no_margin="-2019",
        nothing_to_reduce="-2022",
        passed_trigger=("-2021",),
        mode_in_use="-4068",
    ),
    VenueCase(
        name="bybit",
        dialect=BybitLinear,
        no_margin="110007",
        nothing_to_reduce="110017",
        passed_trigger=("110092", "110093"),
        mode_in_use="110024",
    ),
    VenueCase(
        name="okx",
        dialect=OkxSwap,
        no_margin="51008",
        nothing_to_reduce="51169",
        passed_trigger=("51278", "51280"),
        mode_in_use="59000",
    ),
)

SPOT = VenueCase(
    name="binance_spot",
    dialect=BinanceSpot,
    no_margin="binance Account has insufficient balance",
    nothing_to_reduce="binance Account has insufficient balance",
    passed_trigger=("binance Stop price would trigger immediately",),
    mode_in_use="",
    leverage=1,
)
"""A venue without a short side, leverage or modes: it cannot pass what is about those."""

ON_SPOT_TOO = pytest.mark.parametrize(
    "venue", (*VENUES, SPOT), ids=lambda case: case.name, indirect=True
)
"""For what holds wherever one trades."""


def _no_dialect() -> Dialect:
    raise AssertionError("a venue in memory has neither wire nor dialect")


MEMORY = VenueCase(
    name="memory",
    dialect=_no_dialect,
    no_margin="",
    nothing_to_reduce="reduce-only order rejected",
    passed_trigger=("order would immediately trigger",),
    mode_in_use="",
    is_in_memory=True,
)
"""The fakes that tests of the engine trade with: they keep the contract of the ports, too."""

IN_MEMORY_TOO = pytest.mark.parametrize(
    "venue", (MEMORY, *VENUES), ids=lambda case: case.name, indirect=True
)
"""For what the ports promise, on a wire or not."""
EVERYWHERE = pytest.mark.parametrize(
    "venue", (MEMORY, *VENUES, SPOT), ids=lambda case: case.name, indirect=True
)
"""For what the ports promise wherever one trades, on a wire or not."""
