"""Spaces of Sets: what each indication may be tried with, counted without walking through it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from math import gcd, prod
from typing import Any

import numpy as np

from engine.exit_grid import ExitGrid, Tried, compact_exits, full_exits, preset_exits
from engine.indicators.configurations import PresetConfiguration, preset_configurations
from engine.presets import PRESETS, with_preset
from engine.settings import Settings
from engine.values import Exits, IndicationType, TradeMode, Variant

RANGED = frozenset({IndicationType.DIRECTION, IndicationType.MOVE, IndicationType.OPTIMAL})
"""Their parameter is a range in steps."""

_WINDOWED = frozenset({IndicationType.ACTIVE_ADVANCED, IndicationType.AUTO})

Axes = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """All Sets of one indication and parameter on one side: the product of `axes` and `exits`.

    `axes` are fields of `Variant` with their values; `preset` is a configuration of common
    indicators.
    """

    indication: IndicationType
    parameter: int
    exits: tuple[Exits, ...]
    axes: Axes = ()
    preset: str = ""

    @property
    def variants(self) -> int:
        return prod(len(values) for _, values in self.axes)

    @property
    def size(self) -> int:
        return self.variants * len(self.exits)

    def sample(self, most: int, turn: int) -> list[tuple[Variant, Exits]]:
        """Up to `most` different Sets, spread evenly over every axis and the exits.

        Like spaces with turns 0, 1, 2 and so on take different ones.
        """
        sizes = [*(len(values) for _, values in self.axes), len(self.exits)]
        digits = spread(sizes, min(most, self.size), turn)
        made = {each[:-1]: self._variant(each[:-1]) for each in digits}
        return [(made[each[:-1]], self.exits[each[-1]]) for each in digits]

    def _variant(self, digits: tuple[int, ...]) -> Variant:
        numbers: dict[str, Any] = {
            name: values[digit] for (name, values), digit in zip(self.axes, digits, strict=True)
        }
        return Variant(preset=self.preset, **numbers)


@dataclass(slots=True)
class Spaces:
    """Spaces of one trade mode, and what was left out of them, by reason."""

    spaces: list[Space] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    def add(
        self,
        settings: Settings,
        exit_grid: ExitGrid,
        indication: IndicationType,
        parameter: int,
        axes: Axes = (),
        preset: str = "",
    ) -> None:
        """A space with those exits that suit the indication and its parameter."""
        variants = 2 * prod(len(values) for _, values in axes)  # both sides
        for reason, count in exit_grid.skipped.items():
            self.skipped[reason] += count * variants
        reason, suits = _suits(indication, parameter, settings)
        suited = [tried.exits for tried in exit_grid.tried if suits(tried)]
        self.skipped[reason] += (len(exit_grid.tried) - len(suited)) * variants
        space = Space(
            indication=indication,
            parameter=parameter,
            exits=tuple(suited),
            axes=axes,
            preset=preset,
        )
        self.spaces.append(space)


def spaces_of(mode: TradeMode, settings: Settings) -> Spaces:
    """What is tried in a trade mode; nothing if it is off."""
    made = Spaces()
    if not settings.runs(mode):
        return made
    if mode is TradeMode.PRESET:
        exit_grid = preset_exits(settings)
        for configuration in preset_configurations(settings):
            name = preset_name(configuration)
            made.add(settings, exit_grid, IndicationType.PRESET, 0, preset=name)
    elif settings.grid_profile == "preset":
        for name in PRESETS:
            _add_main(made, with_preset(settings, name))
    else:
        _add_main(made, settings)
    return made


def preset_name(configuration: PresetConfiguration) -> str:
    """A configuration's text as a part of a Set's key, where spaces divide."""
    return "+".join(configuration.text.split())


def spread(sizes: list[int], count: int, turn: int) -> list[tuple[int, ...]]:
    """`count` different numbers of the mixed radix `sizes`, evenly spread, as digits in order.

    They are multiples of a step prime to how many there are and near its golden section: every
    digit takes its values about equally often. The next turn goes on where this one ends.
    """
    total = prod(sizes)
    if not count:
        return []
    step = max(1, total * 618_033_989 // 1_000_000_000)
    while gcd(step, total) != 1:
        step += 1
    numbers = np.sort((np.arange(count) + turn * count) * step % total)
    columns = np.unravel_index(numbers, sizes)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _add_main(made: Spaces, settings: Settings) -> None:
    full = settings.grid_profile == "full"
    exit_grid = full_exits(settings) if full else compact_exits(settings)
    ranges = settings.full_ranges if full else settings.grid_ranges
    tunings = _tunings(settings) if full else ()
    for indication, is_on in _enabled(settings).items():
        if not is_on:
            continue
        parameters, axes = _parameters(indication, ranges, settings), tunings
        if indication is IndicationType.ACTIVE:
            axes = ()
        elif indication is IndicationType.ACTIVITY:
            axes = _activity_axes(settings, full=full)
        elif indication in _WINDOWED:
            axes = (("window_min", _windows(indication, settings)),)
        for parameter in parameters:
            made.add(settings, exit_grid, indication, parameter, axes)


def _enabled(settings: Settings) -> dict[IndicationType, bool]:
    return {
        IndicationType.DIRECTION: settings.direction_enabled,
        IndicationType.MOVE: settings.move_enabled,
        IndicationType.ACTIVE: settings.active_enabled,
        IndicationType.ACTIVITY: settings.activity_enabled,
        IndicationType.OPTIMAL: settings.optimal_enabled,
        IndicationType.ACTIVE_ADVANCED: settings.active_advanced_enabled,
        IndicationType.AUTO: settings.auto_enabled,
    }


def _parameters(
    indication: IndicationType, ranges: tuple[int, ...], settings: Settings
) -> list[int]:
    parameters: tuple[int, ...] = ranges
    if indication is IndicationType.ACTIVE:
        parameters = _hundredths(settings.active_thresholds_pct)
    elif indication is IndicationType.ACTIVITY:
        parameters = settings.activity_ranges
    elif indication in _WINDOWED:
        parameters = _hundredths(settings.advanced_ratios_pct)
    return sorted(set(parameters))


def _tunings(settings: Settings) -> Axes:
    """The filters of Direction, Move and Optimal."""
    return (
        ("drawdown_pct", _values(settings.full_drawdowns_pct)),
        ("market_change", _values(settings.full_market_changes)),
        ("last_part_pct", _values(settings.full_last_parts_pct)),
    )


def _activity_axes(settings: Settings, *, full: bool) -> Axes:
    shares = _values(settings.activity_shares_pct)
    lasts = _values(settings.activity_last_shares_pct)
    if not full:
        middle = (shares[len(shares) // 2],), (lasts[len(lasts) // 2],)
        return (("activity_pct", middle[0]), ("last_activity_pct", middle[1]))
    return (
        ("activity_pct", shares),
        ("last_activity_pct", lasts),
        ("market_change", _values(settings.activity_market_changes)),
        ("last_part_pct", _values(settings.full_last_parts_pct)),
    )


def _windows(indication: IndicationType, settings: Settings) -> tuple[int, ...]:
    advanced = indication is IndicationType.ACTIVE_ADVANCED
    return _values(settings.advanced_windows_min if advanced else settings.auto_windows_min)


def _values(values: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(values)))


def _hundredths(percentages: tuple[Decimal, ...]) -> tuple[int, ...]:
    return tuple(int((each * 100).to_integral_value(ROUND_HALF_EVEN)) for each in percentages)


def _suits(
    indication: IndicationType, n: int, settings: Settings
) -> tuple[str, Callable[[Tried], bool]]:
    """Which exits suit an indication of parameter `n`, and what the others are left out for."""
    if indication in _WINDOWED:
        return "stop_too_wide", lambda tried: tried.share <= settings.advanced_max_stop
    if indication not in RANGED:
        return "", lambda _: True
    nearest = max(1, n // settings.tp_range_divisor, round(n * settings.step_relation_min))
    farthest = max(1, round(n * settings.step_relation_max))
    return "out_of_proportion", lambda tried: nearest <= tried.factor <= farthest
