"""A worker's own view of store and leases: its clock, and the hazards on the way."""

from collections.abc import Callable
from typing import Any

from engine.errors import ShortKeyTakenError
from engine.ledger import Order, OrderState
from engine.records import Facts, Lease
from engine.together import together
from local.simulation.clocks import CallersClock
from local.simulation.hazards import Hazards, Mortal


class Guarded:
    """Passes every call of a port on, one step before it and one after."""

    def __init__(
        self, port: Any, prefix: str, worker: Mortal, hazards: Hazards, clock: CallersClock
    ) -> None:
        self._port = port
        self._prefix = prefix
        self._worker = worker
        self._hazards = hazards
        self._clock = clock

    def __getattr__(self, name: str) -> Callable[..., Any]:
        called = getattr(self._port, name)
        step = f"{self._prefix}.{name}"

        def pass_on(*args: Any, **kwargs: Any) -> Any:
            self._hazards.at(self._worker, f"{step} before")
            result = self._under_own_clock(called, *args, **kwargs)
            self._hazards.at(self._worker, f"{step} after")
            return result

        self.__dict__[name] = pass_on
        return pass_on

    def _under_own_clock(self, called: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        before, self._clock.of = self._clock.of, self._worker.clock
        try:
            return called(*args, **kwargs)
        finally:
            self._clock.of = before


class GuardedStore(Guarded):
    """The store as a position loop sees it: facts are several transactions, not one."""

    def claim(self, lease: Lease, order: Order) -> bool:
        """Only who holds the lease may claim, and only what was decided under it."""
        name = order.client_order_id
        self._hazards.at(self._worker, "store.claim before", name)
        is_claimed: bool = self._under_own_clock(self._port.claim, lease, order)
        if is_claimed:
            self._check_claim(lease, name)
            self._check_pause(lease, order)
        self._hazards.at(self._worker, "store.claim after", name)
        return is_claimed

    def _check_lease(self, lease: Lease, what: str) -> None:
        row = self._port.leases.read(lease.connection_id, lease.loop)
        if (row.owner, row.token) != (lease.owner, lease.token):
            self._hazards.history.break_rule(f"{what} without the lease")

    def _check_claim(self, lease: Lease, name: str) -> None:
        self._check_lease(lease, f"{name} claimed")
        self._hazards.claimed_us[name] = self._hazards.stage.now_us
        if self._hazards.intents.get(name) != lease.token:
            self._hazards.history.break_rule(f"{name} claimed, an intent of a former owner")

    def _check_pause(self, lease: Lease, order: Order) -> None:
        """Nothing that makes a position larger goes out once the loop acknowledged a pause."""
        row = self._port.leases.read(lease.connection_id, lease.loop)
        if not order.reduce_only and row.wanted == "pause" and row.is_obeyed:
            self._hazards.history.break_rule(f"{order.client_order_id} claimed in a pause")

    def write_facts(self, lease: Lease, facts: Facts) -> None:
        """What belongs together in a transaction of its own; a worker may die between two."""
        self._hazards.at(self._worker, "store.write_facts before")
        taken: list[str] = []
        for number, piece in enumerate(together(facts)):
            if number:
                self._hazards.at(self._worker, "store.write_facts between")
            try:
                self._under_own_clock(self._port.write_facts, lease, piece)
                self._check_lease(lease, "facts written")
                self._note_intents(lease, piece)
            except ShortKeyTakenError as error:
                taken += error.short_keys
        self._hazards.at(self._worker, "store.write_facts after")
        if taken:
            raise ShortKeyTakenError(tuple(taken))

    def _note_intents(self, lease: Lease, facts: Facts) -> None:
        """Under which token each intent was first written."""
        for order in facts.orders:
            if order.state is OrderState.NEW:
                self._hazards.intents.setdefault(order.client_order_id, lease.token)
