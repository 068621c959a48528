"""A ccxt socket is read until it ends, and its end is never silent."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import WSMessage, WSMsgType

from adapters.reading import read_in_one_task


@dataclass(slots=True)
class Connection:
    """Messages that lie ready; behind them waits whatever a test adds."""

    queue: asyncio.Queue[WSMessage | Exception] = field(default_factory=asyncio.Queue)

    async def receive(self) -> WSMessage:
        told = await self.queue.get()
        if isinstance(told, Exception):
            raise told
        return told


@dataclass
class Socket:
    """What ccxt's client does with a message, an error and an end."""

    connection: Connection
    heard: list[Any] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    closed_with: list[int] = field(default_factory=list)
    receive_loop: Any = None

    def handle_message(self, message: WSMessage) -> None:
        if message.data == "unreadable":
            raise ValueError("no JSON")
        self.heard.append(message.data)

    def on_error(self, error: Exception) -> None:
        self.errors.append(str(error))

    def on_close(self, code: int) -> None:
        self.closed_with.append(code)


def text(data: str) -> WSMessage:
    return WSMessage(WSMsgType.TEXT, data, None)


async def read(*told: WSMessage | Exception) -> Socket:
    socket = Socket(Connection())
    for each in told:
        socket.connection.queue.put_nowait(each)
    read_in_one_task(socket)
    socket.receive_loop()
    for _ in range(20):
        await asyncio.sleep(0)
    return socket


async def test_messages_are_handed_on_in_order_as_they_come() -> None:
    socket = await read(text("1"), text("2"))
    socket.connection.queue.put_nowait(text("3"))
    socket.connection.queue.put_nowait(WSMessage(WSMsgType.CLOSE, 1000, None))
    for _ in range(20):
        await asyncio.sleep(0)

    assert socket.heard == ["1", "2", "3", 1000]
    assert socket.errors == []


async def test_a_message_that_cannot_be_read_breaks_the_socket() -> None:
    socket = await read(text("1"), text("unreadable"), text("2"))

    assert socket.heard == ["1"]
    assert socket.errors == ["ValueError no JSON"]


async def test_a_line_that_breaks_is_told() -> None:
    socket = await read(ConnectionResetError("gone"))

    assert socket.errors == ["ConnectionResetError gone"]


@pytest.mark.parametrize("kind", [WSMsgType.CLOSING, WSMsgType.CLOSED])
async def test_a_socket_found_closed_is_told_once(kind: WSMsgType) -> None:
    socket = await read(WSMessage(kind, None, None), text("never read"))

    assert socket.closed_with == [1006]
    assert "never read" not in socket.heard
