"""vectorbt on the job of J3: a process of its own, in an environment of its own.

Started with the folder of a `Job` (see `exchange.py`), it answers one JSON line for each JSON line
it reads: `{"engine", "jobs": [[row, [configurations]], ...], "keep"}` runs one chunk of columns
after the other and gives back the seconds they took, peak memory, and with `keep` writes the
bars of all orders. Nothing of this project is imported here.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import vectorbt as vbt

WARM_UP_BARS = 2_000


class Peer:
    """The market of one job and `Portfolio.from_signals` on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prices = {
            name: np.load(folder / f"{name}.npy") for name in ("open", "high", "low", "close")
        }
        self.entries = np.load(folder / "entries.npy")
        self.short = np.load(folder / "short.npy")
        self.stop, self.target = np.load(folder / "stop.npy"), np.load(folder / "target.npy")

    def orders(
        self, engine: str, row: int, configurations: list[int], bars: int | None = None
    ) -> Any:
        """Order records of these configurations on one row.

        Entries fill at the close of their bar. Stops and targets fill at their price from the next
        bar on, the stop first. One position at a time, and one order a bar: after an exit the
        next entry is a later bar's.
        """
        own = {name: values[row, :bars, None] for name, values in self.prices.items()}
        portfolio = vbt.Portfolio.from_signals(
            own["close"],
            self.entries[row, :bars, None],
            False,
            open=own["open"],
            high=own["high"],
            low=own["low"],
            direction="shortonly" if self.short[row] else "longonly",
            sl_stop=self.stop[None, configurations],
            tp_stop=self.target[None, configurations],
            stop_entry_price="close",
            stop_exit_price="stoplimit",
            upon_stop_exit="close",
            accumulate=False,
            size=1.0,
            init_cash=1e12,
            fees=0.0,
            slippage=0.0,
            freq="1s",
            engine=engine,
        )
        return portfolio.order_records

    def run(self, engine: str, jobs: list[tuple[int, list[int]]], *, keep: bool) -> dict[str, Any]:
        """Seconds of all jobs, one after the other; the orders are written when `keep` is set."""
        took, kept = 0.0, []
        for row, configurations in jobs:
            begun, worked = time.perf_counter(), time.process_time()
            records = self.orders(engine, row, configurations)
            # As ours are measured: time in which others had the processor does not count.
            took += min(time.perf_counter() - begun, time.process_time() - worked)
            if keep:
                columns = np.asarray(configurations)[records["col"]]
                kept.append(np.stack([np.full(len(columns), row), columns, records["idx"]], axis=1))
            del records
        if keep:
            np.save(self.folder / f"orders-{engine}.npy", np.concatenate(kept))
        return {"seconds": took, "peak_mb": peak_mb()}

    def warm(self) -> dict[str, str]:
        """Compile on a few bars; engines that do not run are named with their reason."""
        failed = {}
        for engine in ("numba", "rust"):
            try:
                self.orders(engine, 0, [0, 1], WARM_UP_BARS)
            except (ImportError, ValueError, RuntimeError) as error:
                failed[engine] = str(error)
        return failed


def peak_mb() -> float:
    """Largest resident memory so far; what `getrusage` tells may be the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return float(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def answers(peer: Peer, lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """One answer a line; the first one, unasked, after everything is compiled."""
    yield {"version": vbt.__version__, "failed": peer.warm()}
    for line in lines:
        asked = json.loads(line)
        yield peer.run(asked["engine"], asked["jobs"], keep=asked["keep"])


if __name__ == "__main__":
    for answer in answers(Peer(Path(sys.argv[1])), iter(sys.stdin.readline, "")):
        print(json.dumps(answer), flush=True)
