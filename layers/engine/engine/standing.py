"""Where one Set stands, and why it stands no higher."""

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from engine.history import History
from engine.mirroring import switch_off
from engine.promotion import (
    FIRST_CHECK,
    PROMOTION,
    WINDOW,
    Evidence,
    Rule,
    Stage,
    Status,
    all_passed,
    below_peak,
    drawdown_time,
    exchange_drawdown_ms,
    first_check,
    give_back,
    resume_rules,
    second_check,
)
from engine.sets import Grid
from engine.settings import Settings
from engine.values import plain

MOST_PROFIT_FACTOR = Decimal("99.99")
"""Stands for gains without any loss."""

AVERAGED = (8, 15, 20, 25, 30, 50)
WISH = "wish"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStanding:
    """What the results of one Set say of it.

    Attributes
    ----------
    status, stage : its phase, and how far it has proved itself.
    count, kept, results : results ever, those still kept, and those of this epoch.
    average_r : mean of up to 50 last results of the epoch, position costs, net.
    averages : the same of the last 8, 15, 20, 25, 30, 50 where there are as many.
    win_pct, profit_factor : wins of those results, and their gains over their losses.
    drawdown_pct : their deepest fall below the peak, of the gains in them.
    drawdown_time_ms : longest time below the peak among the last 30.
    underwater_ms : since when they are below it, 0 at the peak.
    is_shadow : it opens in shadow only: paused, or too much was given back.
    free_ms : earliest next entry.
    """

    status: Status
    stage: Stage
    count: int
    kept: int
    results: int
    average_r: Decimal
    averages: tuple[tuple[int, Decimal], ...]
    win_pct: Decimal
    profit_factor: Decimal
    drawdown_pct: Decimal
    drawdown_time_ms: int
    underwater_ms: int
    is_shadow: bool
    free_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The rule a Set fails, with what was found and needed in the unit of its setting."""

    rule: str
    found: Decimal
    needed: Decimal
    at_most: bool = False

    @property
    def text(self) -> str:
        bound = "at most" if self.at_most else "at least"
        return f"{self.rule} {self.found}, {bound} {self.needed} needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a Set is not at the next stage.

    `step` is that stage's name, or `wish` for one that has reached the exchange; `finding` is None
    if nothing keeps it from it.
    """

    standing: SetStanding
    step: str
    finding: Finding | None

    @property
    def text(self) -> str:
        stage = self.standing.stage.name.lower()
        if self.finding is None:
            return f"{stage}: nothing is between it and {self.step}"
        return f"{stage}, not {self.step}: {self.finding.text}"


def standing_of(history: History, symbol: int, k: int) -> SetStanding:
    """The standing of Set `k` of a symbol after its newest result."""
    known = history.evidence(symbol, k, is_preset=False)
    r, count = known.r, min(int(known.results[0]), WINDOW)
    gains, losses = int(np.where(r > 0, r, 0).sum()), int(np.where(r < 0, -r, 0).sum())
    longest, since = drawdown_time(r[:, -known.times.shape[1] :], known.times)
    status = Status(int(known.status[0]))
    return SetStanding(
        status=status,
        stage=Stage(int(history.stage[symbol, k])),
        count=int(history.count[symbol, k]),
        kept=len(history.last_results(symbol, k)),
        results=int(known.results[0]),
        average_r=_mean(known, count),
        averages=tuple((n, _mean(known, n)) for n in AVERAGED if n <= int(known.results[0])),
        win_pct=ratio_of(100 * int((r > 0).sum()), count),
        profit_factor=profit_factor(gains, losses),
        drawdown_pct=ratio_of(100 * int(below_peak(r).max()), gains),
        drawdown_time_ms=int(longest[0]),
        underwater_ms=int(since[0]),
        is_shadow=bool(history.filtered[symbol, k]) or status is Status.PAUSED,
        free_ms=int(history.free_ms[symbol, k]),
    )


def explain_standing(
    history: History, grid: Grid, symbol: int, k: int, settings: Settings, *, at_ms: int = 0
) -> Explanation:
    """The first rule that Set `k` of a symbol fails on its way up.

    The rules are those that `advance` judges by. `at_ms` is the moment of the question: a Set
    below its peak for too long makes no wish though it holds its stage.
    """
    known = history.evidence(symbol, k, is_preset=bool(grid.is_preset[k]))
    standing = standing_of(history, symbol, k)
    for stage, rules in PROMOTION:
        failed = _first_failed(rules(known, settings))
        if failed is not None:
            finding = _phase(known, settings) if failed.name == "phase" else None
            step = stage.name.lower()
            return Explanation(standing=standing, step=step, finding=finding or finding_of(failed))
    finding = _wish_finding(known, standing, settings, at_ms)
    key = switch_off(grid, k, settings)
    if finding is None and key:
        finding = Finding(rule=key, found=Decimal(0), needed=Decimal(1))
    return Explanation(standing=standing, step=WISH, finding=finding)


def profit_factor(gains: int, losses: int) -> Decimal:
    """Gains over losses, at most 99.99; 0 without either."""
    if not losses:
        return MOST_PROFIT_FACTOR if gains else Decimal(0)
    return min(ratio_of(gains, losses), MOST_PROFIT_FACTOR)


def _wish_finding(
    known: Evidence, standing: SetStanding, settings: Settings, at_ms: int
) -> Finding | None:
    """What keeps a Set that has reached the exchange from making a wish."""
    rule = give_back(known, settings)
    if not rule.passed[0]:
        return finding_of(rule)
    limit = int(exchange_drawdown_ms(known.is_preset, settings)[0])
    below_ms = at_ms - standing.underwater_ms if standing.underwater_ms else 0
    if below_ms <= limit:
        return None
    minutes = (ratio_of(each, 60_000) for each in (below_ms, limit))
    found, needed = minutes
    return Finding(rule="underwater_min", found=found, needed=needed, at_most=True)


def _phase(known: Evidence, settings: Settings) -> Finding | None:
    """Why a Set is in a phase that is not healthy."""
    if known.status[0] == Status.FAILED:
        begun = replace(known, results=np.minimum(known.results, FIRST_CHECK))
        checks = first_check(begun, settings)
    else:
        checks = [*resume_rules(known, settings), *second_check(known, settings)]
    failed = _first_failed(checks)
    return None if failed is None else finding_of(failed)


def _first_failed(rules: list[Rule]) -> Rule | None:
    return next((rule for rule in rules if not all_passed([rule])[0]), None)


def finding_of(rule: Rule, row: int = 0) -> Finding:
    """What a rule says of one row."""
    scale = int(rule.scale[row])
    return Finding(
        rule=rule.name,
        found=ratio_of(int(rule.found[row]), scale),
        needed=ratio_of(int(rule.needed[row]), scale),
        at_most=rule.at_most,
    )


def ratio_of(number: int, of: int) -> Decimal:
    """`number / of` to four places, 0 of nothing."""
    ratio = Decimal(number) / of if of else Decimal(0)
    return Decimal(plain(ratio.quantize(Decimal("0.0001"))))


def _mean(known: Evidence, count: int) -> Decimal:
    return ratio_of(int(known.total(count)[0]), 100 * count)
