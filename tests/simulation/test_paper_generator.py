"""The generated market: pure, consistent, and like the real one."""

import numpy as np
import pytest

from local.paper.market.candles import Candles
from local.paper.market.generator import HOUR_S
from local.paper.market.instruments import instruments
from local.paper.market.market import GeneratedMarket
from local.paper.market.quotes import Quotes

NOW_S = 1_795_263_600
DAY_S = 86_400
COLUMNS = ("open", "high", "low", "close", "volume")


def a_market(seed: int = 7, symbols: int = 8) -> GeneratedMarket:
    return GeneratedMarket(instruments(symbols), seed)


def same(one: Candles, other: Candles) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in COLUMNS)


def test_a_second_is_the_same_whatever_was_asked_before_and_however_many_symbols_there_are() -> (
    None
):
    second = NOW_S - 40 * DAY_S + 1_234
    wandered = a_market()
    for start in (NOW_S, NOW_S - 7_000, NOW_S + 40 * DAY_S, second - 3 * DAY_S):
        wandered.seconds("ETHUSDT", start, start + 100)
        wandered.minutes("BTCUSDT", start // 60 * 60, start // 60 * 60 + 600)

    for symbol in ("BTCUSDT", "ETHUSDT"):
        direct = a_market(symbols=2).seconds(symbol, second, second + 1)
        longer = wandered.seconds(symbol, second - 500, second + 500).window(second, second + 1)
        assert same(direct, longer)


def test_another_seed_is_another_market() -> None:
    one, other = (a_market(seed).seconds("BTCUSDT", NOW_S, NOW_S + 60) for seed in (7, 8))

    assert not same(one, other)


def test_a_market_begun_elsewhere_is_the_same_one_at_other_times() -> None:
    own = a_market(symbols=2)
    ahead_s = 3 * DAY_S + 1_234
    moved = GeneratedMarket(instruments(2), 7, ahead_s=-ahead_s)
    minute = NOW_S + 60  # on the clock's grid: another minute than the generator's

    played = moved.seconds("ETHUSDT", NOW_S, NOW_S + 2 * HOUR_S)
    drawn = own.seconds("ETHUSDT", NOW_S - ahead_s, NOW_S - ahead_s + 2 * HOUR_S)

    assert same(played, drawn)
    assert played.start_s == NOW_S
    assert same(
        moved.minutes("ETHUSDT", minute, minute + 60),
        played.window(minute, minute + 60).aggregate(60),
    )


def test_candles_are_sound_and_join_across_hours() -> None:
    market = a_market(symbols=10)
    for instrument in market.instruments:
        candles = market.seconds(instrument.symbol, NOW_S - HOUR_S, NOW_S + HOUR_S)

        assert (candles.open[1:] == candles.close[:-1]).all()
        assert (candles.high >= np.maximum(candles.open, candles.close)).all()
        assert (candles.low <= np.minimum(candles.open, candles.close)).all()
        assert (candles.low > 0).all()
        traded = candles.volume > 0
        assert (candles.volume[traded] >= 5).all()
        assert (candles.high == candles.low)[~traded].all()
        assert traded.mean() > 0.9


def test_trades_of_a_second_add_up_to_its_candle() -> None:
    market = a_market()
    candles = market.seconds("ADAUSDT", NOW_S, NOW_S + 300)
    for place in range(300):
        trades = market.trades("ADAUSDT", NOW_S + place)
        if not trades:
            assert candles.volume[place] == 0
            continue
        prices = [one.price_ticks for one in trades]
        assert prices[0] == candles.open[place]
        assert prices[-1] == candles.close[place]
        assert (max(prices), min(prices)) == (candles.high[place], candles.low[place])
        assert sum(one.quantity_steps for one in trades) == candles.volume[place]
        assert min(one.quantity_steps for one in trades) > 0
        times = [one.ts_ms for one in trades]
        assert times == sorted(times)
        assert {one // 1000 for one in times} == {NOW_S + place}
        assert [one.trade_id for one in trades] == sorted({one.trade_id for one in trades})


@pytest.mark.parametrize("span_s", [60, 180, 300, 900, 3600])
def test_longer_candles_are_exact_sums_of_seconds(span_s: int) -> None:
    market = a_market(symbols=1)
    start, now_ms = NOW_S - 2 * HOUR_S, NOW_S * 1000 + 500

    candles = Quotes(market).klines("BTCUSDT", start, NOW_S, span_s, now_ms)

    assert same(candles, market.seconds("BTCUSDT", start, NOW_S).aggregate(span_s))


def test_nothing_shows_before_its_time() -> None:
    market = a_market(symbols=1)
    quotes, second = Quotes(market), NOW_S + 37
    trades = market.trades("BTCUSDT", second)
    now_ms = trades[2].ts_ms

    candle = quotes.klines("BTCUSDT", NOW_S, NOW_S + 60, 60, now_ms)

    assert quotes.last_trade("BTCUSDT", now_ms) == (trades[2].price_ticks, now_ms)
    assert candle.close[0] == trades[2].price_ticks
    before = market.seconds("BTCUSDT", NOW_S, second).volume.sum()
    assert candle.volume[0] == before + sum(one.quantity_steps for one in trades[:3])


def returns_bp(symbol: str, market: GeneratedMarket, span_s: int) -> np.ndarray:
    candles = market.seconds(symbol, NOW_S - 4 * DAY_S, NOW_S)
    return np.diff(np.log(candles.close[span_s - 1 :: span_s].astype(float))) * 1e4


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def test_it_moves_like_the_real_market() -> None:
    """Measured on trades: 1 s sd 1.1-1.2 bp, 1 m 9-10 bp, BTC-ETH .65 at 1 s and .80 at 10 s."""
    market = a_market(symbols=2)
    second, minute = (returns_bp("BTCUSDT", market, span) for span in (1, 60))
    size = np.abs(second)
    volume = market.seconds("BTCUSDT", NOW_S - 4 * DAY_S, NOW_S).volume[1:]

    assert 1.0 < second.std() < 1.4
    assert 8.5 < minute.std() < 11.0
    assert 0.12 < (second == 0).mean() < 0.3
    assert 10 < ((second / second.std()) ** 4).mean() < 80
    assert abs(correlation(second[1:], second[:-1])) < 0.05
    assert 0.05 < correlation(size[60:], size[:-60]) < 0.3
    assert 0.15 < correlation(np.abs(minute[1:]), np.abs(minute[:-1])) < 0.45
    assert 0.3 < correlation(volume.astype(float), size) < 0.66
    for span, low, high in ((1, 0.55, 0.7), (10, 0.75, 0.87)):
        pair = [returns_bp(symbol, market, span) for symbol in ("BTCUSDT", "ETHUSDT")]
        assert low < correlation(pair[0], pair[1]) < high


def test_drifts_last_long_enough_to_pay_for_fees() -> None:
    """Half an hour in the direction of a strong half hour earns over 11 bp, a round trip's fees."""
    market = a_market(symbols=4)
    gains = []
    for instrument in market.instruments:
        minutes = market.minutes(instrument.symbol, NOW_S - 4 * DAY_S, NOW_S)
        level = np.log(minutes.close.astype(float)) * 1e4
        move = level[30:] - level[:-30]
        strong = np.flatnonzero(np.abs(move[:-30]) > 1.5 * move.std())
        gains.append((np.sign(move[strong]) * move[strong + 30]).mean())

    assert np.mean(gains) > 11


def test_the_price_level_stays_within_bounds() -> None:
    market = a_market(symbols=1)
    start = market.instruments[0].start_price
    for days in range(-400, 401, 50):
        second = NOW_S + days * DAY_S
        price = float(market.seconds("BTCUSDT", second, second + 1).close[0]) / 10
        assert start / 2 < price < start * 2


@pytest.mark.parametrize("count", [0, 201])
def test_a_wrong_number_of_symbols_is_refused_by_name_and_range(count: int) -> None:
    with pytest.raises(ValueError, match=rf"symbols must be within 1\.\.200, was {count}"):
        instruments(count)


def test_there_are_two_hundred_symbols_when_wanted() -> None:
    assert len({one.symbol for one in instruments(200)}) == 200
