"""A few scripts of the position side: decided anew, begun anew, planned apart; see simulation."""

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

FEW = settings(max_examples=4)


@FEW
@given(script=scripts(longest=4))
def test_the_journal_of_inputs_gives_every_plan_again(script: Script) -> None:
    world = play(script)

    state, plans = decided_anew(world)

    assert plans == [plan for _, plan in world.journal]
    assert state == world.state


@FEW
@given(data=st.data())
def test_beginning_anew_from_the_store_changes_no_order_and_no_figure(data: st.DataObject) -> None:
    script = data.draw(scripts(longest=4))
    restarts = data.draw(moments(script))

    straight, cut = play(script), play(script, restarts)

    assert sized_orders(cut) == sized_orders(straight)
    assert books(cut) == books(straight)


@FEW
@given(script=scripts(longest=4))
def test_symbols_planned_together_or_apart_give_the_same_orders(script: Script) -> None:
    together = play(script)

    for symbol, plateaus in script.items():
        assert all_orders(together, symbol) == all_orders(play({symbol: plateaus}), symbol)
