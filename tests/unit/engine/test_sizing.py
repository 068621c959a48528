from dataclasses import replace
from decimal import Decimal

import pytest
from tests.builders import NOW_MS, a_quote, an_account, an_instrument, some_exits

from engine.risk import Exposure, Refusal, safe_leverage, stale_equity, stale_price, stale_wish
from engine.settings import Settings, with_values
from engine.sizing import Size, leverage_for, sized
from engine.values import Instrument, TradeMode


def size(
    *,
    instrument: Instrument | None = None,
    price: str = "25000",
    equity: str = "5000",
    free: str | None = None,
    ratio: str = "1",
    leverage: int = 10,
    exposure: Exposure | None = None,
    settings: Settings | None = None,
    mode: TradeMode = TradeMode.MAIN,
    volume_factor: str = "1",
) -> Size | Refusal:
    account = an_account(equity)
    if free is not None:
        account = replace(account, free_margin=Decimal(free))
    return sized(
        instrument=instrument or an_instrument(),
        price=Decimal(price),
        size_ratio=Decimal(ratio),
        leverage=leverage,
        account=account,
        exposure=exposure or Exposure(),
        settings=settings or Settings(),
        mode=mode,
        volume_factor=Decimal(volume_factor),
    )


def a_size(result: Size | Refusal) -> Size:
    assert isinstance(result, Size), result
    return result


def code(result: Size | Refusal) -> str:
    assert isinstance(result, Refusal), result
    return result.code


def test_the_equity_is_divided_over_the_average_number_of_positions() -> None:
    made = a_size(size())

    assert made.quantity == Decimal("0.004")
    assert made.notional == 100
    assert made.margin == 10
    assert not made.lifted


def test_leverage_changes_the_margin_and_never_the_size() -> None:
    assert a_size(size(leverage=50)).quantity == a_size(size(leverage=5)).quantity
    assert a_size(size(leverage=50)).margin == 2


@pytest.mark.parametrize(
    ("cost", "leverage", "notional", "margin"),
    [("0.1", 10, "50", "5"), ("0.1", 20, "100", "5"), ("0.2", 10, "100", "10")],
)
def test_by_position_cost_a_share_of_the_equity_is_margin_and_leverage_makes_the_size(
    cost: str, leverage: int, notional: str, margin: str
) -> None:
    settings = with_values(Settings(), {"sizingMode": "position_cost", "positionCost": cost})

    made = a_size(size(leverage=leverage, settings=settings))

    assert (made.notional, made.margin) == (Decimal(notional), Decimal(margin))
    doubled = a_size(size(leverage=leverage, settings=settings, ratio="2"))
    assert doubled.notional == 2 * made.notional


@pytest.mark.parametrize(
    ("base", "live", "preset", "connection", "mode", "notional"),
    [
        ("1", "2", "3", "1", TradeMode.MAIN, "200"),
        ("1", "2", "3", "1", TradeMode.PRESET, "300"),
        ("2", "2", "3", "0.5", TradeMode.MAIN, "200"),
        ("10", "10", "0.1", "1", TradeMode.MAIN, "1000"),  # the factor is at most 10
        ("0.5", "0.1", "10", "0.1", TradeMode.MAIN, "25"),  # and at least 0.05: 5, lifted
    ],
)
def test_the_factor_is_the_product_of_base_mode_and_connection_within_its_bounds(
    base: str, live: str, preset: str, connection: str, mode: TradeMode, notional: str
) -> None:
    factors = {
        "base_volume_factor": base,
        "baseVolumeFactorLive": live,
        "baseVolumeFactorPreset": preset,
        "minVolumeLiftLimit": "5",
    }

    made = size(settings=with_values(Settings(), factors), mode=mode, volume_factor=connection)

    assert a_size(made).notional == Decimal(notional)


def test_how_far_an_order_may_be_lifted_is_a_setting() -> None:
    dear = an_instrument(min_notional=Decimal(301))
    further = with_values(Settings(), {"minVolumeLiftLimit": "3.5"})

    assert a_size(size(instrument=dear, settings=further)).lifted


def test_an_order_lifted_beyond_the_fat_finger_factor_is_refused_with_its_figures() -> None:
    dear = an_instrument(min_notional=Decimal(600))
    settings = with_values(Settings(), {"minVolumeLiftLimit": "10", "fatFingerFactor": "5"})

    refused = size(instrument=dear, settings=settings)

    assert isinstance(refused, Refusal)
    assert refused.code == "fat_finger"
    assert refused.numbers == {"notional": Decimal(600), "limit": Decimal(500)}


def test_the_limits_of_one_order_come_before_those_of_the_account() -> None:
    settings = with_values(Settings(), {"max_position_size": 50})
    everything = Exposure(notional=Decimal(5000), positions=100)

    assert code(size(exposure=everything, settings=settings)) == "max_position_size"
    small = an_instrument(max_quantity=Decimal("0.003"))
    assert code(size(instrument=small, settings=settings)) == "above_maximum"


@pytest.mark.parametrize(("ratio", "notional"), [("2", "200"), ("0.01", "25"), ("99", "500")])
def test_the_ratio_of_the_strategies_scales_the_size_within_its_bounds(
    ratio: str, notional: str
) -> None:
    assert a_size(size(ratio=ratio)).notional == Decimal(notional)


def test_a_quantity_is_rounded_down_to_the_step() -> None:
    assert a_size(size(price="30000")).quantity == Decimal("0.003")


def test_a_small_order_is_lifted_to_the_venues_minimum() -> None:
    made = a_size(size(instrument=an_instrument(min_notional=Decimal(250))))

    assert made.lifted
    assert made.quantity == Decimal("0.010")


def test_a_minimum_of_more_than_three_times_the_intent_is_refused() -> None:
    assert code(size(instrument=an_instrument(min_notional=Decimal(301)))) == "minimum_too_large"


def test_a_minimum_above_the_risk_budget_is_refused() -> None:
    settings = replace(Settings(), risk_budget_pct=Decimal(1), negative_change_pct=Decimal(30))
    instrument = an_instrument(min_notional=Decimal(200))

    assert code(size(instrument=instrument, settings=settings)) == "minimum_too_large"


def test_a_small_order_is_refused_when_lifting_is_off() -> None:
    settings = replace(Settings(), min_volume_enforcement=False)

    refused = size(instrument=an_instrument(min_quantity=Decimal("0.01")), settings=settings)

    assert code(refused) == "below_minimum"


def test_a_quantity_above_the_venues_maximum_is_refused() -> None:
    assert code(size(instrument=an_instrument(max_quantity=Decimal("0.003")))) == "above_maximum"


@pytest.mark.parametrize(
    ("exposure", "free", "expected"),
    [
        (Exposure(notional=Decimal("4900.01")), None, "risk_budget"),
        (Exposure(), "10.52", "free_margin"),
        (Exposure(positions=100), None, "max_open_positions"),
        (Exposure(symbol_side_notional=Decimal("1150.01")), None, "symbol_exposure"),
    ],
)
def test_each_limit_of_the_account_refuses_with_its_own_code(
    exposure: Exposure, free: str | None, expected: str
) -> None:
    assert code(size(exposure=exposure, free=free)) == expected


def test_at_its_limits_a_position_is_still_allowed() -> None:
    exposure = Exposure(notional=Decimal(4900), symbol_side_notional=Decimal(1150), positions=99)

    a_size(size(exposure=exposure, free="10.53"))


def test_the_first_guard_that_fails_names_the_refusal() -> None:
    everything = Exposure(notional=Decimal(5000), symbol_side_notional=Decimal(5000), positions=100)

    assert code(size(exposure=everything, free="0")) == "risk_budget"


@pytest.mark.parametrize(
    ("stop", "wanted", "expected"), [("0.4", 125, 125), ("8", 10, 9), ("8.1", 10, 9), ("79", 10, 1)]
)
def test_leverage_falls_until_the_stop_is_well_before_liquidation(
    stop: str, wanted: int, expected: int
) -> None:
    assert safe_leverage(wanted, Decimal(stop), Settings()) == expected


def test_a_stop_beyond_liquidation_at_any_leverage_is_refused() -> None:
    assert isinstance(safe_leverage(10, Decimal(80), Settings()), Refusal)


def test_how_near_to_liquidation_a_stop_may_lie_is_a_setting() -> None:
    settings = with_values(Settings(), {"liquidationSharePercent": 40})

    assert safe_leverage(10, Decimal(8), settings) == 4


@pytest.mark.parametrize(
    ("maximal", "percentage", "most", "expected"),
    [(False, 100, 125, 10), (False, 50, 125, 5), (True, 5, 125, 10), (False, 5, 4, 1)],
)
def test_leverage_is_the_settings_share_of_what_settings_and_symbol_allow(
    maximal: bool, percentage: int, most: int, expected: int
) -> None:
    settings = replace(Settings(), use_maximal_leverage=maximal, leverage_percentage=percentage)

    assert leverage_for(an_instrument(max_leverage=most), some_exits(), settings) == expected


def test_old_or_unknown_equity_prices_and_wishes_are_refused() -> None:
    settings = Settings()
    codes = [
        stale_equity(None, NOW_MS, settings),
        stale_equity(an_account(at_ms=NOW_MS - 60_001), NOW_MS, settings),
        stale_price(None, NOW_MS, settings),
        stale_price(a_quote(at_ms=NOW_MS - 3001), NOW_MS, settings),
        stale_wish(NOW_MS - 3001, NOW_MS, settings),
    ]

    assert [refusal.code for refusal in codes if refusal] == [
        "equity_unknown",
        "equity_stale",
        "price_unknown",
        "price_stale",
        "wish_stale",
    ]
    assert stale_equity(an_account(at_ms=NOW_MS - 60_000), NOW_MS, settings) is None
    assert stale_price(a_quote(at_ms=NOW_MS - 3000), NOW_MS, settings) is None
    assert stale_wish(NOW_MS - 3000, NOW_MS, settings) is None
