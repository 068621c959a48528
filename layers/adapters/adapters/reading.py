"""Reading a ccxt socket in one task that lives as long as it does.

ccxt starts a task for each message and goes four times round the event loop for it, which is most
of what a message costs; and a message it cannot parse ends its reading without a word.
"""

import asyncio
from typing import Any

from aiohttp import WSMsgType

from adapters.ccxt_loader import load_errors

_ENDS = frozenset({WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR})
_readers: set[asyncio.Task[None]] = set()


def read_in_one_task(socket: Any) -> None:
    """Let a socket that has just connected be read that way; ccxt starts it."""

    def begin() -> None:
        task = asyncio.get_running_loop().create_task(_read(socket))
        _readers.add(task)
        task.add_done_callback(_readers.discard)

    socket.receive_loop = begin


async def _read(socket: Any) -> None:
    connection = socket.connection
    ended = None
    while ended not in _ENDS:
        try:
            message = await connection.receive()
            ended = message.type
            socket.handle_message(message)
        except Exception as error:  # whatever it was: nobody reads this socket any more
            text = f"{type(error).__name__} {error}"
            socket.on_error(load_errors().NetworkError(text))
            return
    if ended in (WSMsgType.CLOSING, WSMsgType.CLOSED):
        socket.on_close(1006)
