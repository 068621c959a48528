"""Scripts: what happens to each symbol, plateau after plateau, played to the position side.

A plateau lasts long enough for everything it causes to come to rest. So a worker that begins anew
amid it, and first reads the venue, still does the same as one that went on.
"""

from dataclasses import dataclass, fields
from decimal import Decimal

from hypothesis import strategies as st
from tests.builders import a_wish, some_exits
from tests.desk_world import NO_RESTS, DeskWorld, with_settings

from engine.desk import DeskPlan, DeskState, plan_positions
from engine.ledger import Position, Purpose
from engine.values import Exits, Side

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
PLATEAU_TICKS = 18
FREE = with_settings(
    **NO_RESTS,
    dca_distances_pct=tuple(map(Decimal, ("0.3", "0.6", "0.9"))),
    dca_volumes=tuple(map(Decimal, ("1.5", "2", "2.3"))),
    dca_step_cooldown_s=1,
    profit_back_on_exchange=True,
    risk_budget_pct=Decimal(100),
    negative_change_pct=Decimal(1),
    max_symbol_exposure_pct=Decimal(500),
    max_symbol_total_pct=Decimal(1000),
    max_side_exposure_pct=Decimal(2000),
    max_total_exposure_pct=Decimal(2000),
)
"""No limit of the account binds, and a plateau is longer than the cooldown of two steps."""

EXITS = (
    some_exits(ladder=True),
    some_exits("1.2", "0.4", profit_back=True),
    some_exits("1.2", "0.6", ladder=True, profit_back=True),
    some_exits("0.9", "0.4", ("0.3", "0.2"), trailing_only=True),
    some_exits("1.5", "0.5", ("0.3", "0.1"), ladder=True),
)


@dataclass(frozen=True, slots=True)
class Plateau:
    """One symbol's part: its price, a wish at its beginning, a turn against a side."""

    price: Decimal
    wish: tuple[Side, Exits] | None = None
    turn: Side | None = None


Script = dict[str, list[Plateau]]


@st.composite
def scripts(draw: st.DrawFn, symbols: int = 2, longest: int = 8) -> Script:
    """Prices that walk from 100 by up to half a percent at a time, wishes, now and then a turn."""
    length = draw(st.integers(2, longest))
    return {name: _walked(draw, length) for name in SYMBOLS[:symbols]}


def _walked(draw: st.DrawFn, length: int) -> list[Plateau]:
    tenths, plateaus = 1000, []
    for number in range(length):
        tenths += draw(st.integers(-5, 5))
        wishes = st.tuples(st.sampled_from(list(Side)), st.sampled_from(EXITS))
        wish = draw(wishes if number == 0 else st.none() | wishes)
        turn = draw(st.sampled_from((None, None, None, None, *Side)))
        plateaus.append(Plateau(price=Decimal(tenths) / 10, wish=wish, turn=turn))
    return plateaus


def play(script: Script, restarts: frozenset[int] = frozenset()) -> DeskWorld:
    """The world at the end; a new owner begins after each of the ticks in `restarts`."""
    world = DeskWorld(symbols=tuple(script), settings=FREE, equity=Decimal(10_000))
    world.run(4)
    world.start()
    tick = 0
    for number in range(max(map(len, script.values()))):
        for symbol, plateaus in script.items():
            _begin(world, symbol, plateaus[number])
        for _ in range(PLATEAU_TICKS):
            world.tick()
            tick += 1
            if tick in restarts:
                world.start()
    return world


def _begin(world: DeskWorld, symbol: str, plateau: Plateau) -> None:
    world.price(str(plateau.price), symbol)
    if plateau.turn is not None:
        world.turn(a_wish(plateau.turn, symbol).key)
    if plateau.wish is not None:
        side, exits = plateau.wish
        now_ms, price = world.clock.now_ms() + 1, str(plateau.price)
        world.wish(a_wish(side, symbol, exits=exits, entry_close_ms=now_ms, price=price))


# --- what is compared

_TIMES = {"opened_at_ms", "closed_at_ms", "updated_at_ms"}


def books(world: DeskWorld) -> dict[str, dict[str, object]]:
    """Every position's figures but for times."""
    return {name: figures(position) for name, position in sorted(world.store.positions.items())}


def figures(position: Position) -> dict[str, object]:
    return {f.name: getattr(position, f.name) for f in fields(Position) if f.name not in _TIMES}


def sized_orders(world: DeskWorld) -> list[tuple[str, Decimal, Decimal, Decimal | None]]:
    """The orders that change what is held by our own decision: name, quantity, filled, price."""
    wanted = (Purpose.ENTRY, Purpose.ADD, Purpose.REDUCE, Purpose.CLOSE)
    return sorted(
        (order.client_order_id, order.quantity, order.filled_quantity, order.average_price)
        for order in world.store.orders.values()
        if order.purpose in wanted
    )


def all_orders(world: DeskWorld, symbol: str) -> list[tuple[object, ...]]:
    """All that was ever asked of the venue for a symbol, when, and what became of it."""
    return sorted(
        (
            o.created_at_ms,
            o.client_order_id,
            o.quantity,
            str(o.trigger_price),
            str(o.state),
        )
        for o in world.store.orders.values()
        if o.symbol == symbol
    )


def decided_anew(world: DeskWorld) -> tuple[DeskState, list[DeskPlan]]:
    """The last state and every plan, from the first state and the journal of inputs."""
    state, plans = world.first, []
    for inputs, _ in world.journal:
        state, plan = plan_positions(state, inputs, world.settings)
        plans.append(plan)
    return state, plans


def moments(script: Script) -> st.SearchStrategy[frozenset[int]]:
    """Ticks to begin anew after, at most one on each plateau."""
    ticks = st.none() | st.integers(1, PLATEAU_TICKS)
    length = len(next(iter(script.values())))
    return st.lists(ticks, min_size=length, max_size=length).map(
        lambda found: frozenset(
            number * PLATEAU_TICKS + tick for number, tick in enumerate(found) if tick
        )
    )
