"""Exits worth trying: the product of targets, stops, trailing and adjusts, less what cannot pay."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product

from engine.settings import Settings
from engine.values import Exits, plain

_VIABLE_TARGET = Decimal("1.5")  # times the round-trip cost
_VIABLE_STOP = 2  # times spread and slippage
_NO_TRAIL = (Decimal(0), Decimal(0))

Trail = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Exits with what they were made of: target in position costs, stop as a share of it."""

    factor: Decimal
    share: Decimal
    exits: Exits


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitGrid:
    """Exits to try, and how many others were left out for each reason."""

    tried: tuple[Tried, ...]
    skipped: Counter[str]


def compact_exits(settings: Settings) -> ExitGrid:
    """Few values; the first trailing start with the first stop, and so on."""
    return _exit_grid(
        settings.grid_take_profits, settings.grid_stop_losses, _pairs(settings), settings
    )


def full_exits(settings: Settings) -> ExitGrid:
    """All targets and stops of the main engine, with the same trailing pairs."""
    return _exit_grid(
        settings.full_take_profits, settings.full_stop_losses, _pairs(settings), settings
    )


def preset_exits(settings: Settings) -> ExitGrid:
    """Those of common indicators, with every trailing start for every stop."""
    trails = product(settings.preset_trail_starts_pct, settings.preset_trail_stops_pct)
    return _exit_grid(
        settings.preset_take_profits, settings.preset_stop_losses, list(trails), settings
    )


def _pairs(settings: Settings) -> list[Trail]:
    return list(zip(settings.trail_starts_pct, settings.trail_stops_pct, strict=True))


def _exit_grid(
    factors: Iterable[Decimal], shares: Iterable[Decimal], trails: list[Trail], settings: Settings
) -> ExitGrid:
    """Leaves out what costs would eat, and trailing that could only arm past its target."""
    tried: list[Tried] = []
    skipped: Counter[str] = Counter()
    adjusts = _adjusts(settings)
    for factor, share in product(sorted(set(factors)), sorted(set(shares))):
        target = factor * settings.position_cost_pct
        viable = _is_viable(target, target * share, settings)
        for trail in _trails(trails, settings):
            if not viable:
                skipped["not_viable"] += len(adjusts)
            elif trail[0] >= target and not settings.trailing_only:
                skipped["unreachable"] += len(adjusts)
            else:
                exits = _exits(target, target * share, trail, settings)
                made = [replace(exits, ladder=a, profit_back=b) for a, b in adjusts]
                tried += [Tried(factor=factor, share=share, exits=each) for each in made]
    return ExitGrid(tried=tuple(tried), skipped=skipped)


def _trails(trails: list[Trail], settings: Settings) -> list[Trail]:
    if not settings.trailing_enabled:
        return [_NO_TRAIL]
    plain_too = [] if settings.trailing_only else [_NO_TRAIL]
    return [*plain_too, *dict.fromkeys(trails)]


def _adjusts(settings: Settings) -> list[tuple[bool, bool]]:
    """Whether with a ladder, and whether with profit-back: the combinations that are tried."""
    ladders = [] if settings.dca_only else [False]
    ladders += [True] if settings.dca_enabled else []
    backs = [False, True] if settings.profit_back_enabled else [False]
    return list(product(ladders, backs))


def _exits(target: Decimal, stop: Decimal, trail: Trail, settings: Settings) -> Exits:
    return Exits(
        take_profit_pct=Decimal(plain(target)),
        stop_loss_pct=Decimal(plain(stop)),
        trail_start_pct=Decimal(plain(trail[0])),
        trail_stop_pct=Decimal(plain(trail[1])),
        trailing_only=settings.trailing_only,
    )


def _is_viable(target_pct: Decimal, stop_pct: Decimal, settings: Settings) -> bool:
    """Targets from 1.5 round-trip costs, stops from twice spread and slippage.

    The spread is taken as large as the slippage.
    """
    if not settings.min_viable_exits:
        return True
    spread = settings.slippage_pct
    return (
        target_pct >= _VIABLE_TARGET * settings.round_trip_cost_pct
        and stop_pct >= _VIABLE_STOP * (spread + settings.slippage_pct)
    )
