"""Whatever happened before, a new owner refuses and allows what the former one would have."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.desk_world import DeskWorld
from tests.risk_world import a_risky_world, pass_time, restart, traded

from engine.values import Side

SYMBOLS = ("BTCUSDT", "ETHUSDT")
COMPARED = frozenset({"daily_loss", "losses", "stop_losses", "average_pct", "results", "limit"})
GAPS_MIN = (8, 17, 190)  # no sum of them ends with a rest of 30, 50 or 60 minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Time goes by, the account is paid in or out, an operator speaks, a wish is tried."""

    gap_min: int
    side: Side
    symbol: str
    wins: bool
    paid: int
    resumes: bool


STEPS = st.lists(
    st.builds(
        Step,
        gap_min=st.sampled_from((0, 0, 0, *GAPS_MIN)),
        side=st.sampled_from(list(Side)),
        symbol=st.sampled_from(SYMBOLS),
        wins=st.sampled_from((False, False, True)),
        paid=st.sampled_from((0, 0, 0, 0, 900, -900)),
        resumes=st.sampled_from((False,) * 5 + (True,)),
    ),
    min_size=6,
    max_size=16,
)


def lived(steps: list[Step], restarts: frozenset[int]) -> DeskWorld:
    """The account after the steps, with a new owner before those of `restarts`."""
    world = a_risky_world(
        max_daily_loss=Decimal(6),
        max_drawdown_pct=Decimal(15),
        max_consecutive_losses=4,
        losses_pause_min=60,
        stop_guard_count=3,
        low_profit_count=3,
        low_profit_pause_min=50,
        loss_guard_pct=Decimal("0.03"),
        loss_guard_count=3,
    )
    for number, step in enumerate(steps):
        pass_time(world, step.gap_min)
        if number in restarts:
            restart(world)
        world.venue.cash += step.paid
        if step.resumes:
            world.command("resume_trading")
        pass_time(world, 0.3)
        traded(world, step.side, step.symbol, wins=step.wins)
    return world


def decisions(world: DeskWorld) -> list[tuple[str, str, dict[str, str]]]:
    """Outcome, reason and figures of everything asked, but for times and equity.

    A new owner reads the equity at another moment, while a position is worth more or less.
    """
    return [
        (
            done.outcome,
            done.reason,
            {name: text for name, text in done.numbers.items() if name in COMPARED},
        )
        for done in world.store.consumed.values()
    ]


def figures(world: DeskWorld) -> list[object]:
    """What the account's record says, without times."""
    risk = world.store.risk
    assert risk is not None
    return [
        risk.day_ms,
        risk.realised_today,
        risk.consecutive_losses,
        risk.losses_before,
        risk.state,
        risk.restraint and risk.restraint.reason,
    ]


def equities(world: DeskWorld) -> list[float]:
    """The day's first and the highest equity, which open positions may have moved a little."""
    risk = world.store.risk
    assert risk is not None
    return [float(risk.day_start_equity), float(risk.equity_peak)]


@settings(max_examples=12)
@given(steps=STEPS, restarts=st.frozensets(st.integers(0, 15), min_size=1))
def test_restarts_between_change_no_decision_and_no_figure(
    steps: list[Step], restarts: frozenset[int]
) -> None:
    whole, restarted = lived(steps, frozenset()), lived(steps, restarts)

    assert decisions(restarted) == decisions(whole)
    assert figures(restarted) == figures(whole)
    assert equities(restarted) == pytest.approx(equities(whole), abs=10)
