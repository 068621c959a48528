"""Evaluation of presets: which configurations may be traded on which symbols, and why not.

It looks at all symbols at once, so it stands beside the rules of one symbol: it only says which of
their wishes are passed on. It follows from the books and the moment alone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from engine.market import Ints
from engine.preset_pool import HOUR_MS, PresetPool, pooled, preset_rules
from engine.promotion import Rule, all_passed, drawdown_time
from engine.settings import Settings
from engine.standing import Finding, finding_of, profit_factor, ratio_of
from engine.trade_state import TradeState
from engine.values import IndicationType, SetKey, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetFigures:
    """What a configuration earned on a symbol, in position costs, net.

    `average_first` and `average_second` are over the newest `presetFirstCount` and
    `presetSecondCount` results, or all if they are fewer.
    """

    trades: int
    trades_48h: int
    average_r: Decimal
    profit_factor: Decimal
    average_first: Decimal
    average_second: Decimal
    drawdown_time_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """All configurations on one symbol."""

    pool: PresetPool
    rules: tuple[Rule, ...]
    rank: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetEvaluation:
    """What presets may do, by their results closed until `at_ms`.

    `whole` are the configurations that rest on every symbol, and why.
    """

    at_ms: int
    names: tuple[str, ...]
    judged: Mapping[str, _Judged]
    whole: Mapping[str, Finding]
    settings: Settings

    def resting(self, name: str, symbol: str) -> Finding | None:
        """Why a configuration rests on a symbol, None if it may be traded."""
        if name in self.whole:
            return self.whole[name]
        place = self.names.index(name)
        failed = (rule for rule in self.judged[symbol].rules if not rule.passed[place])
        rule = next(failed, None)
        return None if rule is None else finding_of(rule, place)

    def figures(self, name: str, symbol: str) -> PresetFigures:
        """What it is judged by."""
        place, pool = self.names.index(name), self.judged[symbol].pool
        first, second = (
            ratio_of(int(total[place]), 100 * int(number[place]))
            for total, number in (
                pool.newest(self.settings.preset_first_count),
                pool.newest(self.settings.preset_second_count),
            )
        )
        gains, losses = int(pool.gains[place]), int(pool.losses[place])
        longest, _ = drawdown_time(pool.r[[place]], pool.times[[place]])
        return PresetFigures(
            trades=int(pool.trades[place]),
            trades_48h=int(pool.trades_48h[place]),
            average_r=ratio_of(gains - losses, 100 * int(pool.trades[place])),
            profit_factor=profit_factor(gains, losses),
            average_first=first,
            average_second=second,
            drawdown_time_ms=int(longest[0]),
        )

    def passed_on(self, wishes: Iterable[Wish]) -> tuple[Wish, ...]:
        """The wishes that go to the exchange: all of main mode, then those of presets by rank."""
        main: list[Wish] = []
        preset: list[Wish] = []
        for wish in wishes:
            if wish.key.indication is not IndicationType.PRESET:
                main.append(wish)
            elif self.resting(wish.key.variant.preset, wish.key.symbol) is None:
                preset.append(wish)
        taken: Counter[str] = Counter()
        chosen: list[Wish] = []
        for wish in sorted(preset, key=lambda wish: (self._rank(wish.key), wish.key.text)):
            taken[wish.key.symbol] += 1
            if taken[wish.key.symbol] <= self.settings.preset_wishes_per_symbol:
                chosen.append(wish)
        return (*main, *chosen[: self.settings.max_mirrored_per_cycle])

    def reasons(self) -> dict[str, str]:
        """Why what rests does, by `configuration|symbol`, or `configuration` if on all."""
        found = {name: finding.text for name, finding in self.whole.items()}
        for name in self.names:
            for symbol in self.judged if name not in self.whole else ():
                finding = self.resting(name, symbol)
                if finding is not None:
                    found[f"{name}|{symbol}"] = finding.text
        return found

    @property
    def counts(self) -> dict[str, int]:
        """Pairs of configuration and symbol that may be traded, and that rest."""
        may = np.array([all_passed(list(each.rules)) for each in self.judged.values()], np.bool_)
        may = may.reshape(len(self.judged), len(self.names))
        may &= ~np.array([name in self.whole for name in self.names], np.bool_)
        trading = int(may.sum())
        return {"presets_trading": trading, "presets_resting": may.size - trading}

    def _rank(self, key: SetKey) -> int:
        return int(self.judged[key.symbol].rank[self.names.index(key.variant.preset)])


def evaluation_time(last_close_ms: int, settings: Settings) -> int:
    """The newest moment of evaluation: a whole multiple of `presetEvaluationHours`."""
    period = settings.preset_evaluation_h * HOUR_MS
    return last_close_ms // period * period


def evaluate_presets(state: TradeState, settings: Settings, at_ms: int) -> PresetEvaluation:
    """Judge every configuration on every symbol by its results closed until `at_ms`.

    It rests on a symbol if one of these does not hold: enough results, enough within 48 h, their
    average, one of the two newer averages above zero, no drawdown for too long, and with
    `presetAutoEvaluate` the average of the newest alone. One that fails by that last rule on more
    than `presetFailedShare` of the symbols rests on all of them.
    """
    grid = state.grid
    names = sorted({slot.variant.preset for slot in grid.slots} - {""})
    place = {name: number for number, name in enumerate(names)}
    group = np.array([place.get(slot.variant.preset, -1) for slot in grid.slots])[grid.slot]
    judged: dict[str, _Judged] = {}
    for column, symbol in enumerate(state.symbols):
        pool = pooled(state, column, group, len(names), at_ms, settings.preset_second_count)
        rules = tuple(preset_rules(pool, settings))
        judged[symbol] = _Judged(pool=pool, rules=rules, rank=pool.ranks(settings))
    return PresetEvaluation(
        at_ms=at_ms,
        names=tuple(names),
        judged=judged,
        whole=_whole(names, list(judged.values()), settings),
        settings=settings,
    )


def _whole(names: list[str], judged: list[_Judged], settings: Settings) -> dict[str, Finding]:
    failed = np.sum([~each.rules[-1].passed for each in judged], axis=0)
    limit = settings.preset_failed_share_pct
    return {
        name: Finding(
            rule="failed_symbols_pct",
            found=ratio_of(100 * int(count), len(judged)),
            needed=Decimal(limit),
            at_most=True,
        )
        for name, count in zip(names, failed, strict=True)
        if count * 100 > limit * len(judged)
    }
