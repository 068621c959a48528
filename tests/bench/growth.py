"""How time grows with symbols, configurations, days and changes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from tests.bench.loading import BUSY, QUIET, load_peak_mb, measure_load
from tests.bench.markets import BARS, ENTRIES, make_job
from tests.bench.measuring import bars as drawn
from tests.bench.measuring import best_of, table
from tests.bench.replay import replay
from tests.bench.ticks import measure_ticks

Tell = Callable[[str], None]
ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Sizes to grow over; the first of each is the base the others are compared with."""

    rows: Sequence[int] = (1, 2, 5, 10, 20)
    configurations: Sequence[int] = (10, 100, 1_000, 4_000)
    days: Sequence[float] = (0.5, 1, 2.5, 5, 10)
    density: Sequence[int] = (1, 4, 16)
    symbols: Sequence[int] = (10, 50, 100, 200)
    sets: Sequence[int] = (100, 500, 1_000, 2_000)
    ticks: int = 20
    load_symbols: Sequence[int] = (1, 4)
    bars: int = BARS


def growth_tables(scale: Scale, tell: Tell) -> Iterator[str]:
    """Each table as soon as it is measured."""
    tell("J3 over rows, configurations, days and entries")
    yield _replays("rows", scale.rows, lambda n: {"rows": n}, scale)
    yield _replays("configurations", scale.configurations, lambda n: {"configurations": n}, scale)
    yield _replays("days", scale.days, lambda n: {"bars": round(n * scale.bars / 5)}, scale)
    yield _replays(
        "entries", scale.density, lambda n: {"entries_a_day": n * ENTRIES / 5}, scale, "times"
    )
    tell("J1 over symbols and configurations")
    yield _ticks("symbols", scale.symbols, lambda n: {"symbols": n}, scale)
    yield _ticks("configurations a row", scale.sets, lambda n: {"configurations": n}, scale)
    tell("history through plan_trade")
    yield _loads(scale)


def _replays(
    name: str,
    sizes: Sequence[float],
    options: Callable[[float], dict[str, object]],
    scale: Scale,
    unit: str = "",
) -> str:
    lines = []
    for size in sizes:
        job = make_job(**{"bars": scale.bars, **options(size)})  # type: ignore[arg-type]
        trades = len(replay(job))
        took = best_of(partial(replay, job), ROUNDS)
        lines.append((f"{size:g} {unit}", took * 1e3, trades, job.config_bars / took / 1e9))
    pictures = drawn([line[1] for line in lines])
    head = (f"J3: {name}", "ms", "trades", "G config-bars/s", "us a trade", "time")
    return table(
        head,
        [
            (*line, line[1] * 1e3 / max(1, line[2]), picture)
            for line, picture in zip(lines, pictures, strict=True)
        ],
    )


def _ticks(
    name: str, sizes: Sequence[int], options: Callable[[int], dict[str, int]], scale: Scale
) -> str:
    lines = []
    for size in sizes:
        found = measure_ticks(**options(size), ticks=scale.ticks)
        lines.append((size, found.percentile(50), found.percentile(100), found.sets_with_results))
    pictures = drawn([line[1] for line in lines])
    head = (f"J1: {name}", "p50 ms", "worst ms", "Sets with results", "time")
    return table(head, [(*each, picture) for each, picture in zip(lines, pictures, strict=True)])


def _loads(scale: Scale) -> str:
    lines = []
    for symbols in scale.load_symbols:
        for market, volatility in (("busy", BUSY), ("quiet", QUIET)):
            found = measure_load(symbols, volatility=volatility, bars=scale.bars)
            lines.append((symbols, market, found))
    pictures = drawn([found.seconds for _, _, found in lines])
    peaks = {symbols: load_peak_mb(symbols, scale.bars) for symbols in scale.load_symbols}
    head = (
        "load: symbols",
        "market",
        "signals",
        "closings",
        "s",
        "us a closing",
        "G Set-bars/s",
        "MB",
    )
    return table(
        (*head, "time"),
        [
            (
                symbols,
                market,
                found.signals,
                found.closings,
                found.seconds,
                found.us_a_closing,
                found.sets * found.bars * symbols / found.seconds / 1e9,
                peaks[symbols] if market == "busy" else "",
                picture,
            )
            for (symbols, market, found), picture in zip(lines, pictures, strict=True)
        ],
    )
