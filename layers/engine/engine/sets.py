"""Configuration Sets: the grid of what is tried on paper, the same columns for every symbol."""

import hashlib
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
from numpy.typing import NDArray

from engine.indications.slots import Slot
from engine.market import Ints
from engine.settings import Settings
from engine.ticks import ratio_units
from engine.values import Exits, IndicationType, SetKey, Side, TradeMode, plain

_VIABLE_TARGET = Decimal("1.5")  # times the round-trip cost
_VIABLE_STOP = 2  # times spread and slippage


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """K Sets of a symbol: J slots, each with some of E exits; Sets are sorted by slot.

    Attributes
    ----------
    slots : tuple of Slot, length J
    exits : tuple of Exits, length E
    slot, exit : (K,) int64
        Slot and exits of each Set.
    begin : (J + 1,) int64
        Sets of slot j are begin[j] up to begin[j + 1].
    sign : (K,) int64
        +1 for a long, -1 for a short Set.
    take_profit, stop_loss, trail_start, trail_stop : (K,) int64
        Distances in millionths of a percent; the last two 0 without trailing.
    trailing_only, ladder, profit_back : (K,) bool
        Flags of its exits.
    opposite : (J,) int64
        Slot that signals the other side of the same kind, -1 if there is none.
    short : (K,) int64
        Number of the short key, below `short_count`: Sets that differ in parameter alone share it.
    skipped : int
        Combinations left out as not viable, unreachable or past the cap.
    fingerprint : str
        Names everything the books of these Sets depend on.
    """

    slots: tuple[Slot, ...]
    exits: tuple[Exits, ...]
    slot: Ints
    exit: Ints
    begin: Ints
    sign: Ints
    take_profit: Ints
    stop_loss: Ints
    trail_start: Ints
    trail_stop: Ints
    trailing_only: NDArray[np.bool_]
    ladder: NDArray[np.bool_]
    profit_back: NDArray[np.bool_]
    opposite: Ints
    short: Ints
    short_count: int
    skipped: int
    fingerprint: str

    def __len__(self) -> int:
        return len(self.slot)

    @property
    def is_preset(self) -> NDArray[np.bool_]:
        """(K,) whether each Set trades in preset mode."""
        of_slots = [slot.indication.mode is TradeMode.PRESET for slot in self.slots]
        return np.array(of_slots, np.bool_)[self.slot]

    @property
    def is_adjusted(self) -> bool:
        """Whether any Set works on its open position, by a ladder or by profit-back."""
        return bool(self.ladder.any() or self.profit_back.any())

    def of_type(self, indication: IndicationType) -> NDArray[np.bool_]:
        """(K,) whether each Set is of an indication type."""
        return np.array([slot.indication is indication for slot in self.slots], np.bool_)[self.slot]

    def key(self, symbol: str, k: int) -> SetKey:
        """The identity of Set `k` of a symbol."""
        slot = self.slots[int(self.slot[k])]
        return SetKey(
            symbol=symbol,
            indication=slot.indication,
            parameter=slot.parameter,
            side=slot.side,
            variant=slot.variant,
            exits=self.exits[int(self.exit[k])],
        )

    def index(self, key: SetKey) -> int | None:
        """The Set of a key, None if the grid does not hold it."""
        slot = Slot(
            indication=key.indication,
            parameter=key.parameter,
            side=key.side,
            variant=key.variant,
        )
        if slot not in self.slots or key.exits not in self.exits:
            return None
        at = (self.slot == self.slots.index(slot)) & (self.exit == self.exits.index(key.exits))
        found = np.flatnonzero(at)
        return int(found[0]) if len(found) else None


def make_grid(settings: Settings) -> Grid:
    """Every Set worth trying under `settings`, at most `maxSetsPerSymbol`.

    Left out are targets below 1.5 round-trip costs and stops below twice spread and slippage
    (the spread taken as large as the slippage), trailing that could only arm past the target,
    and targets out of proportion to the range N of Direction and Move. A grid past the cap is
    thinned evenly.
    """
    slots = _slots(settings)
    exits, tried = _exits(settings)
    pairs = [
        (j, e)
        for j, slot in enumerate(slots)
        for e, (factor, _) in enumerate(exits)
        if _in_proportion(slot, factor, settings)
    ]
    total = tried * len(slots)
    if len(pairs) > settings.max_sets_per_symbol:
        kept = settings.max_sets_per_symbol
        pairs = [pairs[i * len(pairs) // kept] for i in range(kept)]
    return _grid(slots, tuple(each for _, each in exits), pairs, total - len(pairs), settings)


def _slots(settings: Settings) -> tuple[Slot, ...]:
    thresholds = tuple(
        int((each * 100).to_integral_value(ROUND_HALF_EVEN))
        for each in settings.active_thresholds_pct
    )
    parameters = {
        IndicationType.DIRECTION: settings.grid_ranges,
        IndicationType.MOVE: settings.grid_ranges,
        IndicationType.ACTIVE: thresholds,
    }
    return tuple(
        Slot(indication=indication, parameter=parameter, side=side)
        for indication, all_parameters in parameters.items()
        for parameter in sorted(set(all_parameters))
        for side in Side
    )


def _exits(settings: Settings) -> tuple[list[tuple[Decimal, Exits]], int]:
    """Viable exits with their target factor, and how many were tried."""
    trails = [(Decimal(0), Decimal(0))]
    if settings.trailing_enabled:
        pairs = zip(settings.trail_starts_pct, settings.trail_stops_pct, strict=True)
        trails += list(dict.fromkeys(pairs))
    viable: list[tuple[Decimal, Exits]] = []
    factors, shares = sorted(set(settings.grid_take_profits)), settings.grid_stop_losses
    for factor in factors:
        for share in sorted(set(shares)):
            target = factor * settings.position_cost_pct
            if not _is_viable(target, target * share, settings):
                continue
            for start, stop in trails:
                if start < target:
                    viable.append((factor, _exit(target, target * share, start, stop)))
    return viable, len(factors) * len(set(shares)) * len(trails)


def _exit(target: Decimal, stop: Decimal, trail_start: Decimal, trail_stop: Decimal) -> Exits:
    return Exits(
        take_profit_pct=Decimal(plain(target)),
        stop_loss_pct=Decimal(plain(stop)),
        trail_start_pct=Decimal(plain(trail_start)),
        trail_stop_pct=Decimal(plain(trail_stop)),
    )


def _is_viable(target_pct: Decimal, stop_pct: Decimal, settings: Settings) -> bool:
    if not settings.min_viable_exits:
        return True
    spread = settings.slippage_pct
    return (
        target_pct >= _VIABLE_TARGET * settings.round_trip_cost_pct
        and stop_pct >= _VIABLE_STOP * (spread + settings.slippage_pct)
    )


def _in_proportion(slot: Slot, factor: Decimal, settings: Settings) -> bool:
    """Targets (in position costs) must suit the range (in steps); thresholds have no range."""
    if slot.indication is IndicationType.ACTIVE:
        return True
    n = slot.parameter
    nearest = max(1, n // settings.tp_range_divisor, round(n * settings.step_relation_min))
    return nearest <= factor <= max(1, round(n * settings.step_relation_max))


def _grid(
    slots: tuple[Slot, ...],
    exits: tuple[Exits, ...],
    pairs: list[tuple[int, int]],
    skipped: int,
    settings: Settings,
) -> Grid:
    slot, exit_ = np.array(pairs, np.int64).reshape(-1, 2).T.copy()
    kinds = list(IndicationType)
    group = np.array([kinds.index(each.indication) for each in slots], np.int64)
    sign = np.array([each.side.sign for each in slots], np.int64)
    short = ((group * 2 + (sign < 0))[slot]) * len(exits) + exit_
    return Grid(
        slots=slots,
        exits=exits,
        slot=slot,
        exit=exit_,
        begin=np.searchsorted(slot, np.arange(len(slots) + 1)),
        sign=sign[slot],
        take_profit=_units([each.take_profit_pct for each in exits])[exit_],
        stop_loss=_units([each.stop_loss_pct for each in exits])[exit_],
        trail_start=_units([each.trail_start_pct for each in exits])[exit_],
        trail_stop=_units([each.trail_stop_pct for each in exits])[exit_],
        trailing_only=np.array([each.trailing_only for each in exits], np.bool_)[exit_],
        ladder=np.array([each.ladder for each in exits], np.bool_)[exit_],
        profit_back=np.array([each.profit_back for each in exits], np.bool_)[exit_],
        opposite=_opposites(slots),
        short=short,
        short_count=2 * len(kinds) * len(exits),
        skipped=skipped,
        fingerprint=_fingerprint(slots, exits, slot, exit_, settings),
    )


def _opposites(slots: tuple[Slot, ...]) -> Ints:
    number = {slot: j for j, slot in enumerate(slots)}
    others = [number.get(replace(slot, side=slot.side.opposite), -1) for slot in slots]
    return np.array(others, np.int64)


def _units(percentages: list[Decimal]) -> Ints:
    return np.array([ratio_units(each) for each in percentages], np.int64)


def _fingerprint(
    slots: tuple[Slot, ...],
    exits: tuple[Exits, ...],
    slot: NDArray[np.int64],
    exit_: NDArray[np.int64],
    settings: Settings,
) -> str:
    text = "\n".join(
        [
            *(
                f"{each.indication}|{each.parameter}|{each.variant.text}|{each.side}"
                for each in slots
            ),
            *("+".join((each.text, *each.flags)) for each in exits),
            f"{slot.tolist()}{exit_.tolist()}",
            f"{plain(settings.position_cost_pct)}|{plain(settings.step_size_factor)}",
            f"{settings.active_window_s}|{settings.database_size}|{settings.database_threshold_pct}",
        ]
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]
