"""Every setting in one typed schema; its tables stand in `tabs`, one for each tab."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from engine.errors import InvalidSettingError
from engine.setting import Effect, Setting, Value, checked
from engine.tabs.adjust import AdjustSettings, check_ladder
from engine.tabs.block import BlockSettings
from engine.tabs.coordination import CoordinationSettings
from engine.tabs.exchange import ExchangeSettings
from engine.tabs.grid import GridSettings
from engine.tabs.indication import IndicationSettings
from engine.tabs.overall import OverallSettings
from engine.tabs.preset import PresetSettings, check_preset
from engine.tabs.promotion import PromotionSettings
from engine.tabs.risk import RiskSettings
from engine.tabs.strategy import StrategySettings
from engine.tabs.system import SystemSettings, check_lease
from engine.values import TradeMode


@dataclass(frozen=True, kw_only=True)
class Settings(
    SystemSettings,
    RiskSettings,
    CoordinationSettings,
    ExchangeSettings,
    PromotionSettings,
    AdjustSettings,
    GridSettings,
    BlockSettings,
    StrategySettings,
    IndicationSettings,
    PresetSettings,
    OverallSettings,
):
    """The values the engine runs with; build changed ones with `with_values`.

    A dataclass takes its fields from its last base first.
    """

    def runs(self, mode: TradeMode) -> bool:
        """Whether the engine of this mode runs."""
        return self.trade_mode in (mode.value, "both")

    @property
    def round_trip_cost_pct(self) -> Decimal:
        """Fees and slippage of entry and exit together, in percent of the price."""
        return 2 * (self.taker_fee_pct + self.slippage_pct)


DEFAULTS = Settings()

_NAMES: Mapping[str, str] = {f.metadata["setting"].key: f.name for f in fields(Settings)}
_ABOUT: Mapping[str, Setting] = {
    f.metadata["setting"].key: f.metadata["setting"] for f in fields(Settings)
}


def schema() -> Mapping[str, Setting]:
    """Every setting by its key."""
    return _ABOUT


def with_values(settings: Settings, values: Mapping[str, object]) -> Settings:
    """`settings` with the given keys changed, each checked against its type and range.

    Raises
    ------
    InvalidSettingError
        Naming every wrong key with its value and allowed range; nothing is changed then.
    """
    changed: dict[str, Any] = {_NAMES[key]: value for key, value in checked_values(values).items()}
    made = replace(settings, **changed)
    _check_together(made)
    return made


def checked_values(values: Mapping[str, object]) -> dict[str, Value]:
    """The values as their types, each inside its range; whether they fit together is not asked.

    Raises
    ------
    InvalidSettingError
        Naming every wrong key with its value and allowed range.
    """
    made: dict[str, Value] = {}
    problems: list[tuple[str, str]] = []
    for key, value in values.items():
        try:
            made[key] = _checked(key, value)
        except InvalidSettingError as error:
            problems.append((key, str(error)))
    if problems:
        raise InvalidSettingError("; ".join(text for _, text in problems), tuple(problems))
    return made


def _checked(key: str, value: object) -> Value:
    if key not in _NAMES:
        raise InvalidSettingError(f"setting {key!r} is unknown")
    return checked(_ABOUT[key], value, getattr(DEFAULTS, _NAMES[key]))


def _check_together(made: Settings) -> None:
    for only, enabled, holds in (
        ("trailingOnly", "trailingEnabled", made.trailing_enabled or not made.trailing_only),
        ("dcaOnly", "dcaEnabled", made.dca_enabled or not made.dca_only),
    ):
        if not holds:
            raise InvalidSettingError(f"{only} must be false unless {enabled} is true, was True")
    check_preset(made)
    check_ladder(made)
    check_lease(made)
    if len(made.trail_starts_pct) != len(made.trail_stops_pct):
        raise InvalidSettingError(
            "trailingStartValues and trailingStopValues must be equally long, were "
            f"{len(made.trail_starts_pct)} and {len(made.trail_stops_pct)}"
        )


def value_of(settings: Settings, key: str) -> Value:
    """What `settings` hold under a key of the schema."""
    value: Value = getattr(settings, _NAMES[key])
    return value


def taking(running: Settings, wanted: Settings, effects: Container[Effect]) -> Settings:
    """`running` with the values of `wanted` for all keys of these effects."""
    taken: dict[str, Any] = {
        name: getattr(wanted, name) for key, name in _NAMES.items() if _ABOUT[key].effect in effects
    }
    return replace(running, **taken)


def overrides(settings: Settings) -> dict[str, object]:
    """The keys that differ from the defaults, as JSON values: `with_values` undoes it."""
    return {
        key: to_json(getattr(settings, name))
        for key, name in _NAMES.items()
        if getattr(settings, name) != getattr(DEFAULTS, name)
    }


def to_json(value: Value) -> object:
    """A setting's value as JSON carries it; decimals become strings."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return [to_json(part) for part in value]
    return value
