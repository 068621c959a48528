"""Screens as the reader leaves them, made from the stand-in API's answers."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.console_api import TOKEN, ConsoleApi

from console.address import Address
from console.client import Client
from console.models import Order, Position
from console.reader import Reader
from console.state import Reading, Screen

NOW_MS = 1_790_000_000_000


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


def an_api(clock: Clock, **changes: Any) -> ConsoleApi:
    return ConsoleApi(now_ms=clock, began_ms=NOW_MS, **changes)


def an_address(folder: Path) -> Address:
    token_file = folder / "token"
    token_file.write_text(f"{TOKEN}\n")
    return Address(url="https://api.test", token_file=token_file, ca_file=None)


def a_client(api: ConsoleApi, folder: Path) -> Client:
    return Client(an_address(folder), transport=api.transport())


def a_screen(folder: Path, **changes: Any) -> Screen:
    """What is known after one refresh."""
    clock = Clock()
    reader = Reader(a_client(an_api(clock, **changes), folder), clock)
    asyncio.run(reader.refresh())
    return replace(reader.screen, now_ms=clock.now_ms)


def a_position(**changes: Any) -> Position:
    values: dict[str, Any] = {
        "id": "p1", "symbol": "BTCUSDT", "side": "LONG", "status": "open",
        "entry_price": "100.0", "current_price": "101.0", "quantity": "2", "stop_price": "99.0",
        "target_price": "104.0", "trailing_armed": False, "unrealized_pnl": "2.0",
        "opened_at_ms": NOW_MS - 90_000, "protected_quantity": "2", "is_protected": True,
    }  # fmt: skip
    return Position.model_validate(values | changes)


def an_order(**changes: Any) -> Order:
    values: dict[str, Any] = {
        "client_order_id": "o1", "position_id": "p1", "symbol": "BTCUSDT", "side": "LONG",
        "order_side": "SELL", "purpose": "stop", "status": "open", "quantity": "2",
        "filled_quantity": "0", "trigger_price": "99.0", "average_price": None,
        "error_message": "", "created_at_ms": NOW_MS - 80_000, "updated_at_ms": NOW_MS - 80_000,
    }  # fmt: skip
    return Order.model_validate(values | changes)


def holding(screen: Screen, positions: list[Position], orders: list[Order]) -> Screen:
    """The screen with these positions and working orders instead of its own."""
    told = screen.snapshot.value
    assert told
    changed = told.model_copy(
        update={
            "positions": told.positions.model_copy(update={"data": positions}),
            "orders": told.orders.model_copy(update={"data": orders, "ended": []}),
        }
    )
    return replace(screen, snapshot=Reading(value=changed, at_ms=screen.now_ms))
