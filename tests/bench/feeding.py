"""How many market messages one worker's feed takes in with a small Lambda's share of a core."""

import json
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.limited import LAMBDA_SHARE, limited

from local.paper.market.instruments import instruments
from local.paper.market.market import GeneratedMarket

ROOT = Path(__file__).parents[2]
_SAMPLED_S = 60
STARVED_SHARE = 0.08
"""Of a core: too little for thirty times the median, which shows what is shed, and how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fed:
    """What came of a rate of messages; `is_limited` is whether the share was enforced."""

    rate: float
    share: float | None
    is_limited: bool
    seconds: int
    figures: dict[str, Any]

    @property
    def held_share(self) -> float:
        """Candles that came whole from the stream."""
        return float(self.figures["stream"] / self.figures["candles"])

    @property
    def message_us(self) -> float:
        """Processor time of a message, everything the worker does included."""
        return float(self.figures["cpu_s"] / (self.rate * (self.seconds + 2)) * 1e6)

    @property
    def line(self) -> tuple[object, ...]:
        """For a table."""
        own = self.figures
        return (
            f"{self.rate:,.0f}",
            "all" if self.share is None else f"{self.share:.2f}",
            own["stream"],
            own["polling"],
            own["gap"],
            own["late_trades"],
            own["shed"],
            own["cpu_share"],
            own["age_ms"]["p50"],
            own["age_ms"]["p99"],
            own["delay_ms"]["p99"],
        )


HEAD = (
    *("feed", "messages/s", "core", "streamed", "polled", "gaps", "late trades", "shed"),
    *("core used", "age p50 ms", "age p99 ms", "late p99 ms"),
)


def median_rate(symbols: int, seed: int = 1) -> float:
    """Trades a second of the median symbol of the generator, times the symbols."""
    market = GeneratedMarket(instruments(symbols), seed)
    begin = 1_700_000_000
    counts = [
        sum(len(market.trades(one.symbol, second)) for second in range(begin, begin + _SAMPLED_S))
        for one in market.instruments
    ]
    return statistics.median(counts) / _SAMPLED_S * symbols


def feed_at(rate: float, *, symbols: int, seconds: int, share: float | None = LAMBDA_SHARE) -> Fed:
    """Stream that many messages a second to one worker for some seconds."""
    with (
        tempfile.TemporaryDirectory(prefix="cts-bench-") as folder,
        _hose(Path(folder), symbols, rate) as port,
    ):
        worker = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.bench.listener", "--port", str(port)),
                *("--ca", f"{folder}/ca.pem", "--symbols", str(symbols)),
                *("--seconds", str(seconds)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        try:
            return _measured(worker, rate, seconds, share)
        finally:
            worker.kill()
            worker.communicate()


def _measured(
    worker: "subprocess.Popen[str]", rate: float, seconds: int, share: float | None
) -> Fed:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdout.readline()
    with limited(worker.pid, 1.0 if share is None else share) as is_limited:
        worker.stdin.write("\n")
        worker.stdin.flush()
        figures = json.loads(worker.stdout.readline())
    return Fed(rate=rate, share=share, is_limited=is_limited, seconds=seconds, figures=figures)


@contextmanager
def _hose(folder: Path, symbols: int, rate: float) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.bench.firehose", "--port", str(port)),
            *("--dir", str(folder), "--symbols", str(symbols), "--rate", str(rate)),
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield port
    finally:
        process.terminate()
        process.communicate()
