"""``python -m tests.bench.listener``: one worker's feed on the firehose, counting what it makes.

It prints a line when it streams, and starts to count when it is answered, so that whoever started
it can take most of the processor away in between.
"""

import argparse
import asyncio
import json
import resource
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.access import Access, Network, PaperAddress
from adapters.clock import SystemClock
from adapters.feed import CcxtFeed
from adapters.venues.binance import BinanceUsdm
from adapters.wire import Wire
from engine.market import Kind
from engine.values import Instrument
from local.paper.market.instruments import PaperInstrument, instruments

LATENESS_MS = 250


class Problems:
    """What the feed said is wrong."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Mapping[str, object]]] = []

    def fact(self, name: str, values: Mapping[str, object]) -> None:
        """Not counted."""

    def problem(self, name: str, values: Mapping[str, object]) -> None:
        self.told.append((name, values))


def listed(one: PaperInstrument) -> Instrument:
    """As the venue would list it."""
    return Instrument(
        symbol=one.symbol,
        base=one.base,
        quote="USDT",
        price_tick=one.tick,
        quantity_step=one.step,
        min_quantity=one.step,
        max_quantity=Decimal(10**6),
        min_notional=one.min_notional,
        max_leverage=100,
    )


async def listen(address: PaperAddress, symbols: int, seconds: int) -> dict[str, Any]:
    """Follow, and close each second's candle when it is due."""
    clock, dialect, problems = SystemClock(), BinanceUsdm(), Problems()
    access = Access(venue="binance", network=Network.PAPER, paper=address)
    wire = Wire(access, clock, dialect)
    feed = CcxtFeed(wire, dialect, clock, log=problems)
    await feed.follow([listed(one) for one in instruments(symbols)], private=False)
    await clock.sleep_until_ms(clock.now_ms() + 1_500)
    print("streaming", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    before, worked = feed.sources(), _worked_s()
    first = clock.now_ms() // 1000 * 1000 + 2000
    kinds, volume, ages, delays = [0, 0, 0], 0, [], []
    for close_ms in range(first, first + seconds * 1000, 1000):
        await clock.sleep_until_ms(close_ms + LATENESS_MS)
        candles = await feed.candles(close_ms)
        delays.append(clock.now_ms() - close_ms - LATENESS_MS)
        for kind in candles.kind.ravel():
            kinds[int(kind)] += 1
        volume += int(candles.volume.sum())
        now_ms = clock.now_ms()
        ages += [now_ms - quote.seen_ms for quote in feed.quotes().values()]
    after = feed.sources()
    took_s = _worked_s() - worked
    found = {
        "candles": symbols * seconds,
        **{name: after[name] - before[name] for name in after},
        "traded": kinds[Kind.TRADED],
        "late_trades": feed.late_trades,
        "jumps": feed.jumps,
        "shed": feed.shed,
        "breaks": feed.breaks,
        "problems": [name for name, _ in problems.told],
        "told": [dict(values) for _, values in problems.told[:2]],
        "cpu_share": took_s / (seconds + 2),
        "cpu_s": took_s,
        "volume_steps": volume,
        "delay_ms": _shares(delays),
        "age_ms": _shares(ages),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    await feed.close()
    return found


def _worked_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _shares(values: list[int]) -> dict[str, int]:
    ordered = sorted(values)
    last = len(ordered) - 1
    return {f"p{share}": ordered[last * share // 100] for share in (50, 99, 100)}


def main() -> None:
    """Listen, and print what was made as one line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ca", type=Path, required=True)
    parser.add_argument("--symbols", type=int, required=True)
    parser.add_argument("--seconds", type=int, required=True)
    given = parser.parse_args()
    address = PaperAddress(host="127.0.0.1", port=given.port, ca_file=given.ca)
    print(json.dumps(asyncio.run(listen(address, given.symbols, given.seconds))), flush=True)


if __name__ == "__main__":
    main()
