"""What the engine would open and what it did, over the API."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.api_world import ApiWorld
from tests.builders import an_instrument
from tests.samples import START_MS, a_key, a_position

from adapters.commands import queue
from adapters.position_rows import position_row
from adapters.tables import AuditRow, CommandRow, EngineStateRow, PositionRow
from engine.orders import position_id

EQUITY = {"equity": "5000", "price": "25000", "stopLossPct": "0.5"}


@pytest.fixture
def connection_id(api: ApiWorld) -> str:
    made = api.running()
    instruments = (an_instrument("BTCUSDT"),)
    EngineStateRow(made).update([EngineStateRow.instruments.set(instruments)])
    return made


def _asked(api: ApiWorld, connection_id: str, **more: Any) -> Any:
    body = {"connectionId": connection_id, "symbol": "BTCUSDT", **EQUITY, **more}
    return api.post("/api/volume/calculate", body, token="viewer")


def test_a_size_is_told_with_every_number_it_came_from(api: ApiWorld, connection_id: str) -> None:
    told = _asked(api, connection_id).body

    assert Decimal(told["intendedNotional"]) == 100
    size = told["size"]
    numbers = {name: Decimal(size[name]) for name in ("quantity", "notional", "margin")}
    assert numbers == {"quantity": Decimal("0.004"), "notional": 100, "margin": 10}
    assert (size["leverage"], size["lifted"]) == (10, False)
    assert {name: Decimal(value) for name, value in told["factors"].items()} == {
        "base": 1,
        "of_mode": 1,
        "of_connection": 1,
        "factor": 1,
        "ratio": 1,
    }
    assert told["instrument"]["quantity_step"] == "0.001"
    assert told["refusal"] is None


def test_a_quantity_is_rounded_down_to_the_venues_step(api: ApiWorld, connection_id: str) -> None:
    told = _asked(api, connection_id, price="30000").body

    assert told["size"]["quantity"] == "0.003"


def test_what_would_be_refused_is_told_with_its_reason(api: ApiWorld, connection_id: str) -> None:
    told = _asked(api, connection_id, freeMargin="1").body

    assert told["size"] is None
    assert told["refusal"]["code"] == "free_margin"
    assert Decimal(told["refusal"]["numbers"]["margin"]) == 10


def test_what_is_open_already_counts_against_the_limits(
    api: ApiWorld, connection_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()
    made = PositionRow.from_raw_data

    def noted(data: dict[str, Any]) -> PositionRow:
        read.update(data)
        return made(data)

    monkeypatch.setattr(PositionRow, "from_raw_data", noted)
    held = replace(
        a_position("p"),
        quantity=Decimal("0.2"),
        entry_quantity=Decimal("0.2"),
        entry_price=Decimal(25_000),
    )
    position_row(connection_id, held).save()

    assert _asked(api, connection_id).body["refusal"]["code"] == "risk_budget"
    assert len(read) == 4  # and not the rest of each of them


def test_nothing_is_sized_with_an_equity_or_a_price_that_nobody_knows(
    api: ApiWorld, connection_id: str
) -> None:
    no_equity = _asked(api, connection_id, equity=None)
    no_price = _asked(api, connection_id, price=None)

    assert (no_equity.status, no_price.status) == (409, 409)
    assert no_equity.body["reasons"][0]["code"] == "equity_unknown"
    assert no_price.body["reasons"][0]["code"] == "price_unknown"


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"symbol": "XRPUSDT"}, 404),
        ({"connectionId": "c-none"}, 404),
        ({"price": "0"}, 400),
        ({"equity": "-1"}, 400),
        ({"sizeRatio": "NaN"}, 400),
        ({"side": "UP"}, 400),
        ({"stopLossPct": None}, 400),
    ],
)
def test_a_size_of_nonsense_is_refused(
    api: ApiWorld, connection_id: str, more: dict[str, Any], status: int
) -> None:
    assert _asked(api, connection_id, **more).status == status


def test_asking_for_a_size_changes_nothing(api: ApiWorld, connection_id: str) -> None:
    before = len(list(AuditRow.query(connection_id)))

    _asked(api, connection_id)

    assert len(list(AuditRow.query(connection_id))) == before
    assert list(CommandRow.query(queue(connection_id, "pending"))) == []


def _done(connection_id: str, command_id: str, outcome: str, **more: Any) -> None:
    CommandRow(queue(connection_id, "done"), command_id, outcome=outcome, **more).save()


def test_sizes_of_past_wishes_are_told_beside_those_that_got_none(
    api: ApiWorld, connection_id: str
) -> None:
    key = a_key()
    opened = f"{START_MS:013d}|{key.text}"
    name = position_id(connection_id, key.text, START_MS)
    held = replace(a_position(name), entry_quantity=Decimal(2), entry_price=Decimal(100))
    position_row(connection_id, held).save()
    _done(connection_id, opened, "done")
    refused = f"{START_MS + 1:013d}|{key.text}"
    _done(connection_id, refused, "refused", reason="cooldown", numbers={"left_ms": "12"})
    _done(connection_id, f"{START_MS + 2:013d}|close_all", "done")

    pages, cursor = [], ""
    while True:
        page = api.get(f"/api/volume/history/{connection_id}?limit=1{cursor}").body
        pages += page["data"]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"

    first, second = pages
    assert (first["outcome"], first["reason"], first["numbers"]) == (
        "refused",
        "cooldown",
        {"left_ms": "12"},
    )
    assert (second["quantity"], second["leverage"]) == ("2", 10)
    assert Decimal(second["notional"]) == 200


def test_a_cursor_of_another_list_is_refused(api: ApiWorld, connection_id: str) -> None:
    for number in range(2):
        position_row(connection_id, a_position(f"p{number}", at_ms=1000 + number)).save()
    cursor = api.get(f"/api/positions/{connection_id}?limit=1").body["cursor"]

    assert api.get(f"/api/volume/history/{connection_id}?cursor={cursor}").status == 400
