"""One full run of both sides of the engine, told as digests: `python -m tests.simulation.full_run`.

A day of seconds of three symbols through `plan_trade` with everything on, and a desk in a storm.
"""

import hashlib
import json
from typing import Any

import numpy as np
from tests.desk_storms import EVERYTHING, stormy_world
from tests.everything import everything
from tests.market import walked
from tests.unit.engine.trading import RECORDS, books_of, planned

DAY = 86_400
NAMES = ("AUSDT", "BUSDT", "CUSDT")


def trade_digests(length: int) -> dict[str, str]:
    """Of every kind of record, and of the books."""
    settings = everything(maxSetsPerSymbol=400)
    candles = walked(
        4, length=length, symbols=NAMES, span_ms=1000, volatility=4e-4, gap_share=0.001
    )
    state, plan = planned(candles, settings)
    told = {name: digest(getattr(plan, name).tobytes()) for name in RECORDS}
    books = books_of(state)
    return told | {
        "counts": json.dumps(plan.counts),
        "books": digest(b"".join(part for name in NAMES for part in books[name])),
    }


def desk_digest(ticks: int) -> str:
    """Of everything the desk logged, and of what the store holds at the end."""
    world = stormy_world(5, EVERYTHING, crash_chance=0.01, ticks=ticks)
    stored = (world.log, world.store.orders, world.store.positions, world.store.fills)
    return digest(repr(stored).encode())


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def vector_features() -> list[str]:
    """What numpy uses on this machine beyond what it was built for, widest vectors last."""
    shown: Any = np.show_config(mode="dicts")
    return list(shown["SIMD Extensions"].get("found", []))


def main() -> None:
    told: dict[str, object] = {"features": vector_features(), "numpy": np.__version__}
    told |= trade_digests(DAY)
    print(json.dumps(told | {"desk": desk_digest(600)}))


if __name__ == "__main__":
    main()
