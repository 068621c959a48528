"""Limits of one order and of all that is open: each refuses with its own code and figures."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.builders import NOW_MS, a_quote, an_account, an_instrument

from engine.risk import (
    Exposure,
    Refusal,
    clock_skew,
    limit_refusal,
    order_refusal,
    position_limit,
    price_band,
)
from engine.risk_record import RiskRecord
from engine.settings import Settings, with_values
from engine.values import Instrument


def an_order(
    notional: str,
    settings: Settings,
    *,
    intended: str = "100",
    instrument: Instrument | None = None,
) -> Refusal | None:
    return order_refusal(
        notional=Decimal(notional),
        intended=Decimal(intended),
        instrument=instrument or an_instrument(),
        equity=Decimal(5000),
        settings=settings,
    )


def a_limit(exposure: Exposure, settings: Settings, *, free: str = "5000") -> Refusal | None:
    """What a position of 100 at a margin of 10 meets on an account of 5,000."""
    return limit_refusal(
        notional=Decimal(100),
        margin=Decimal(10),
        account=replace(an_account(), free_margin=Decimal(free)),
        exposure=exposure,
        settings=settings,
        exchange="binance",
    )


@pytest.mark.parametrize(
    ("key", "value", "most", "code", "limit"),
    [
        ("max_position_size", "120", "120", "max_position_size", "120"),
        ("fatFingerFactor", "3", "300", "fat_finger", "300"),
        ("maxOrderEquityPercent", "2", "100", "order_share", "100"),
        ("maxVolumeSharePercent", "0.5", "250", "volume_share", "250"),
    ],
)
def test_one_order_is_refused_above_its_limit_and_taken_at_it(
    key: str, value: str, most: str, code: str, limit: str
) -> None:
    settings = with_values(Settings(), {"maxVolumeSharePercent": 0} | {key: value})
    traded = an_instrument(volume_24h_quote=Decimal(50_000))
    above = str(Decimal(most) + Decimal("0.01"))

    refused = an_order(above, settings, instrument=traded)

    assert refused == Refusal(
        code=code, numbers={"notional": Decimal(above), "limit": Decimal(limit)}
    )
    assert an_order(most, settings, instrument=traded) is None


def test_limits_that_are_off_or_unknown_refuse_nothing() -> None:
    off = {"max_position_size": 0, "maxVolumeSharePercent": 0, "maxOrderEquityPercent": 500}
    settings = with_values(Settings(), off)
    busy = an_instrument(volume_24h_quote=Decimal(10))

    assert an_order("20000", settings, intended="20000", instrument=busy) is None
    assert an_order("500", Settings(), instrument=an_instrument()) is None  # volume unknown


@pytest.mark.parametrize(
    ("exposure", "code", "limit"),
    [
        (Exposure(symbol_notional=Decimal("2400.01")), "symbol_total", "2500"),
        (Exposure(side_notional=Decimal("4900.01")), "side_exposure", "5000"),
        (Exposure(symbol_side_notional=Decimal("1150.01")), "symbol_exposure", "1250"),
    ],
)
def test_exposure_is_capped_for_symbol_and_side_for_symbol_and_for_side(
    exposure: Exposure, code: str, limit: str
) -> None:
    refused = a_limit(exposure, Settings())

    assert refused is not None
    assert (refused.code, refused.numbers["limit"]) == (code, Decimal(limit))
    assert refused.numbers["notional"] == Decimal(limit) + Decimal("0.01")


def test_the_sum_of_all_exposure_has_a_cap_of_its_own_below_the_risk_budget() -> None:
    settings = with_values(Settings(), {"maxTotalExposurePercent": 60})

    refused = a_limit(Exposure(notional=Decimal("2900.01")), settings)

    assert refused is not None
    assert refused.code == "total_exposure"
    assert a_limit(Exposure(notional=Decimal(2900)), settings) is None


@pytest.mark.parametrize(("share", "code"), [("50", "free_margin"), ("100", None)])
def test_entries_take_only_their_share_of_the_free_margin(share: str, code: str | None) -> None:
    settings = with_values(Settings(), {"freeMarginSharePercent": share})

    refused = a_limit(Exposure(), settings, free="15")

    assert (refused and refused.code) == code
    if refused is not None:
        assert refused.numbers == {"margin": Decimal(10), "limit": Decimal("7.5")}


def test_the_number_of_positions_is_limited_for_the_account_and_for_the_exchange() -> None:
    settings = with_values(Settings(), {"maxPositionsPerExchange.binance": 3})

    refused = a_limit(Exposure(positions=3), settings)

    assert refused == Refusal(
        code="max_open_positions", numbers={"positions": Decimal(4), "limit": Decimal(3)}
    )
    assert a_limit(Exposure(positions=2), settings) is None
    assert position_limit("elsewhere", settings) == settings.max_open_positions


@pytest.mark.parametrize("price", ["100.5", "99.5"])
def test_a_price_that_left_the_signals_either_way_is_refused(price: str) -> None:
    beyond = Decimal(price) + (Decimal("0.1") if Decimal(price) > 100 else Decimal("-0.1"))

    refused = price_band(Decimal(100), beyond, Settings())

    assert price_band(Decimal(100), Decimal(price), Settings()) is None
    assert refused is not None
    assert (refused.code, refused.numbers["away_pct"]) == ("price_band", Decimal("0.6"))


def test_a_signal_without_a_price_is_refused() -> None:
    refused = price_band(Decimal(0), Decimal(100), Settings())

    assert refused is not None
    assert refused.numbers == {"signal": Decimal(0), "price": Decimal(100)}


def test_a_price_from_the_future_shows_a_venue_whose_clock_is_ahead() -> None:
    settings, record = Settings(), RiskRecord()

    allowed = clock_skew(a_quote(at_ms=NOW_MS + 1000), record, NOW_MS, settings)
    refused = clock_skew(a_quote(at_ms=NOW_MS + 1001), record, NOW_MS, settings)

    assert allowed is None
    assert refused == Refusal(
        code="clock_skew", numbers={"ahead_ms": Decimal(1001), "limit_ms": Decimal(1000)}
    )


@pytest.mark.parametrize("skew_ms", [5000, -5000])
def test_a_difference_seen_in_an_execution_counts_for_ten_minutes(skew_ms: int) -> None:
    record = RiskRecord(skew_ms=skew_ms, skew_at_ms=NOW_MS)

    during = clock_skew(a_quote(), record, NOW_MS + 599_999, Settings())
    after = clock_skew(a_quote(), record, NOW_MS + 600_000, Settings())

    assert during is not None
    assert during.numbers["ahead_ms"] == skew_ms
    assert after is None
