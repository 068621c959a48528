"""Which configurations are tried: products of lists, sampled evenly where they are too many."""

from collections import Counter

import pytest

from engine.errors import InvalidSettingError
from engine.indicators.averages import Ema
from engine.indicators.configurations import preset_configurations
from engine.indicators.panel import rules_of
from engine.indicators.rsi import Rsi
from engine.settings import Settings, with_values

WIDEST: dict[str, object] = {
    "rsiPeriods": list(range(7, 22)),
    "rsiOversold": list(range(15, 46, 5)),
    "rsiOverbought": list(range(55, 86, 5)),
    "macdFast": list(range(6, 19, 2)),
    "macdSlow": list(range(13, 40, 2)),
    "macdSignal": list(range(5, 14)),
    "bollingerPeriods": list(range(10, 31, 2)),
    "bollingerSigmas": ["1", "1.5", "2", "2.5", "3"],
    "sarEnabled": True,
    "sarAccelerations": ["0.01", "0.015", "0.02", "0.025", "0.03"],
    "sarMaxima": ["0.1", "0.15", "0.2", "0.25", "0.3"],
    "adxPeriods": list(range(7, 22)),
    "adxThresholds": list(range(13, 38, 2)),
    "emaShort": list(range(5, 14)),
    "emaLong": list(range(11, 32, 2)),
    "smaShort": list(range(5, 16)),
    "smaLong": list(range(25, 76, 5)),
    "stochasticK": list(range(7, 22)),
    "stochasticD": [2, 3, 4],
    "stochasticSlowing": [2, 3, 4],
    "atrPeriods": list(range(7, 22)),
    "atrMultiplier": ["1", "1.5", "2", "2.5", "3"],
}


def texts(**values: object) -> list[str]:
    return [each.text for each in preset_configurations(with_values(Settings(), values))]


def test_the_defaults_make_one_configuration_without_sar() -> None:
    assert texts() == [
        "rsi14/30/70 macd12/26/9 bb20/2 adx14/25 ema9/21 sma10/50 sto14/3/3 atr14/1.5"
    ]


def only(*enabled: str) -> dict[str, object]:
    every = ("rsi", "macd", "bollinger", "sar", "adx", "ema", "sma", "stochastic", "atr")
    return {f"{name}Enabled": name in enabled for name in every}


def test_lists_make_their_full_product() -> None:
    found = texts(**only("rsi", "bollinger"), rsiPeriods=[21, 7, 7], bollingerSigmas=["2.50", "1"])

    assert found == [
        "rsi7/30/70 bb20/1",
        "rsi7/30/70 bb20/2.5",
        "rsi21/30/70 bb20/1",
        "rsi21/30/70 bb20/2.5",
    ]


@pytest.mark.parametrize(
    "name", ["rsi", "macd", "bollinger", "sar", "adx", "ema", "sma", "stochastic"]
)
def test_every_indicator_can_stand_alone(name: str) -> None:
    assert len(texts(**only(name))) == 1


@pytest.mark.parametrize("enabled", [(), ("atr",)])
def test_without_an_indicator_that_gives_signals_there_is_nothing_to_try(
    enabled: tuple[str, ...],
) -> None:
    assert texts(**only(*enabled)) == []


def test_a_fast_average_is_faster_than_the_slow_one() -> None:
    assert texts(**only("ema"), emaShort=[9, 13], emaLong=[11, 13]) == [
        "ema9/11",
        "ema9/13",
    ]
    assert texts(**only("macd"), macdFast=[12, 18], macdSlow=[13]) == ["macd12/13/9"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"emaShort": [13], "emaLong": [11]}, "emaShort must hold a value below one of emaLong"),
        ({"macdFast": [18], "macdSlow": [13]}, "were 18 or more and 13 or less"),
    ],
)
def test_averages_that_cannot_cross_are_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidSettingError, match=said):
        with_values(Settings(), values)


def test_the_widest_product_is_sampled_without_walking_it_and_every_value_has_its_share() -> None:
    found = preset_configurations(with_values(Settings(), WIDEST))

    assert len({each.text for each in found}) == 500
    for column in zip(*(each.parameters for each in found), strict=True):
        for place, values in enumerate(zip(*(values for _, values in column), strict=True)):
            counts = Counter(values)
            key = (column[0][0], place)
            assert min(counts.values()) >= 0.5 * 500 / len(counts), (key, counts)


def test_a_product_just_past_the_cap_loses_as_few_as_it_must() -> None:
    lists = {"rsiPeriods": [7, 8, 9, 10, 11], "bollingerPeriods": [10, 12, 14, 16]}

    full = texts(**only("rsi", "bollinger"), **lists)
    found = texts(**only("rsi", "bollinger"), **lists, presetMaxConfigurations=19)

    assert (len(full), len(set(found))) == (20, 19)
    assert set(found) < set(full)


def test_sampled_crosses_keep_the_fast_average_faster() -> None:
    found = preset_configurations(with_values(Settings(), WIDEST))

    for kind, (fast, slow, *_) in (
        each for c in found for each in c.parameters if len(each[1]) > 1
    ):
        assert kind not in ("macd", "ema", "sma") or fast < slow


def test_configurations_share_what_they_have_in_common() -> None:
    configurations = preset_configurations(
        with_values(
            Settings(),
            {
                **only("rsi", "ema"),
                "rsiOversold": [25, 30],
                "emaShort": [5, 9],
                "emaLong": [11, 21],
            },
        )
    )

    rsi, ema = rsi_ema = rules_of(configurations)

    assert len(configurations) == 8
    assert [len(each.values) for each in rsi_ema] == [2, 4]
    assert [each.of.tolist() for each in rsi_ema] == [[0] * 4 + [1] * 4, [0, 1, 2, 3] * 2]
    assert (rsi.indicator, rsi.lanes.tolist()) == (Rsi((14,)), [[0, 0]])
    assert ema.indicator == Ema((5, 9, 11, 21))
    assert ema.lanes.tolist() == [[0, 0, 1, 1], [2, 3, 2, 3]]
