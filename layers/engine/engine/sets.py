"""Configuration Sets: the grid of what is tried on paper, the same columns for every symbol."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidSettingError
from engine.indications.slots import Slot
from engine.indications.state import kept_under
from engine.market import Ints
from engine.settings import Settings
from engine.spaces import Space, spaces_of
from engine.ticks import ratio_units
from engine.values import RULES, Exits, IndicationType, SetKey, Side, TradeMode, Variant

_KINDS = RULES


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
    kind : (K,) int64
        Place of its indication in `IndicationType`.
    sign : (K,) int64
        +1 for a long, -1 for a short Set.
    take_profit, stop_loss, trail_start, trail_stop : (K,) int64
        Distances in millionths of a percent; the last two 0 without trailing.
    trailing_only, ladder, profit_back : (K,) bool
        Flags of its exits.
    opposite : (J,) int64
        Slot that signals the other side of the same kind, -1 if there is none.
    short : (K,) int64
        Number of the short key, below `short_count`: Sets that differ in tuning alone share it.
    skipped : mapping
        Combinations left out, by reason: not_viable, unreachable, out_of_proportion,
        stop_too_wide, past_cap, duplicate.
    fingerprint : str
        Names everything the books of these Sets depend on.
    """

    slots: tuple[Slot, ...]
    exits: tuple[Exits, ...]
    slot: Ints
    exit: Ints
    begin: Ints
    kind: Ints
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
    skipped: Mapping[str, int]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.slot)

    @property
    def is_preset(self) -> NDArray[np.bool_]:
        """(K,) whether each Set trades in preset mode."""
        return self.of_type(IndicationType.PRESET)

    @property
    def is_adjusted(self) -> bool:
        """Whether any Set works on its open position, by a ladder or by profit-back."""
        return bool(self.ladder.any() or self.profit_back.any())

    def of_type(self, indication: IndicationType) -> NDArray[np.bool_]:
        """(K,) whether each Set is of an indication type."""
        chosen: NDArray[np.bool_] = self.kind == _KINDS.index(indication)
        return chosen

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


@lru_cache(maxsize=8)
def make_grid(settings: Settings) -> Grid:
    """Every Set worth trying under `settings`, at most `maxSetsPerSymbol` in each trade mode.

    Left out are targets below 1.5 round-trip costs and stops below twice spread and slippage
    (the spread taken as large as the slippage), trailing that could only arm past the target,
    and targets out of proportion to a range N. Spaces past the cap are sampled evenly, without
    walking through them: every type, both sides and every parameter get the same share.
    """
    pairs: dict[tuple[Slot, Exits], None] = {}
    skipped: Counter[str] = Counter()
    for mode in TradeMode:
        made = spaces_of(mode, settings)
        skipped += made.skipped
        kept = [
            (Slot(indication=s.indication, parameter=s.parameter, side=side, variant=variant), each)
            for s, most, turn in _shared_out(made.spaces, settings.max_sets_per_symbol // 2)
            for variant, each in s.sample(most, turn)
            for side in Side
        ]
        skipped["past_cap"] += len(Side) * sum(space.size for space in made.spaces) - len(kept)
        before = len(pairs)
        pairs |= dict.fromkeys(kept)
        skipped["duplicate"] += before + len(kept) - len(pairs)
    if not pairs:
        raise _without_sets(settings)
    slots, slot = _numbered([slot for slot, _ in pairs], _slot_order)
    exits, exit_ = _numbered([each for _, each in pairs], _exit_order)
    order = np.lexsort((exit_, slot))
    return _grid(slots, exits, slot[order], exit_[order], +skipped, settings)


def check_grid(settings: Settings) -> None:
    """Refuse what `make_grid` refuses, as soon as one Set is known, without making any.

    Raises
    ------
    InvalidSettingError
        If no Set is left to try.
    """
    for mode in TradeMode:
        if any(space.size for space in spaces_of(mode, settings).spaces):
            return
    raise _without_sets(settings)


def _without_sets(settings: Settings) -> InvalidSettingError:
    return InvalidSettingError(
        f"no Set is left to try in trade mode {settings.trade_mode}: no indication is enabled, "
        "or every exit was left out"
    )


def _shared_out(spaces: list[Space], most: int) -> list[tuple[Space, int, int]]:
    """How many Sets of each space are kept of `most` for a side, and its turn within its type.

    Every type gets the same share, and so does every parameter of a type.
    """
    by_type: dict[IndicationType, list[Space]] = {}
    for space in spaces:
        by_type.setdefault(space.indication, []).append(space)
    sizes = [sum(space.size for space in each) for each in by_type.values()]
    given: list[tuple[Space, int, int]] = []
    for each, share in zip(by_type.values(), even_shares(sizes, most), strict=True):
        shares = even_shares([space.size for space in each], share)
        given += zip(each, shares, range(len(each)), strict=True)
    return given


def even_shares(sizes: list[int], most: int) -> list[int]:
    """`most` divided as evenly as the sizes allow; what one cannot take goes to the others."""
    shares = [0] * len(sizes)
    order = sorted(range(len(sizes)), key=lambda number: (sizes[number], number))
    for rank, number in enumerate(order):
        shares[number] = min(sizes[number], most // (len(sizes) - rank))
        most -= shares[number]
    return shares


def _numbered[T](values: list[T], order: Callable[[T], Any]) -> tuple[tuple[T, ...], Ints]:
    """Different values in order, and the number of each of `values` among them."""
    different = sorted(set(values), key=order)
    number = {value: place for place, value in enumerate(different)}
    return tuple(different), np.array([number[value] for value in values], np.int64)


def _slot_order(slot: Slot) -> tuple[int, int, tuple[int | str, ...], int]:
    tuning = tuple(getattr(slot.variant, name) for name in Variant.__slots__)
    return _KINDS.index(slot.indication), slot.parameter, tuning, -slot.side.sign


def _exit_order(exits: Exits) -> tuple[Decimal, Decimal, Decimal, Decimal, int, tuple[str, ...]]:
    return (
        exits.take_profit_pct,
        exits.stop_loss_pct,
        exits.trail_start_pct,
        exits.trail_stop_pct,
        len(exits.flags),
        exits.flags,
    )


def _grid(
    slots: tuple[Slot, ...],
    exits: tuple[Exits, ...],
    slot: Ints,
    exit_: Ints,
    skipped: Mapping[str, int],
    settings: Settings,
) -> Grid:
    group = np.array([_KINDS.index(each.indication) for each in slots], np.int64)
    sign = np.array([each.side.sign for each in slots], np.int64)
    texts, text = _numbered([each.text for each in exits], str)
    short = ((group * 2 + (sign < 0))[slot]) * len(texts) + text[exit_]
    return Grid(
        slots=slots,
        exits=exits,
        slot=slot,
        exit=exit_,
        begin=np.searchsorted(slot, np.arange(len(slots) + 1)),
        kind=group[slot],
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
        short_count=2 * len(_KINDS) * len(texts),
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
            kept_under(settings),
            _adjusted_by(settings),
            f"{settings.database_size}|{settings.database_threshold_pct}",
        ]
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _adjusted_by(settings: Settings) -> str:
    """Names what open positions with a ladder or profit-back depend on."""
    s = settings
    ladder = (s.dca_distances_pct, s.dca_volumes, s.dca_max_total_ratio, s.dca_stop_margin_pct)
    target = (s.dca_take_profit_mode, s.breakeven_plus_pct, s.dca_step_cooldown_s)
    back = (s.profit_back_share_pct, s.profit_back_trail_pct, s.profit_back_aggressive)
    return "|".join(str(each) for each in (*ladder, *target, *back))
