"""What is stored in one transaction."""

from dataclasses import replace
from decimal import Decimal

from tests.samples import START_MS, a_fill, a_position, an_order

from engine.ledger import OrderState, PositionStatus
from engine.records import Consumed, Facts
from engine.risk_record import RiskRecord
from engine.shares import with_settled
from engine.together import together

ONE, TWO, THREE = (a_position(name, at_ms=START_MS + n) for n, name in enumerate("abc"))


def beyond(fill_id: str, order_id: str) -> Facts:
    """An order of ONE that took more than ONE held: the rest of it came off TWO."""
    fill = replace(a_fill(fill_id, client_order_id=order_id), quantity=Decimal(3))
    reduced = with_settled(TWO, fill.key, Decimal(1))
    order = an_order(order_id, position_id=ONE.position_id)
    return Facts(orders=(order,), positions=(THREE, reduced), fills=(fill,))


def names(piece: Facts) -> list[str]:
    return [position.position_id for position in piece.positions]


def test_an_execution_that_two_shares_bear_is_stored_with_both() -> None:
    facts = beyond("t1", "o1")
    with_one = replace(facts, positions=(*facts.positions, ONE))

    third, joint = together(with_one)

    assert names(third) == ["c"]
    assert sorted(names(joint)) == ["a", "b"]
    assert (joint.orders, joint.fills) == (facts.orders, facts.fills)
    assert sorted(map(names, together(facts))) == [["b"], ["c"]]  # the owner itself was unchanged


def test_shares_joined_by_two_executions_are_one_piece() -> None:
    first = beyond("t1", "o1")
    fill = a_fill("t2", client_order_id="o2")
    third = with_settled(THREE, fill.key, Decimal(1))
    order = an_order("o2", position_id=TWO.position_id)

    (joint,) = together(
        Facts(
            orders=(*first.orders, order),
            positions=(ONE, first.positions[1], third),
            fills=(*first.fills, fill),
        )
    )

    assert sorted(names(joint)) == ["a", "b", "c"]


def test_what_the_venue_itself_wanted_is_stored_last_and_joins_nothing() -> None:
    fill = a_fill("t1", client_order_id="")
    reduced = tuple(with_settled(one, fill.key, Decimal(1)) for one in (ONE, TWO))

    first, second, rest = together(Facts(positions=reduced, fills=(fill,)))

    assert (names(first), names(second)) == (["a"], ["b"])
    assert rest == Facts(fills=(fill,))


def test_figures_of_the_account_come_first_then_what_closed() -> None:
    closed = replace(TWO, status=PositionStatus.CLOSED)
    wish = Consumed(command_id=f"{ONE.entry_close_ms:013d}|{ONE.key.text}", outcome="done")
    order = an_order("o1", position_id=ONE.position_id)
    later = replace(order, state=OrderState.OPEN)
    risk = RiskRecord()

    pieces = together(
        Facts(orders=(order, later), positions=(ONE, closed), consumed=(wish,), risk=risk)
    )

    assert pieces == [
        Facts(risk=risk),
        Facts(positions=(closed,)),
        Facts(positions=(ONE,), orders=(later,), consumed=(wish,)),
    ]


def test_a_piece_stays_below_what_a_transaction_holds() -> None:
    fill = a_fill("t1", client_order_id="o0")
    order = an_order("o0", position_id="p0")
    shares = tuple(with_settled(a_position(f"p{n}"), fill.key, Decimal(1)) for n in range(30))

    pieces = together(Facts(orders=(order,), positions=shares, fills=(fill,)))

    assert max(len(piece.positions) for piece in pieces) == 12
    assert sum(len(piece.positions) for piece in pieces) == 30
