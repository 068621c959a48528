"""Commands about positions over the API: queued on the record, obeyed by the loop, told again."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.api_world import ApiWorld
from tests.builders import an_instrument
from tests.samples import a_key, a_position

from adapters import commands
from adapters.position_rows import position_row
from adapters.store import DynamoStore
from adapters.tables import AuditRow, EngineStateRow
from adapters.tokens import NewToken, Role
from engine.ledger import Position, PositionStatus
from engine.orders import position_id
from engine.records import AS_CONFIGURED, Consumed, ExitChange, Facts
from engine.values import Loop, Side

STOP, TARGET = Decimal("59760.0"), Decimal("60480.0")
"""Configured for a long entered at 60,000, with 0.4 and 0.8 percent."""


@pytest.fixture
def connection_id(api: ApiWorld) -> str:
    """A running connection that follows one symbol."""
    made = api.running()
    instruments = (an_instrument("BTCUSDT"),)
    EngineStateRow(made).update([EngineStateRow.instruments.set(instruments)])
    return made


def _held(connection_id: str, status: PositionStatus = PositionStatus.OPEN) -> Position:
    """A stored position of the connection, entered at 60,000."""
    key = a_key()
    key = replace(key, exits=replace(key.exits, ladder=False))
    name = position_id(connection_id, key.text, 1)
    held = replace(
        a_position(name, key=key, status=status),
        entry_price=Decimal(60_000),
        first_price=Decimal(60_000),
        entry_quantity=Decimal("0.015"),
        stop_price=STOP,
        target_price=TARGET,
    )
    position_row(connection_id, held).save()
    return held


def _codes(answer: Any) -> list[str]:
    assert answer.status == 409, answer.text
    return [one["code"] for one in answer.body["reasons"]]


def test_a_token_of_some_connections_reads_changes_and_closes_their_positions_alone(
    api: ApiWorld, connection_id: str
) -> None:
    other = api.running()
    mine, theirs = _held(connection_id), _held(other)
    asked = NewToken(name="Desk", role=Role.OPERATOR, connections=(connection_id,))
    token, _ = api.tokens.create(asked, by="test")

    def told(one: str, held: Position) -> list[int]:
        path = f"/api/positions/{held.position_id}"
        return [
            api.get(f"/api/positions/{one}", token=token).status,
            api.get(f"/api/positions/{one}/stats", token=token).status,
            api.call("PATCH", path, {"targetPrice": "60500"}, token=token).status,
            api.post(f"{path}/close", {}, token=token).status,
        ]

    assert told(connection_id, mine) == [200, 200, 202, 202]
    assert told(other, theirs) == told("c-none", a_position("nobody has it")) == [403] * 4
    assert len(commands.pending(connection_id)) == 2
    assert commands.pending(other) == ()


def test_closing_one_position_is_queued_on_the_record_and_wakes_its_loop(
    api: ApiWorld, connection_id: str
) -> None:
    held = _held(connection_id)

    answer = api.post(f"/api/positions/{held.position_id}/close", {"reason": "enough"})

    (waiting,) = commands.pending(connection_id)
    (line,) = [row for row in AuditRow.query(connection_id) if row.action == "position.close"]
    assert answer.status == 202
    assert answer.body["connectionId"] == connection_id
    assert answer.body["commandId"] == waiting.command_id
    assert (waiting.kind, waiting.position_id) == ("close_position", held.position_id)
    assert line.details["reason"] == "enough"
    assert line.details["command_id"] == waiting.command_id
    assert api.leases.read(connection_id, Loop.POSITION).wish_seq == 1
    assert api.starter.started == [(connection_id, Loop.POSITION)]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("body", "change"),
    [
        ({"stopPrice": "59900.5"}, ExitChange(stop_price=Decimal("59900.5"))),
        ({"targetPrice": 61000}, ExitChange(target_price=Decimal(61_000))),
        (
            {"stopPrice": "59000", "targetPrice": None, "allowLooser": True},
            ExitChange(stop_price=Decimal(59_000), target_price=AS_CONFIGURED, allow_looser=True),
        ),
    ],
)
def test_other_exits_are_queued_as_they_were_asked_for(
    api: ApiWorld, connection_id: str, method: str, body: dict[str, Any], change: ExitChange
) -> None:
    held = _held(connection_id)

    answer = api.call(method, f"/api/positions/{held.position_id}", body)

    (waiting,) = commands.pending(connection_id)
    assert answer.status == 202, answer.text
    assert (waiting.kind, waiting.exits) == ("change_exits", change)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"stopPrice": "59000"}, "stop_looser"),
        ({"stopPrice": "60480"}, "target_beyond_stop"),
        ({"targetPrice": "59759.9"}, "target_beyond_stop"),
        ({"stopPrice": "53000", "allowLooser": True}, "stop_beyond_liquidation"),
    ],
)
def test_exits_that_no_price_could_make_right_are_refused_at_once_with_figures(
    api: ApiWorld, connection_id: str, body: dict[str, Any], code: str
) -> None:
    held = _held(connection_id)

    answer = api.call("PATCH", f"/api/positions/{held.position_id}", body)

    assert _codes(answer) == [code]
    assert any(character.isdigit() for character in answer.body["reasons"][0]["message"])
    assert commands.pending(connection_id) == ()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"allowLooser": True},
        {"stopPrice": "0"},
        {"stopPrice": "-1"},
        {"stopPrice": "NaN"},
        {"targetPrice": "Infinity"},
        {"stopPrice": "a price"},
        {"stop": "59900"},
        {"stopPrice": "59900", "reason": "x" * 501},
    ],
)
def test_a_body_that_says_no_exits_is_refused(
    api: ApiWorld, connection_id: str, body: dict[str, Any]
) -> None:
    held = _held(connection_id)

    assert api.call("PATCH", f"/api/positions/{held.position_id}", body).status == 400
    assert commands.pending(connection_id) == ()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (PositionStatus.CLOSED, "already_closed"),
        (PositionStatus.CLOSING, "already_closing"),
    ],
)
def test_what_is_closed_or_closing_is_not_closed_again_and_takes_no_other_exits(
    api: ApiWorld, connection_id: str, status: PositionStatus, code: str
) -> None:
    held = _held(connection_id, status)

    closing = api.post(f"/api/positions/{held.position_id}/close")
    changing = api.call("PATCH", f"/api/positions/{held.position_id}", {"stopPrice": "59900"})

    assert (_codes(closing), _codes(changing)) == ([code], ["not_open"])


def _of_nobody(connection_id: str) -> str:
    return "a" * 25


def _of_the_connection(connection_id: str) -> str:
    return connection_id


def _not_stored(connection_id: str) -> str:
    return position_id(connection_id, a_key(side=Side.SHORT).text, 1)


@pytest.mark.parametrize("named", [_of_nobody, _of_the_connection, _not_stored])
def test_a_position_that_nobody_knows_is_not_found(
    api: ApiWorld, connection_id: str, named: Callable[[str], str]
) -> None:
    name = named(connection_id)

    assert api.post(f"/api/positions/{name}/close").status == 404
    changed = api.call("PATCH", f"/api/positions/{name}", {"stopPrice": "59900"})
    assert changed.status == 404


@pytest.mark.parametrize("what", ["close-all", "close-profitable"])
def test_each_connection_that_holds_something_is_told_to_close_it(
    api: ApiWorld, connection_id: str, what: str
) -> None:
    flat = api.tested()
    _held(connection_id)

    answer = api.post(f"/api/positions/{what}")

    results = {one["connectionId"]: one for one in answer.body["results"]}
    (waiting,) = commands.pending(connection_id)
    assert answer.status == 202
    assert waiting.kind == what.replace("-", "_")
    assert results[connection_id]["commandId"] == waiting.command_id
    assert (results[flat]["success"], results[flat]["commandId"]) == (True, "")
    assert commands.pending(flat) == ()
    assert api.starter.started == [(connection_id, Loop.POSITION)]


def test_what_became_of_each_command_is_told_the_latest_first(
    api: ApiWorld, connection_id: str
) -> None:
    held = _held(connection_id)
    first = api.post(f"/api/positions/{held.position_id}/close").body["commandId"]
    api.clock.advance(1)
    second = api.post("/api/positions/close-all", {"connectionId": connection_id}).body["commandId"]
    lease = api.leases.take(connection_id, Loop.POSITION, token=0, owner="b", lease_ms=15_000)
    answered = Consumed(
        command_id=first,
        outcome="refused",
        reason="unknown_position",
        numbers={"left": "1"},
        kind="close_position",
        position_id=held.position_id,
        created_at_ms=7,
    )
    wish = Consumed(command_id="0000000000001|wish", outcome="done", kind="wish")
    DynamoStore(api.clock).write_facts(lease, Facts(consumed=(answered, wish)))

    told = api.get(f"/api/commands?connectionId={connection_id}").body
    waiting = api.get(f"/api/commands?connectionId={connection_id}&status=pending").body
    done = api.get(f"/api/commands?connectionId={connection_id}&status=done").body

    assert [one["id"] for one in told["data"]] == [second, first]
    assert [one["status"] for one in told["data"]] == ["pending", "refused"]
    assert told["data"][1]["reason"] == "unknown_position"
    assert told["data"][1]["numbers"] == {"left": "1"}
    assert told["data"][1]["doneAtMs"] == api.clock.now_ms()
    assert [one["id"] for one in waiting["data"]] == [second]
    assert [one["id"] for one in done["data"]] == [first]


def test_answered_commands_come_in_pages(api: ApiWorld, connection_id: str) -> None:
    lease = api.leases.take(connection_id, Loop.POSITION, token=0, owner="b", lease_ms=15_000)
    names = [f"{number:013d}|close_all" for number in range(5)]
    answers = tuple(Consumed(command_id=n, outcome="done", kind="close_all") for n in names)
    DynamoStore(api.clock).write_facts(lease, Facts(consumed=answers))

    path, told = f"/api/commands?connectionId={connection_id}&limit=2", []
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}".replace("|", "%7C") if cursor else ""
        page = api.get(path + more).body
        told += [one["id"] for one in page["data"]]
        cursor = page["cursor"]

    assert told == names[::-1]


def test_commands_of_an_unknown_connection_are_not_found(api: ApiWorld) -> None:
    assert api.get("/api/commands?connectionId=c-unknown").status == 404
    assert api.get("/api/commands").status == 400
