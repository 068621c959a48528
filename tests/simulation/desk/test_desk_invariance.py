"""The position side decides the same however its work is cut: in time, by restarts, by symbols."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.desk_scripts import (
    Script,
    all_orders,
    books,
    decided_anew,
    moments,
    play,
    scripts,
    sized_orders,
)
from tests.desk_storms import PLANS, stormy_world


@settings(max_examples=40)
@given(script=scripts(longest=10))
def test_the_journal_of_inputs_gives_every_plan_again(script: Script) -> None:
    world = play(script)

    state, plans = decided_anew(world)

    assert plans == [plan for _, plan in world.journal]
    assert state == world.state


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("seed", range(4000, 4008))
def test_the_journal_of_a_storm_gives_every_plan_again(plan: str, seed: int) -> None:
    world = stormy_world(seed, PLANS[plan], crash_chance=0.01, meddling=0.02, ticks=300)

    state, plans = decided_anew(world)

    assert plans == [plan for _, plan in world.journal]
    assert state == world.state


@settings(max_examples=150)
@given(data=st.data())
def test_beginning_anew_from_the_store_anywhere_changes_no_order_and_no_figure(
    data: st.DataObject,
) -> None:
    script = data.draw(scripts(longest=8))
    restarts = data.draw(moments(script))

    straight, cut = play(script), play(script, restarts)

    assert sized_orders(cut) == sized_orders(straight)
    assert books(cut) == books(straight)
    assert cut.venue.duplicates == 0
    assert cut.drift() == []


@settings(max_examples=80)
@given(script=scripts(symbols=3, longest=8))
def test_symbols_planned_together_or_apart_give_the_same_orders(script: Script) -> None:
    together = play(script)
    apart = {symbol: play({symbol: plateaus}) for symbol, plateaus in script.items()}

    for symbol, alone in apart.items():
        assert all_orders(together, symbol) == all_orders(alone, symbol)
    assert books(together) == {
        name: one for alone in apart.values() for name, one in books(alone).items()
    }
