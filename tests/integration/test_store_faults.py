"""A store that throttles, collides or swallows answers, and what the adapters make of it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError
from tests.samples import a_tick, a_wish, an_order

from adapters import dynamo
from adapters.clock import SystemClock
from adapters.leases import DynamoLeases
from adapters.store import DynamoStore
from adapters.transactions import ATTEMPTS
from engine.errors import LeaseLostError, StoreBusyError
from engine.ledger import OrderState
from engine.records import Facts
from engine.values import Loop

LEASE_MS = 15_000
CLOCK = SystemClock()
LEASES = DynamoLeases(CLOCK)
STORE = DynamoStore(CLOCK)
THROTTLED = {"__type": "com.amazonaws.dynamodb#ThrottlingException", "message": "slow down"}
COLLIDED = {
    "__type": "com.amazonaws.dynamodb#TransactionCanceledException",
    "message": "cancelled",
    "CancellationReasons": [{"Code": "TransactionConflict"}, {"Code": "None"}],
}


class _Body:
    """The raw part of an answer."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


@contextmanager
def answering(operation: str, body: dict[str, Any], *, times: int) -> Iterator[list[bytes]]:
    """Answer the next calls with an error instead of sending them; yields what was asked."""
    asked: list[bytes] = []

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        asked.append(request.body)
        if len(asked) > times:
            return None
        return AWSResponse(request.url, 400, {}, _Body(json.dumps(body).encode()))

    events = dynamo.connection().client.meta.events
    events.register_first(f"before-send.dynamodb.{operation}", answer)
    try:
        yield asked
    finally:
        events.unregister(f"before-send.dynamodb.{operation}", answer)


@contextmanager
def swallowing(
    operation: str, *, times: int, meanwhile: Callable[[], object] | None = None
) -> Iterator[None]:
    """Let the next calls arrive, but lose their answers; something may happen meanwhile."""
    left = times

    def lose(**_: Any) -> None:
        nonlocal left
        if left:
            left -= 1
            if meanwhile is not None:
                meanwhile()
            raise ReadTimeoutError(endpoint_url="loopback")

    events = dynamo.connection().client.meta.events
    events.register(f"after-call.dynamodb.{operation}", lose)
    try:
        yield
    finally:
        events.unregister(f"after-call.dynamodb.{operation}", lose)


@pytest.mark.ministack
@pytest.mark.parametrize("body", [THROTTLED, COLLIDED])
def test_a_write_that_was_throttled_or_collided_is_sent_again(
    ministack_tables: None, body: dict[str, Any]
) -> None:
    connection_id = f"faults-{uuid4().hex[:10]}"
    lease = _taken(connection_id, Loop.TRADE)

    with answering("TransactWriteItems", body, times=2) as asked:
        STORE.write_tick(lease, a_tick(), [a_wish()])

    assert len(set(asked)) == 1 < len(asked)  # the same request, its idempotency token included
    assert len(STORE.pending(connection_id)) == 1


@pytest.mark.ministack
@pytest.mark.parametrize("body", [THROTTLED, COLLIDED])
def test_a_store_that_stays_busy_is_told_to_the_caller(
    ministack_tables: None, body: dict[str, Any]
) -> None:
    connection_id = f"faults-{uuid4().hex[:10]}"
    lease = _taken(connection_id, Loop.TRADE)

    with (
        answering("TransactWriteItems", body, times=1000) as asked,
        pytest.raises(StoreBusyError, match=r"Throttling|TransactionCanceled"),
    ):
        STORE.write_tick(lease, a_tick(), [a_wish()])

    assert len(asked) >= ATTEMPTS
    assert STORE.pending(connection_id) == ()


@pytest.mark.parametrize("operation", ["GetItem", "Query"])
def test_a_busy_read_is_told_to_the_caller(moto_tables: None, operation: str) -> None:
    reads: dict[str, Callable[[], object]] = {
        "GetItem": lambda: LEASES.read("c1", Loop.TRADE),
        "Query": lambda: STORE.held("c1"),
    }

    with answering(operation, THROTTLED, times=1000), pytest.raises(StoreBusyError):
        reads[operation]()


def test_a_take_whose_answer_was_lost_is_known_by_its_nonce(moto_tables: None) -> None:
    with swallowing("UpdateItem", times=1):
        lease = LEASES.take("c1", Loop.TRADE, token=0, owner="nonce", lease_ms=LEASE_MS)

    assert lease.token == 1
    assert LEASES.renew(lease).token == 1


def test_a_take_whose_answer_was_lost_and_was_overtaken_is_lost(moto_tables: None) -> None:
    def overtake() -> None:
        LEASES.take("c1", Loop.TRADE, token=1, owner="other", lease_ms=LEASE_MS)

    with swallowing("UpdateItem", times=1, meanwhile=overtake), pytest.raises(LeaseLostError):
        LEASES.take("c1", Loop.TRADE, token=0, owner="nonce", lease_ms=LEASE_MS)

    assert LEASES.read("c1", Loop.TRADE).owner == "other"


def test_falling_asleep_whose_answer_was_lost_is_still_sleep(moto_tables: None) -> None:
    lease = _taken("c1", Loop.POSITION)

    with swallowing("UpdateItem", times=1):
        assert LEASES.go_idle(lease, seen_seq=0)

    assert LEASES.read("c1", Loop.POSITION).phase == "idle"


def test_a_renewal_whose_answer_was_lost_is_sent_again(moto_tables: None) -> None:
    lease = _taken("c1", Loop.TRADE)

    with swallowing("UpdateItem", times=1):
        assert LEASES.renew(lease).token == lease.token


@pytest.mark.ministack
def test_a_claim_whose_answer_was_lost_is_won_once(ministack_tables: None) -> None:
    connection_id = f"faults-{uuid4().hex[:10]}"
    lease = _taken(connection_id, Loop.POSITION)
    STORE.write_facts(lease, Facts(orders=(an_order(),)))

    with swallowing("TransactWriteItems", times=1):
        assert STORE.claim(lease, an_order())

    assert not STORE.claim(lease, an_order())
    assert STORE.held(connection_id).orders[0].state is OrderState.SUBMITTING


@pytest.mark.ministack
def test_a_tick_whose_answer_was_lost_counts_its_wishes_once(ministack_tables: None) -> None:
    connection_id = f"faults-{uuid4().hex[:10]}"
    lease = _taken(connection_id, Loop.TRADE)

    with swallowing("TransactWriteItems", times=1):
        STORE.write_tick(lease, a_tick(), [a_wish()])

    assert LEASES.read(connection_id, Loop.POSITION).wish_seq == 1


def _taken(connection_id: str, loop: Loop) -> Any:
    return LEASES.take(connection_id, loop, token=0, owner="burst", lease_ms=LEASE_MS)
