"""Active by activity: enough samples of a window moved one way, and of its last part, too."""

import numpy as np

from engine.indications.filters import last_part, market_change_factor
from engine.indications.legs import Legs, Samples, facts_of, window_legs
from engine.indications.slots import SlotTable
from engine.indications.thinned import totals
from engine.market import Ints
from engine.settings import Settings
from engine.ticks import RATIO, ratio_units


def activity_legs(
    samples: Samples, table: SlotTable, groups: Ints, settings: Settings
) -> list[Legs]:
    """Candidates: the shares of active samples reach the least any slot of the group asks for.

    The window is `activeWindowSeconds`, the side that of the change over it. A sample is active
    when it moved that way at least as fast as the market change factor of the activity range
    times the position cost in `marketChangeNormSeconds`.
    """
    window = samples.count(settings.active_window_s)
    first, usable = samples.decidable(window)
    if not usable.any():
        return []
    overall = samples.close[first:] - samples.close[first - window : -window]
    legs = []
    for group in groups.tolist():
        sign, index = int(table.group_sign[group]), int(table.group_parameter[group])
        shares = active_shares(samples, first, window, index, sign, settings)
        least = _least(table, group)
        found = usable & (sign * overall > 0)
        found &= (shares[0] >= least[0]) & (shares[1] >= least[1])
        row, symbol = np.nonzero(found)
        facts = {
            name: share[row, symbol]
            for name, share in zip(("active", "last_active"), shares, strict=True)
        }
        of_group = np.full(len(row), group)
        known = facts_of(len(row), facts)
        legs.append(window_legs(samples, table, of_group, row + first, symbol, window, known))
    return legs


def active_shares(
    samples: Samples, first: int, window: int, index: int, sign: int, settings: Settings
) -> tuple[Ints, Ints]:
    """Percent of samples that are active, rounded down, and of those of the last part.

    For the windows that end at `first` and later, (T, S) each.
    """
    close = samples.close[first - window :]
    needed = active_units(index, samples.span_ms, settings)
    change = sign * np.diff(close, axis=0)
    counted = totals((change * RATIO >= close[:-1] * needed).astype(np.int64))
    last = int(last_part(np.array([window]), settings)[0])
    share, last_share = (
        (counted[window:] - counted[window - part : len(counted) - part]) * 100 // part
        for part in (window, last)
    )
    return share, last_share


def active_units(index: int, span_ms: int, settings: Settings) -> int:
    """Least change of an active sample, in millionths of a percent."""
    pct = market_change_factor(index) * settings.position_cost_pct * span_ms
    return ratio_units(pct / (1000 * settings.market_change_norm_s))


def _least(table: SlotTable, group: int) -> tuple[int, int]:
    """The least shares any slot of a group asks for."""
    slots = table.members[table.begin[group] : table.begin[group + 1]]
    names = ("activity_pct", "last_activity_pct")
    of_all, of_last = (int(table.tuning[name][slots].min()) for name in names)
    return of_all, of_last
