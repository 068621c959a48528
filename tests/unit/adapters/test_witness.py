"""A private stream that tells nothing of what the venue knows is found out."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.fakes import FakeClock
from tests.samples import a_fill

from adapters.witness import PATIENCE_MS, Witness
from engine.events import OrderUpdate
from engine.ledger import Fill, OrderState, Purpose
from engine.orders import order_name

OURS = order_name("p" * 25, Purpose.ENTRY, 0)
LIVE_MS = 1


def filled(name: str = OURS, quantity: str = "1", at_ms: int = 0) -> OrderUpdate:
    return OrderUpdate(
        client_order_id=name,
        state=OrderState.FILLED if quantity != "0" else OrderState.OPEN,
        filled_quantity=Decimal(quantity),
        at_ms=at_ms,
    )


def fill(name: str = OURS, at_ms: int = 0) -> Fill:
    return replace(a_fill(), client_order_id=name, executed_at_ms=at_ms)


def doubting(news: OrderUpdate | Fill) -> tuple[Witness, FakeClock]:
    clock = FakeClock()
    witness = Witness(clock)
    witness.rest_told([news])
    clock.advance(PATIENCE_MS + 1)
    return witness, clock


@pytest.mark.parametrize("kind", [filled, fill])
def test_a_fill_that_the_stream_never_told_is_named_once(kind: type) -> None:
    witness, _ = doubting(kind(at_ms=FakeClock().now_ms()))

    assert witness.unheard(LIVE_MS) == OURS
    assert witness.unheard(LIVE_MS) == ""


def test_a_stream_has_a_moment_to_tell_what_rest_told_first() -> None:
    clock = FakeClock()
    witness = Witness(clock)
    witness.rest_told([filled()])
    clock.advance(PATIENCE_MS)

    assert witness.unheard(LIVE_MS) == ""

    witness.stream_told([filled()])
    clock.advance(PATIENCE_MS)

    assert witness.unheard(LIVE_MS) == ""


def test_what_the_stream_told_first_is_never_doubted() -> None:
    clock = FakeClock()
    witness = Witness(clock)
    witness.stream_told([fill()])
    witness.rest_told([filled()])
    clock.advance(PATIENCE_MS + 1)

    assert witness.unheard(LIVE_MS) == ""


def test_an_order_that_only_rests_says_nothing_about_the_stream() -> None:
    assert doubting(filled(quantity="0"))[0].unheard(LIVE_MS) == ""


def test_fills_of_others_are_no_evidence() -> None:
    assert doubting(filled("someone-elses"))[0].unheard(LIVE_MS) == ""


@pytest.mark.parametrize("live_ms", [0, FakeClock().now_ms() - 500])
def test_what_was_filled_before_the_stream_was_live_is_no_evidence(live_ms: int) -> None:
    witness, _ = doubting(filled(at_ms=FakeClock().now_ms()))

    assert witness.unheard(live_ms) == ""
    assert witness.unheard(LIVE_MS) == ""  # and is forgotten
