"""Races for leases and rows, on a table service that is atomic under threads."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.contracts.test_store_refusals import POSITION_WRITES, TRADE_WRITES
from tests.ministack import asl
from tests.samples import a_key, a_position, a_tick, a_wish, an_order

from adapters.clock import SystemClock
from adapters.commands import announce
from adapters.leases import DynamoLeases
from adapters.store import DynamoStore
from adapters.tables import LeaseItem
from adapters.transactions import Transaction
from engine.errors import LeaseLostError, ShortKeyTakenError
from engine.ledger import OrderState
from engine.records import Facts, Lease
from engine.values import Loop, Wish

pytestmark = [pytest.mark.ministack, pytest.mark.usefixtures("ministack_tables")]

THREADS = 16
ROUNDS = 10
CLOCK = SystemClock()
LEASES = DynamoLeases(CLOCK)
STORE = DynamoStore(CLOCK)


@pytest.fixture
def connection_id() -> str:
    return f"race-{uuid4().hex[:10]}"


def take(connection_id: str, loop: Loop, owner: str, *, lease_ms: int = 15_000) -> Lease:
    token = LEASES.read(connection_id, loop).token
    return LEASES.take(connection_id, loop, token=token, owner=owner, lease_ms=lease_ms)


def at_once[R](actions: list[Callable[[], R]]) -> list[R]:
    """What each action answered, all begun at the same moment in threads of their own."""
    barrier = Barrier(len(actions))

    def begun(action: Callable[[], R]) -> R:
        barrier.wait()
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(begun, actions))


def outcome(action: Callable[[], object]) -> Callable[[], str]:
    """The name of the refusal, or `won`."""

    def tried() -> str:
        try:
            return "lost" if action() is False else "won"
        except (LeaseLostError, ShortKeyTakenError) as e:
            return type(e).__name__

    return tried


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_of_sixteen_that_take_one_token_exactly_one_wins(
    connection_id: str, round_number: int
) -> None:
    takes = [outcome(partial(_take_zero, connection_id, f"worker-{n}")) for n in range(THREADS)]

    answers = Counter(at_once(takes))

    assert answers == {"won": 1, "LeaseLostError": THREADS - 1}
    assert LEASES.read(connection_id, Loop.TRADE).token == 1


def test_of_sixteen_claims_of_one_order_exactly_one_wins(connection_id: str) -> None:
    lease = take(connection_id, Loop.POSITION, "only")
    orders = [an_order(f"o{n}") for n in range(ROUNDS)]
    STORE.write_facts(lease, Facts(orders=tuple(orders)))

    for order in orders:
        answers = Counter(at_once([outcome(partial(STORE.claim, lease, order))] * THREADS))

        assert answers == {"won": 1, "lost": THREADS - 1}


def test_of_two_positions_that_want_one_short_key_one_opens(connection_id: str) -> None:
    lease = take(connection_id, Loop.POSITION, "only")

    for number in range(ROUNDS):
        rivals = [
            a_position(f"p{number}-{n}", key=a_key(f"SYM{number}", parameter=3 + n))
            for n in range(THREADS)
        ]
        openings = [
            outcome(partial(STORE.write_facts, lease, Facts(positions=(rival,))))
            for rival in rivals
        ]

        answers = Counter(at_once(openings))

        assert answers == {"won": 1, "ShortKeyTakenError": THREADS - 1}
        assert len(STORE.held(connection_id).positions) == number + 1


def test_a_lease_taken_over_while_claims_run_leaves_each_order_with_one_owner(
    connection_id: str,
) -> None:
    for number in range(ROUNDS):
        first = take(connection_id, Loop.POSITION, f"first-{number}")
        order = an_order(f"o{number}")
        STORE.write_facts(first, Facts(orders=(order,)))

        claimed, _ = at_once(
            [
                outcome(partial(STORE.claim, first, order)),
                outcome(partial(take, connection_id, Loop.POSITION, f"second-{number}")),
            ]
        )

        (held,) = (o for o in STORE.held(connection_id).orders if o.client_order_id == f"o{number}")
        expected = OrderState.SUBMITTING if claimed == "won" else OrderState.NEW
        assert held.state is expected
        with pytest.raises(LeaseLostError):
            STORE.claim(first, order)


def test_a_wish_that_races_with_falling_asleep_is_never_lost(connection_id: str) -> None:
    trade = take(connection_id, Loop.TRADE, "trade")
    for number in range(3 * ROUNDS):
        position = take(connection_id, Loop.POSITION, f"position-{number}")
        seen = LEASES.read(connection_id, Loop.POSITION).wish_seq
        wish = a_wish(at_ms=CLOCK.now_ms() + number)

        starts, sleeps = at_once(
            [
                partial(_wish_and_look, trade, wish),
                partial(LEASES.go_idle, position, seen_seq=seen),
            ]
        )

        assert starts is sleeps  # whoever wished starts the loop, or the loop stays awake
        assert LEASES.read(connection_id, Loop.POSITION).wish_seq == number + 1
        assert wish in [command.wish for command in STORE.pending(connection_id)]


def test_ticks_and_wishes_of_two_loops_at_once_are_all_written(connection_id: str) -> None:
    trade = take(connection_id, Loop.TRADE, "trade")
    position = take(connection_id, Loop.POSITION, "position")

    def ticks() -> None:
        for number in range(20):
            wish = a_wish(at_ms=a_tick().slot_ms + number)
            STORE.write_tick(trade, a_tick(wish.entry_close_ms), [wish])

    def facts() -> None:
        for number in range(20):
            order = an_order(f"o{number}")
            STORE.write_facts(position, Facts(orders=(order,)))
            assert STORE.claim(position, order)

    at_once([ticks, facts])

    assert LEASES.read(connection_id, Loop.POSITION).wish_seq == 20
    assert len(STORE.pending(connection_id)) == 20
    assert {order.state for order in STORE.held(connection_id).orders} == {OrderState.SUBMITTING}


@pytest.fixture
def frozen(connection_id: str) -> Iterator[tuple[Lease, Lease]]:
    """A worker of each loop that was stopped until well after its lease."""
    leases = [take(connection_id, loop, "zombie", lease_ms=1) for loop in Loop]
    yield (leases[0], leases[1])


def test_every_write_of_a_thawed_zombie_is_refused(
    connection_id: str, frozen: tuple[Lease, Lease]
) -> None:
    trade, position = frozen
    order = an_order("stored")
    successor = take(connection_id, Loop.POSITION, "successor")
    STORE.write_facts(successor, Facts(orders=(order,)))
    take(connection_id, Loop.TRADE, "successor")

    for writes, zombie in ((TRADE_WRITES, trade), (POSITION_WRITES, position)):
        for name, write in writes.items():
            with pytest.raises(LeaseLostError):
                write(STORE, zombie)
            assert STORE.held(connection_id).orders == (order,), name
    assert STORE.pending(connection_id) == ()
    assert STORE.candles_since(connection_id, 0) == ()


def test_a_transaction_sent_twice_counts_its_wishes_once(connection_id: str) -> None:
    transaction = Transaction()
    announce(transaction, connection_id, 3)
    transaction.commit()
    transaction.commit()

    assert LEASES.read(connection_id, Loop.POSITION).wish_seq == 3


def test_indexes_are_read_strongly_right_after_a_write(connection_id: str) -> None:
    lease = take(connection_id, Loop.POSITION, "only")

    for number in range(ROUNDS):
        order = an_order(f"o{number}")
        STORE.write_facts(lease, Facts(orders=(order,)))
        assert order in STORE.held(connection_id).orders
        STORE.write_facts(lease, Facts(orders=(replace(order, state=OrderState.CANCELLED),)))
        assert STORE.held(connection_id).orders == ()


def test_an_emergency_takes_the_lease_from_a_living_owner(connection_id: str) -> None:
    living = take(connection_id, Loop.POSITION, "living")
    STORE.write_facts(living, Facts(orders=(an_order("o1"),)))
    LeaseItem(f"{connection_id}#position").update([LeaseItem.halt.set(True)])

    take_over(connection_id)

    row = LEASES.read(connection_id, Loop.POSITION)
    assert (row.owner, row.token, row.halt) == ("emergency", living.token + 1, True)
    with pytest.raises(LeaseLostError):
        STORE.write_facts(living, Facts(orders=(an_order("o2"),)))
    with pytest.raises(LeaseLostError):
        STORE.claim(living, an_order("o1"))
    with pytest.raises(LeaseLostError):
        LEASES.renew(living)
    with pytest.raises(LeaseLostError):
        STORE.heartbeat(living, counts={})
    next_one = take(connection_id, Loop.POSITION, "burst")
    STORE.write_facts(next_one, Facts(orders=(an_order("o2"),)))
    assert STORE.claim(next_one, an_order("o1"))


def test_of_an_emergency_and_the_bursts_of_a_living_loop_the_emergency_wins(
    connection_id: str,
) -> None:
    LeaseItem(f"{connection_id}#position").update([LeaseItem.halt.set(True)])
    lease = take(connection_id, Loop.POSITION, "living")
    orders = [an_order(f"o{n}") for n in range(THREADS)]
    STORE.write_facts(lease, Facts(orders=tuple(orders)))
    claims = [outcome(partial(STORE.claim, lease, order)) for order in orders]

    def emergency() -> str:
        take_over(connection_id)
        return "taken over"

    answers = Counter(at_once([emergency, *claims]))

    assert answers["taken over"] == 1
    assert answers["won"] + answers["LeaseLostError"] == THREADS
    with pytest.raises(LeaseLostError):
        STORE.write_facts(lease, Facts(orders=(an_order("late"),)))


def test_a_machine_takes_nothing_over_once_the_halt_was_reset(connection_id: str) -> None:
    living = take(connection_id, Loop.POSITION, "living")

    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        take_over(connection_id)

    STORE.write_facts(living, Facts(orders=(an_order(),)))


def take_over(connection_id: str) -> None:
    """What the emergency's machine writes first, with its expressions worked out."""
    written = asl("emergency_stop")["States"]["TakeOver"]["Arguments"]
    values = written["ExpressionAttributeValues"]
    values[":me"]["S"] = "emergency"
    values[":until"]["N"] = str(CLOCK.now_ms() + 15_000)
    names = {
        "TableName": LeaseItem.Meta.table_name,
        "Key": {"lease_key": {"S": f"{connection_id}#position"}},
    }
    boto3.client("dynamodb", region_name="us-east-1").update_item(**written | names)


def _wish_and_look(trade: Lease, wish: Wish) -> bool:
    """Whether whoever wished finds the loop asleep and would start it."""
    STORE.write_tick(trade, a_tick(wish.entry_close_ms), [wish])
    return LEASES.read(trade.connection_id, Loop.POSITION).phase == "idle"


def _take_zero(connection_id: str, owner: str) -> Lease:
    return LEASES.take(connection_id, Loop.TRADE, token=0, owner=owner, lease_ms=15_000)
