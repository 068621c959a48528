"""The engine on candles that venues really made; skipped where the recordings are absent."""

import csv
import gzip
from decimal import Decimal

import numpy as np
import pytest
from tests.builders import an_instrument
from tests.recordings import DATA, month_of_minutes, needs_recordings, some_seconds
from tests.unit.engine.trading import books_of, in_pieces, timeline

from engine.market import Candles, bars_from_trades, pack, unpack
from engine.settings import Settings, with_values
from engine.trade import TradeState, plan_trade

pytestmark = needs_recordings


@pytest.fixture(scope="module")
def minutes() -> Candles:
    return month_of_minutes()


@pytest.fixture(scope="module")
def seconds() -> Candles:
    return some_seconds()


def without_volume(candles: Candles) -> Candles:
    return Candles(
        symbols=candles.symbols,
        span_ms=candles.span_ms,
        close_ms=candles.close_ms,
        open=candles.open,
        high=candles.high,
        low=candles.low,
        close=candles.close,
        volume=np.zeros_like(candles.volume),
        kind=candles.kind,
    )


@pytest.mark.parametrize("name", ["minutes", "seconds"])
def test_real_candles_pack_into_3_3_bytes_and_6_with_volume(
    name: str, request: pytest.FixtureRequest
) -> None:
    candles: Candles = request.getfixturevalue(name)

    packed = pack(candles)

    assert (unpack(packed).close == candles.close).all()
    assert (unpack(packed).volume == candles.volume).all()
    assert len(packed) / len(candles) <= 6
    assert len(pack(without_volume(candles))) / len(candles) <= 3.3


def test_candles_built_from_the_trades_are_the_recorded_ones(seconds: Candles) -> None:
    with gzip.open(DATA / "binance_spot_btcusdt_20240808_trades.csv.gz", "rt") as lines:
        rows = list(csv.DictReader(lines))
    at = np.array([int(row["ts_ms"]) for row in rows])
    price = np.array([int(Decimal(row["price"]) * 100) for row in rows])
    quantity = np.array([int(Decimal(row["qty"]) * 100_000) for row in rows])
    order = np.argsort(at, kind="stable")

    built = bars_from_trades(
        "BTCUSDT",
        at[order],
        price[order],
        quantity[order],
        start_ms=int(seconds.close_ms[0]) - 1000,
        end_ms=int(seconds.close_ms[-1]),
    )

    for field in ("close_ms", "open", "high", "low", "close"):
        assert (getattr(built, field) == getattr(seconds, field)).all(), field


def test_a_real_month_is_traded_alike_in_days_and_at_once(minutes: Candles) -> None:
    settings = with_values(Settings(), {"marketChangeRange": 1})
    instrument = an_instrument("BTCUSDT", price_tick=Decimal("0.5"))
    fresh = TradeState.fresh([instrument], settings)
    days = minutes.rows(0, 3 * 1440)

    state, plan = plan_trade(fresh, days, settings)
    daily, plans = in_pieces(fresh, days, range(1440, 3 * 1440, 1440), settings)

    assert plan.counts["closed"] > 100
    ends = {"stop_loss", "trailing_stop", "take_profit", "timeout"}  # the last of presets alone
    assert ends == set(plan.close_reasons)
    assert len(set(plan.openings["stage"].tolist())) > 1
    assert timeline(plans) == timeline([plan])
    assert books_of(daily) == books_of(state)
