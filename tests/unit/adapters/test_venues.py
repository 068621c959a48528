"""Which venues there are, what they take, and what the unified dialect makes of their rows."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.capabilities import MATRIX
from adapters.names import OrderNames
from adapters.opener import dialect_of
from adapters.venues import unified_words as words
from adapters.venues.naming import Naming, meant_by, told_as
from adapters.venues.registry import VENUES, Level, refuse_unfit, venue_named
from adapters.venues.unified import UnifiedSwap
from engine.errors import RefusedError
from engine.ledger import OrderState, Purpose
from engine.orders import order_name, position_id
from engine.values import Side


def test_every_venue_opens_or_says_why_it_does_not() -> None:
    for each in VENUES:
        if each.level is Level.NONE:
            with pytest.raises(RefusedError, match=f"{each.name} is not supported, because "):
                dialect_of(each.name, "perpetual_futures")
        else:
            for kind in each.api_types:
                made = dialect_of(each.name, kind)
                assert isinstance(made, UnifiedSwap) == (each.level is Level.BASIC)


@pytest.mark.parametrize(("alias", "name"), [("gateio", "gate"), ("huobi", "htx")])
def test_old_names_are_the_same_venue(alias: str, name: str) -> None:
    venues = {venue.name: venue for venue in VENUES}

    assert alias in venues[name].aliases
    if venues[name].level is not Level.NONE:
        assert venue_named(alias) is venues[name]


@pytest.mark.parametrize(
    ("venue", "kind", "hedge", "passphrase", "field"),
    [
        ("bingx", "perpetual_futures", True, True, "position_mode must be one_way"),
        ("bingx", "spot", False, True, "api_type must be one of perpetual_futures"),
        ("okx", "perpetual_futures", False, False, "api_passphrase must be given"),
        ("bitget", "perpetual_futures", False, False, "api_passphrase must be given"),
    ],
)
def test_what_a_venue_does_not_do_is_refused_by_its_field(
    venue: str, kind: str, hedge: bool, passphrase: bool, field: str
) -> None:
    with pytest.raises(RefusedError, match=field):
        refuse_unfit(venue_named(venue), kind, hedge=hedge, passphrase=passphrase)


def test_the_matrix_names_every_venue_in_order_with_its_level_and_why() -> None:
    told = [(row["name"], row["level"], row["why"]) for row in json.loads(MATRIX.read_text())]

    assert told == [(venue.name, str(venue.level), venue.why) for venue in VENUES]


# --- names that fit into 28 characters


@given(
    st.sampled_from(list(Purpose)),
    st.integers(0, 36**3 - 1),
    st.text(max_size=9),
    st.integers(0, 2**44),
)
def test_a_short_name_holds_all_of_ours(
    purpose: Purpose, attempt: int, key: str, at_ms: int
) -> None:
    name = order_name(position_id("connection", key, at_ms), purpose, attempt)

    short = told_as(name, Naming.SHORT)

    assert len(short) <= 28
    assert set(short) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert meant_by(short, Naming.SHORT, OrderNames()) == name
    assert meant_by(f"t-{short}", Naming.SHORT, OrderNames()) == name


@pytest.mark.parametrize("told", ["", "web", "t-by-hand", "cts" + "_" * 24, "cts" + "*" * 24])
def test_names_of_others_stay_what_they_are(told: str) -> None:
    assert meant_by(told, Naming.SHORT, OrderNames()) == told
    assert told_as(told, Naming.SHORT) == told


# --- rows

MARKET = {
    "base": "BTC", "quote": "USDT", "contractSize": "0.001", "swap": True, "linear": True,
    "precision": {"amount": "1", "price": "0.1"},
    "limits": {"amount": {"min": "1", "max": "1000"}, "cost": {"min": "5"}, "leverage": {}},
}  # fmt: skip


def test_contracts_are_counted_in_base_units() -> None:
    made = words.instrument(MARKET, volume_quote=Decimal(7))

    assert (made.symbol, made.quantity_step) == ("BTCUSDT", Decimal("0.001"))
    assert (made.min_quantity, made.max_quantity) == (Decimal("0.001"), Decimal(1))
    assert made.max_leverage == words.UNTOLD_LEVERAGE
    assert made.min_notional == 5


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("side", list(Side))
def test_an_order_of_ours_tells_its_side_by_its_name(side: Side, purpose: Purpose) -> None:
    name = order_name("a" * 25, purpose, 0)
    buys = (side is Side.LONG) is not purpose.reduces
    row = {
        "id": "1", "clientOrderId": name, "side": "buy" if buys else "sell", "amount": "3",
        "filled": "1", "status": "open", "stopLossPrice": "90",
    }  # fmt: skip

    found = words.venue_order(
        row, "BTCUSDT", Decimal("0.001"), naming=Naming.FULL, names=OrderNames()
    )

    assert (found.side, found.reduces) == (side, purpose.reduces)
    assert (found.quantity, found.filled_quantity) == (Decimal("0.003"), Decimal("0.001"))
    assert found.trigger_price == 90


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (None, OrderState.OPEN),
        ("closed", OrderState.FILLED),
        ("canceled", OrderState.CANCELLED),
        ("rejected", OrderState.REJECTED),
    ],
)
def test_the_state_of_an_order_is_read_and_nothing_said_means_accepted(
    status: str | None, state: OrderState
) -> None:
    assert words.order_update({"id": "1", "status": status}, "x", Decimal(1)).state is state
