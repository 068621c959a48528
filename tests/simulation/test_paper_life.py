"""The whole paper trade life against a plain loop over candles and Sets."""

from collections import Counter
from typing import Any

import pytest
from tests.market import walked
from tests.paper_reference import PaperReference
from tests.unit.engine.trading import WORKED, fresh, lenient

from engine.market import Candles
from engine.pseudo import REASONS
from engine.settings import Settings
from engine.trade import TradePlan, plan_trade

SYMBOLS = ("AUSDT", "BUSDT")
OPENED = ("bar", "symbol", "set", "entry", "stage", "shadow", "ratio", "wish")
CLOSED = ("result", "entry", "exit", "steps", "taken", "opened_ms", "shadow")
CASES: list[tuple[dict[str, object], tuple[str, ...]]] = [
    (
        {"dcaTakeProfitMode": "average", "exitOnOpposite": True},
        ("strategy_exit", "take_profit", "stop_loss", "trailing_stop", "ratio 200"),
    ),
    (
        {"dcaTakeProfitMode": "first_entry", "profitBackAggressive": False},
        ("take_profit", "stop_loss", "trailing_stop", "ratio 300"),
    ),
    ({"dcaTakeProfitMode": "breakeven_plus", "blockOnly": True}, ("take_profit", "ratio 200")),
    ({"mainPositionTimeoutHours": 1, "exitOnOpposite": True}, ("timeout", "strategy_exit")),
    (
        {"trailingOnly": True, "blockNeutralPositions": 2, "blockComparisonWindow": 20},
        ("trailing_stop", "stop_loss", "ratio 200"),
    ),
    (
        {
            "blockSizes": [2, 3],
            "block_reactivate_threshold": 10,
            "blockAdjustmentRatio": "0.5",
            "dcaStepCooldownSeconds": 60,
        },
        ("ratio 150", "ratio 200"),
    ),
    (
        {"blockAutoDisable": False, "blockMaxRatio": "2", "profitBackExchangeEnabled": True},
        ("ratio 200",),
    ),
]


def rules(**values: object) -> Settings:
    return lenient(**{**WORKED, **values})


def market(seed: int, volatility: float = 2.5e-3) -> Candles:
    """Seconds or minutes, drifting either way, with gaps."""
    minutes = seed % 2 == 0
    return walked(
        seed,
        length=300 if minutes else 600,
        symbols=SYMBOLS,
        span_ms=60_000 if minutes else 1000,
        volatility=volatility if minutes else 9e-4,
        drift=(0.0, 4e-4, -4e-4)[seed % 3] if volatility > 1e-3 else 0.0,
        gap_share=0.05 if seed % 4 < 2 else 0.0,
    )


def opened(plan: TradePlan) -> list[tuple[Any, ...]]:
    return [tuple(each[name].item() for name in OPENED) for each in plan.openings]


def closed(plan: TradePlan) -> list[tuple[Any, ...]]:
    return [
        (
            *(each[name].item() for name in ("bar", "symbol", "set")),
            str(REASONS[int(each["reason"])]),
            *(each[name].item() for name in CLOSED),
        )
        for each in plan.closings
    ]


@pytest.mark.parametrize(("case", "met"), CASES, ids=lambda each: next(iter(each)))
def test_the_paper_trade_life_is_that_of_a_plain_loop(
    case: dict[str, object], met: tuple[str, ...]
) -> None:
    seen: Counter[str] = Counter()
    for seed in range(4):
        calm = "mainPositionTimeoutHours" in case
        candles, settings = market(seed, 8e-4 if calm else 2.5e-3), rules(**case)
        state = fresh(SYMBOLS, settings)

        _, plan = plan_trade(state, candles, settings)

        reference = PaperReference(state, candles, plan, settings)
        reference.run()
        assert opened(plan) == reference.openings
        assert closed(plan) == reference.closings
        seen += Counter(each[3] for each in closed(plan))
        seen += Counter(f"steps {each}" for each in plan.closings["steps"].tolist())
        seen += Counter(f"taken {each > 0}" for each in plan.closings["taken"].tolist())
        seen += Counter(f"ratio {each}" for each in plan.openings["ratio"].tolist())
    assert set(seen) >= {*met, "steps 0", "steps 1", "steps 2", "taken True", "taken False"}
