"""Settings: each change is checked against its type and range."""

from dataclasses import fields
from decimal import Decimal

import pytest

from engine.errors import InvalidSettingError
from engine.settings import Settings, overrides, schema, with_values


def test_no_two_settings_share_a_key() -> None:
    assert len(schema()) == len(fields(Settings))


def test_every_default_lies_in_its_own_range() -> None:
    defaults = Settings()

    for field in fields(Settings):
        about, value = field.metadata["setting"], getattr(defaults, field.name)

        assert with_values(defaults, {about.key: value}) == defaults


def test_overrides_are_what_was_changed_and_bring_it_back() -> None:
    changed = with_values(
        Settings(), {"positionCost": "0.2", "gridRanges": [3, 5], "useMainSymbols": True}
    )

    assert overrides(changed) == {
        "positionCost": "0.2",
        "gridRanges": [3, 5],
        "useMainSymbols": True,
    }
    assert with_values(Settings(), overrides(changed)) == changed
    assert changed.position_cost_pct == Decimal("0.2")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("positionCost", "2", "positionCost must be a number between 0.01 and 1.0 %, was '2'"),
        ("positionCost", "NaN", "positionCost must be a number between 0.01 and 1.0 %, was 'NaN'"),
        ("positionCost", True, "positionCost must be a number between 0.01 and 1.0 %, was True"),
        (
            "max_leverage",
            "2.5",
            "max_leverage must be a whole number between 1 and 125 x, was '2.5'",
        ),
        ("max_leverage", 126, "max_leverage must be a whole number between 1 and 125 x, was 126"),
        ("useMainSymbols", "yes", "useMainSymbols must be true or false, was 'yes'"),
        ("quoteAsset", "EUR", "quoteAsset must be one of USDT, USDC, was 'EUR'"),
        (
            "gridRanges",
            [],
            "must be a list, up to 100 long, each a whole number between 3 and 30 steps, was []",
        ),
        ("gridRanges", [3, 31], "gridRanges must be a whole number between 3 and 30 steps, was 31"),
        ("mainSymbols", [1], "mainSymbols must be text of letters and digits, up to 30, was 1"),
    ],
)
def test_a_wrong_value_is_refused_by_name_value_and_range(
    key: str, value: object, said: str
) -> None:
    with pytest.raises(InvalidSettingError) as refused:
        with_values(Settings(), {key: value})

    assert said in str(refused.value)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="'speed' is unknown"):
        with_values(Settings(), {"speed": 1})


def test_trailing_starts_and_stops_come_in_pairs() -> None:
    with pytest.raises(InvalidSettingError, match="equally long, were 3 and 1"):
        with_values(Settings(), {"trailingStopValues": ["0.1"]})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"dcaVolumes": ["1.5"]}, "must be equally long, were 4 and 1"),
        ({"dcaDistances": ["0.5", "1", "1", "2"]}, "must rise from step to step, was 0.5 1 1 2"),
    ],
)
def test_steps_of_a_ladder_rise_and_have_a_volume_each(
    values: dict[str, object], said: str
) -> None:
    with pytest.raises(InvalidSettingError, match=said):
        with_values(Settings(), values)
