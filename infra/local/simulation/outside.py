"""Who else acts on the connection: Sets that wish, an operator, somebody on the same account."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial

from engine.ledger import PositionStatus
from engine.records import Command
from engine.values import Exits, IndicationType, Loop, SetKey, Side, Turn, Wish
from local.paper.core.records import OrderSide, PositionSide
from local.paper.core.refusals import RefusedError
from local.paper.core.requests import OrderRequest
from local.simulation.cloud import CONNECTION, Cloud
from local.simulation.emergency import EmergencyStop
from local.simulation.machines import Plant
from local.simulation.operator import Operator, Rates
from local.simulation.spec import SYMBOLS, Spec
from local.simulation.stage import SECOND_US
from local.simulation.venue import VenueSide
from local.simulation.venue_events import (
    FORCEFUL,
    HARMLESS,
    change_filters,
    flip_position_mode,
    happen,
)

_STEP_S = 0.25
_NOTICED_S = 3
_RARE_RATE = 0.02
_INDICATIONS = (IndicationType.DIRECTION, IndicationType.MOVE)


@dataclass(slots=True)
class Outside:
    """Everything that is not the engine, until the storm is over."""

    spec: Spec
    plant: Plant
    cloud: Cloud
    venue: VenueSide
    dice: random.Random
    rare: random.Random
    was_meddled: bool = False
    is_over: bool = False
    wishes: int = 0
    emergency: EmergencyStop = field(init=False)
    operator: Operator = field(init=False)

    def __post_init__(self) -> None:
        self.emergency = EmergencyStop(
            self.plant, self.cloud, self.venue, was_meddled=lambda: self.was_meddled
        )
        words = random.Random(f"operator {self.spec.venue}:{self.spec.seed}")
        self.operator = Operator(self.plant, self.cloud, self.venue, words, self._put)

    async def act(self) -> None:
        """One quarter of a second after the other."""
        while True:
            await asyncio.sleep(_STEP_S)
            if self.is_over:
                return
            _roll(self._rates(), self.dice)
            for rate, event in HARMLESS:
                if self.dice.random() < rate * _STEP_S * self.spec.mischief:
                    self._by_venue(event)
            _roll(self.operator.rates(), self.operator.dice)
            if self.rare.random() < _RARE_RATE * _STEP_S:
                self.rare.choice(self._rarities())()

    def _rates(self) -> Rates:
        """What happens how often a second."""
        return (
            (self.spec.wish_rate, self.wish),
            (0.02, self._close_all),
            (0.05, self._close_one),
            (0.05, self._turn),
            (self.spec.meddling, self._meddle),
            (0.02, self._unsettle),
            (self.spec.weather.frame_chance * 0.1, self._trouble_sockets),
        )

    # --- the trade loop's part

    def wish(self) -> None:
        """A Set asks for the exchange, as the trade loop would write it."""
        dice, symbol = self.dice, self.dice.choice(SYMBOLS)
        now_ms = self.cloud.clock.now_ms()
        price = self.venue.exchange.quotes.quote(symbol, self.venue.now_ms()).last
        key = SetKey(
            symbol=symbol,
            indication=dice.choice(_INDICATIONS),
            parameter=dice.choice((3, 5, 8)),
            side=dice.choice(list(Side)),
            exits=some_exits(dice),
        )
        wish = Wish(key=key, entry_close_ms=now_ms // 1000 * 1000, price=price)
        self.wishes += 1
        self._put(self.plant.store.wish_command(wish), "wish")

    def _turn(self) -> None:
        held = [p for p in self.plant.store.positions.values() if p.quantity > 0]
        if not held:
            return
        key = self.dice.choice(sorted(held, key=lambda one: one.position_id)).key
        turn = Turn(
            symbol=key.symbol,
            indication=key.indication,
            parameter=key.parameter,
            variant=key.variant,
            side=key.side,
            at_ms=self.cloud.clock.now_ms(),
        )
        self._put(self.plant.store.turn_command(turn), "turn")

    # --- the operator's part

    def command(self, kind: str, position_id: str = "") -> None:
        """An operator's word."""
        now_ms = self.cloud.clock.now_ms()
        name = f"{now_ms:013d}|{kind}|{position_id}"
        made = Command(command_id=name, kind=kind, created_at_ms=now_ms, position_id=position_id)
        self._put(made, kind)

    def _close_all(self) -> None:
        self.command("close_all")

    def _rarities(self) -> tuple[Callable[[], None], ...]:
        return (
            self._stop_a_while,
            self._emergency,
            self._switch_trading,
            partial(self._by_venue, flip_position_mode),
            partial(self._by_venue, change_filters),
        )

    def _stop_a_while(self) -> None:
        """The loop is told to end, and a little later to run again."""
        self._tell_loop("stopped by the operator", wanted="stop")
        self.cloud.loop.call_later(self.rare.randrange(1, 8), self.let_run)

    def _emergency(self) -> None:
        """Nothing more opens, and mostly everything closes; once that is proved it is reset."""
        if not self.emergency.is_pressed:
            flatten, lift_s = self.rare.random() < 0.7, self.rare.randrange(2, 8)
            self.emergency.press(flatten=flatten, lift_s=lift_s)

    def let_run(self) -> None:
        """What an operator stopped runs on; the supervisor starts it."""
        self._tell_loop("runs on", wanted="run")

    def _switch_trading(self) -> None:
        """Trading is switched off and soon on again."""
        store = self.plant.store
        assert store.engine_row is not None
        store.engine_row = replace(store.engine_row, may_trade=False)
        self.plant.history.tell("outside", "trading is off")
        self.cloud.loop.call_later(self.rare.randrange(1, 5), self._trade_again)

    def _trade_again(self) -> None:
        store = self.plant.store
        assert store.engine_row is not None
        store.engine_row = replace(store.engine_row, may_trade=True)

    def _tell_loop(self, why: str, **values: object) -> None:
        self.plant.history.tell("outside", why)
        self.plant.leases.change(CONNECTION, Loop.POSITION, **values)

    def _close_one(self) -> None:
        live = [p for p in self.plant.store.positions.values() if _is_live(p.status)]
        if live:
            chosen = self.dice.choice(sorted(live, key=lambda one: one.position_id))
            self.command("close_position", chosen.position_id)

    def _put(self, command: Command, why: str) -> None:
        self.plant.callers.of = self.cloud.clock
        self.plant.store.put_command(CONNECTION, command)
        self.plant.history.tell("outside", f"{why} {command.command_id}")
        if self.plant.leases.read(CONNECTION, Loop.POSITION).phase == "idle":
            self.cloud.start(CONNECTION, Loop.POSITION, reason=why)

    # --- somebody else's part

    def _meddle(self) -> None:
        """Takes away an order of ours, or closes some of what is held."""
        books, dice = self.venue.books, self.dice
        held = [p for _, p in sorted(books.positions.items()) if p.quantity]
        waiting = [algo for _, algo in sorted(books.open_algos.items())]
        if dice.random() < 0.15:
            self._by_venue(dice.choice(FORCEFUL), forceful=True)
        elif waiting and dice.random() < 0.5:
            algo = dice.choice(waiting)
            self._strike("order cancelled by somebody else", algo.client_algo_id)
            # Not every venue tells it: the next comparison does.
            noticed_s = self.spec.settings.reconcile_interval_s + _NOTICED_S
            self.plant.history.disturbed_until(self.plant.stage.now_us + noticed_s * SECOND_US)
            self.venue.exchange.cancel_algo(algo)
        elif held:
            position = dice.choice(held)
            self._trade(position.symbol, position.position_side, position.quantity)

    def _by_venue(
        self, event: Callable[[VenueSide, random.Random], str], *, forceful: bool = False
    ) -> None:
        what = happen(event, self.venue, self.dice)
        if what:
            self.was_meddled = self.was_meddled or forceful
            self._strike(what, "")

    def _trade(self, symbol: str, side: PositionSide, quantity: Decimal) -> None:
        """Close all or half of it at the market."""
        step = self.venue.exchange.instrument(symbol).step
        part = abs(quantity)
        if self.dice.random() < 0.5:
            part = max(part / 2 // step * step, step)
        request = OrderRequest(
            symbol=symbol,
            side=OrderSide.SELL if quantity > 0 else OrderSide.BUY,
            position_side=side,
            order_type="MARKET",
            quantity=part,
            reduce_only=side is PositionSide.BOTH,
        )
        try:
            self.venue.exchange.place_order(request)
        except RefusedError:
            return
        self.was_meddled = True
        self._strike(f"external trade of {part} {symbol} {side}", "")

    def _unsettle(self) -> None:
        """Something about machines: a clock steps, an execution starts twice."""
        history, dice = self.plant.history, self.dice
        match dice.randrange(3):
            case 0:
                self.venue.skew_ms += dice.choice((-1, 1)) * dice.randrange(200, 900)
                self._strike("venue's clock stepped", "")
            case 1:
                for _, machine in self.cloud.machines:
                    machine.clock.skew_ms = dice.randrange(-300, 300)
                self._strike("workers' clocks stepped", "")
            case _:
                self.cloud.start(CONNECTION, Loop.POSITION, reason="started twice")
                history.strike("cloud", "execution started twice", "start")

    def _trouble_sockets(self) -> None:
        """A socket closes, or stays open and says nothing."""
        dice, lines = self.dice, self.venue.lines
        if not lines:
            return
        line = dice.choice(lines)
        if dice.random() < 0.5:
            self._strike("socket closed", "")
            line.close("closed by the venue")
        else:
            self._strike("socket muted", "")
            line.is_muted = True
            self.venue.loop.call_later(dice.randrange(1, 8), line.unmute)

    def _strike(self, fault: str, client_order_id: str) -> None:
        self.plant.history.strike("outside", fault, "outside", client_order_id)


def some_exits(dice: random.Random) -> Exits:
    """A target, a stop, trailing now and then, and any of the strategies' flags."""
    alone = dice.random() < 0.2
    trails = alone or dice.random() < 0.3
    return Exits(
        take_profit_pct=dice.choice((Decimal("0.3"), Decimal("0.8"))),
        stop_loss_pct=dice.choice((Decimal("0.2"), Decimal("0.4"))),
        trail_start_pct=Decimal("0.2") if trails else Decimal(0),
        trail_stop_pct=Decimal("0.1") if trails else Decimal(0),
        trailing_only=alone,
        ladder=dice.random() < 0.4,
        profit_back=dice.random() < 0.3,
    )


def _is_live(status: PositionStatus) -> bool:
    return status in (PositionStatus.OPENING, PositionStatus.OPEN)


def _roll(rates: Rates, dice: random.Random) -> None:
    """Let each happen or not in this step."""
    for rate, act in rates:
        if dice.random() < rate * _STEP_S:
            act()
