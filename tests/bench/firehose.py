"""``python -m tests.bench.firehose``: a venue that only prints trades, as fast as it is told to.

It stands where Binance USD-M does, on loopback TLS: each trade is a message of its own, timed by
the clock and numbered without a hole. Asked for prices, it tells the last ones.
"""

import argparse
import asyncio
import json
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from local.paper.certificates import server_context
from local.paper.market.instruments import PaperInstrument, instruments

HOST = "fapi.binance.com"
STREAM_HOST = "fstream.binance.com"
_SLOT_S = 0.002
_MOST_UNREAD = 1 << 22


class Firehose:
    """The trades of all symbols in turn, at a number of messages a second."""

    def __init__(self, listed: Sequence[PaperInstrument], rate: float) -> None:
        self._listed = listed
        self._rate = rate
        self._sent = 0
        self._heads = [
            f'{{"e":"aggTrade","s":"{one.symbol}","m":true,"nq":"1","p":"{self._price(one)}","q":"'
            for one in listed
        ]
        self._steps = [one.step for one in listed]

    @staticmethod
    def _price(one: PaperInstrument) -> str:
        return str(one.price(round(one.start_price / float(one.tick))))

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """A socket that starts to talk once it was asked to."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        asked = await socket.receive_json()
        await socket.send_json({"result": None, "id": asked["id"]})
        reading = asyncio.create_task(self._read(socket))
        transport = request.transport
        try:
            await self._pour(transport, reading)
        finally:
            reading.cancel()
        return socket

    async def _read(self, socket: web.WebSocketResponse) -> None:
        async for _ in socket:
            pass

    async def _pour(
        self, transport: asyncio.Transport | None, reading: asyncio.Future[None]
    ) -> None:
        begun, poured = time.monotonic(), 0
        while transport is not None and not transport.is_closing() and not reading.done():
            await asyncio.sleep(_SLOT_S)
            due = int((time.monotonic() - begun) * self._rate)
            if transport.is_closing():
                return
            if transport.get_write_buffer_size() > _MOST_UNREAD:
                transport.abort()  # as venues do with whoever does not read
                return
            now_ms = time.time_ns() // 1_000_000
            for _ in range(due - poured):
                transport.write(_frame(self._message(now_ms)))
            poured = due

    def _message(self, now_ms: int) -> bytes:
        number, place = divmod(self._sent, len(self._listed))
        self._sent += 1
        quantity = self._steps[place] * (5 + self._sent * 7 % 997)
        tail = f'{quantity}","E":{now_ms},"T":{now_ms},"a":{number},"f":{number},"l":{number}}}'
        return (self._heads[place] + tail).encode()

    async def prices(self, request: web.Request) -> web.Response:
        now_ms = time.time_ns() // 1_000_000
        rows = [
            {"symbol": one.symbol, "price": self._price(one), "time": now_ms}
            for one in self._listed
        ]
        return web.json_response(rows)


def _frame(payload: bytes) -> bytes:
    """A text message as a server sends it: unmasked."""
    size = len(payload)
    head = bytes((0x81, size)) if size < 126 else b"\x81\x7e" + size.to_bytes(2, "big")
    return head + payload


async def _serve(port: int, directory: Path, symbols: int, rate: float) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    hose = Firehose(instruments(symbols), rate)
    app = web.Application()
    app.add_routes(
        [web.get("/fapi/v2/ticker/price", hose.prices), web.get("/{any:.*}", hose.stream)]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    context = server_context(directory, (HOST, STREAM_HOST), int(time.time()))
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    print(json.dumps({"port": port}), flush=True)
    await stop.wait()
    await runner.cleanup()


def main() -> None:
    """Pour until stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--symbols", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    given = parser.parse_args()
    asyncio.run(_serve(given.port, given.dir, given.symbols, given.rate))


if __name__ == "__main__":
    main()
