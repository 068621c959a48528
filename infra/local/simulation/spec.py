"""One case, drawn from its seed: market, wishes, faults, deaths, and who else is about."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from engine.settings import Settings, with_values
from local.paper.market.instruments import instruments
from local.paper.market.scripted import Jump, ScriptedMarket
from local.simulation.hazards import ORDER_PATH, Act, Hazard
from local.simulation.lenient import LENIENT
from local.simulation.waves import TidalMarket
from local.simulation.weather import Weather

SYMBOLS = tuple(one.symbol for one in instruments(2))
EPOCH_MS = 1_760_000_400_000
TRADING = 0.12
"""The share of cases in which the trade loop runs, too, and makes the wishes."""
PREHISTORY_MS = 240_000
_EAGER: Mapping[str, object] = {
    **LENIENT,
    "validationTimeout": 1,
    "baseProfitFactor": "0.1",
    "mainProfitFactor": "0.1",
    "realProfitFactor": "0.1",
    "profitFactorMinMain": "0.1",
    "minClassicPfExchange": "1.0",
    "maxDrawdownTimeHours": 72,
    "snapshotIntervalSeconds": 10,
    "maxMirroredPerCycle": 1,
    "max_open_positions": 6,
    "positionCooldown": 5,
}
_EIGHT_HOURS_MS = 28_800_000
# Where a worker that stands still past its lease does most harm when it wakes.
_ZOMBIE_STEPS = (
    "store.write_facts before",
    "store.write_facts after",
    "store.claim before",
    "store.claim after",
    "place before",
)
_STORE_ACTS = ("store.write_facts", "store.claim", "store.write_position_ticks")

QUIET_RISK = {
    "max_daily_loss_pct": Decimal(0),
    "max_drawdown_pct": Decimal(0),
    "max_consecutive_losses": 0,
    "stop_guard_count": 0,
    "loss_guard_pct": Decimal(0),
    "low_profit_count": 0,
}


@dataclass(slots=True)
class Spec:
    """Everything a case is, before it runs; equal for equal seeds."""

    seed: int
    venue: str
    dice: random.Random
    epoch_ms: int
    storm_s: int
    market: ScriptedMarket
    settings: Settings
    hedge: bool
    cross: bool
    weather: Weather
    hazards: tuple[Hazard, ...]
    worker_skews_ms: tuple[int, ...]
    venue_skew_ms: int
    wish_rate: float
    meddling: float
    mischief: float
    runs_trade: bool


def drawn(seed: int, venue: str) -> Spec:
    """The case of a seed at a venue."""
    dice = random.Random(f"{venue}:{seed}")
    storm_s = dice.randrange(15, 40)
    runs_trade = random.Random(f"trade loop {venue}:{seed}").random() < TRADING
    epoch_ms = EPOCH_MS + dice.randrange(1000) * 3_600_000 + dice.randrange(60_000)
    if dice.random() < 0.2:  # a funding time falls into the storm
        epoch_ms = epoch_ms // _EIGHT_HOURS_MS * _EIGHT_HOURS_MS - dice.randrange(storm_s * 1000)
    return Spec(
        seed=seed,
        venue=venue,
        dice=dice,
        epoch_ms=epoch_ms,
        storm_s=storm_s,
        market=_market(dice, seed, epoch_ms, storm_s, runs_trade=runs_trade),
        settings=_trading(_settings(dice)) if runs_trade else _settings(dice),
        hedge=dice.random() < 0.7,
        cross=dice.random() < 0.7,
        weather=Weather.drawn(random.Random(dice.randrange(2**32))),
        hazards=_hazards(dice),
        worker_skews_ms=tuple(dice.randrange(-300, 300) for _ in range(3)),
        venue_skew_ms=dice.choice((0, dice.randrange(-900, 900))),
        wish_rate=dice.choice((0.1, 0.25, 0.5)),
        meddling=dice.choice((0.0, 0.0, 0.05, 0.15)),
        mischief=dice.choice((0.0, 1.0, 2.0)),
        runs_trade=runs_trade,
    )


def _market(
    dice: random.Random, seed: int, epoch_ms: int, storm_s: int, *, runs_trade: bool
) -> ScriptedMarket:
    jumps = [
        Jump(
            symbol=dice.choice(SYMBOLS),
            at_ms=epoch_ms + dice.randrange(storm_s * 1000),
            factor=1 + dice.uniform(-0.01, 0.01),
        )
        for _ in range(dice.randrange(4))
    ]
    swing = dice.choice((1e-4, 3e-4, 6e-4))
    made = TidalMarket if runs_trade else ScriptedMarket
    return made(instruments(len(SYMBOLS)), seed, jumps=jumps, swing=swing)


def _trading(settings: Settings) -> Settings:
    """A small grid and gates that open within minutes."""
    return with_values(settings, _EAGER)


def _settings(dice: random.Random) -> Settings:
    return replace(
        Settings(),
        **QUIET_RISK,  # type: ignore[arg-type]  # of several fields
        lease_ms=5_000,
        lease_margin_ms=1_000,
        burst_s=dice.choice((5, 10, 20)),
        reconcile_interval_s=dice.choice((5, 10, 30)),
        position_cooldown_s=0,
        funding_interval_s=10,
        dca_distances_pct=tuple(map(Decimal, ("0.1", "0.2", "0.3", "0.4"))),
        dca_step_cooldown_s=2,
        profit_back_on_exchange=True,
        main_timeout_h=_timeout_h(dice),
        max_symbol_exposure_pct=Decimal(500),
    )


def _timeout_h(dice: random.Random) -> Any:
    """Hours of the table, seconds of a storm: 21.6 s now and then."""
    return Decimal("0.006") if dice.random() < 0.3 else Settings().main_timeout_h


def _hazards(dice: random.Random) -> tuple[Hazard, ...]:
    """Up to four, anywhere on the order path."""
    found = [_hazard(dice) for _ in range(dice.choice((0, 1, 1, 2, 3)))]
    if dice.random() < 0.25:
        step = dice.choice(_ZOMBIE_STEPS)
        nth, for_ms = dice.randrange(1, 5), dice.randrange(4_500, 9_000)
        found.append(Hazard(step=step, nth=nth, act=Act.FREEZE, for_ms=for_ms))
    return tuple(found)


def _hazard(dice: random.Random) -> Hazard:
    step = dice.choice(ORDER_PATH)
    acts = [Act.DIE, Act.DIE, Act.FREEZE]
    if step.startswith(_STORE_ACTS) and "between" not in step:
        acts += [Act.THROTTLE if step.endswith("before") else Act.UNCLEAR] * 2
    act = dice.choice(acts)
    for_ms = dice.choice((300, 900, 2_101, 7_000, 9_001)) if act is Act.FREEZE else 0
    return Hazard(step=step, nth=dice.randrange(1, 12), act=act, for_ms=for_ms)
