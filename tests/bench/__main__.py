"""What `cts bench` runs: J1, J2, J3 against their targets, and how time grows."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.exchange import CHUNK
from tests.bench.feeding import HEAD, STARVED_SHARE, feed_at, median_rate
from tests.bench.growth import Scale, growth_tables
from tests.bench.limited import LAMBDA_SHARE
from tests.bench.markets import BARS
from tests.bench.marking import make_marking, mark
from tests.bench.measuring import ROUNDS, best_of, peak_mb, table
from tests.bench.ordering import measure_orders, share
from tests.bench.race import Race, run_race
from tests.bench.targets import EVERY_TIME, PARTS, verdicts
from tests.bench.ticks import measure_ticks

UP_WITHIN_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What is measured; the tiny ones show the output and prove nothing."""

    symbols: int = 100
    configurations: int = 1_000
    ticks: int = 60
    warm_bars: int = 7_200
    positions: tuple[int, int] = (100_000, 1_000_000)
    bars: int = BARS
    rows: int = 10
    rounds: int = ROUNDS
    growth: Scale = field(default_factory=Scale)
    feed_s: int = 20
    order_symbols: int = 20
    order_rounds: int = 2
    orders_at_once: int = 40
    api_stored: Mapping[str, int] = field(default_factory=dict)  # what differs
    api_requests: int = 60
    load_s: float = 10


TINY = Sizes(
    feed_s=2,
    order_symbols=2,
    order_rounds=1,
    orders_at_once=2,
    api_stored={"symbols": 3, "positions": 20, "open": 4, "ticks": 2, "samples": 2},
    api_requests=2,
    load_s=0.5,
    symbols=3,
    configurations=50,
    ticks=3,
    warm_bars=300,
    positions=(100, 1_000),
    bars=4_000,
    rows=4,
    rounds=1,
    growth=Scale(
        rows=(1, 2),
        configurations=(2, 4),
        days=(2.5, 5),
        density=(1,),
        symbols=(1, 2),
        sets=(50, 60),
        ticks=2,
        load_symbols=(1,),
        bars=2_000,
    ),
)
Figures = dict[str, object]


class Bench:
    """The parts, one after the other; what they found stands in `figures`."""

    def __init__(self, sizes: Sizes, say: Callable[[str], None]) -> None:
        self.sizes, self.say = sizes, say
        self.figures: Figures = {}

    def j1(self) -> None:
        """The trade tick."""
        own = self.sizes
        self.say(f"J1: a trade tick of {own.symbols} symbols x {own.configurations} a row")
        found = measure_ticks(
            own.symbols, own.configurations, ticks=own.ticks, warm_bars=own.warm_bars
        )
        self.figures["j1_ms"] = found.percentile(50)
        self.figures["j1_worst_ms"] = found.percentile(100)
        kinds = (("all", None), ("with signals or closings", True), ("quiet", False))
        lines = [
            (
                name,
                int(len(found.ms) if busy is None else (found.busy == busy).sum()),
                *(found.percentile(share, busy=busy) for share in (50, 99, 100)),
            )
            for name, busy in kinds
        ]
        self.say(table(("J1: ticks", "count", "p50 ms", "p99 ms", "worst ms"), lines))
        self.say(
            f"{found.sets} Sets a symbol, {found.sets_with_results:,} with results, "
            f"{found.open_positions:,} positions open; {found.signals.mean():.1f} signals and "
            f"{found.closings.mean():.1f} closings a tick"
        )

    def j2(self) -> None:
        """The marking of open positions."""
        self.say("J2: open positions through first_exit")
        lines = []
        for name, count in zip(("j2_100k_ms", "j2_1m_ms"), self.sizes.positions, strict=True):
            candles, triggers = make_marking(count)
            took = best_of(partial(mark, candles, triggers), self.sizes.rounds)
            self.figures[name] = took * 1e3
            exits = mark(candles, triggers)
            lines.append((count, took * 1e3, took / count * 1e9, int((exits.reason >= 0).sum())))
        self.say(table(("J2: positions", "ms", "ns a position", "ended"), lines))

    def j3(self) -> None:
        """The replay beside vectorbt."""
        own = self.sizes
        self.say(f"J3: {own.bars:,} bars x {own.configurations:,} configurations")
        race = run_race(
            bars=own.bars,
            rows=own.rows,
            configurations=own.configurations,
            rounds=own.rounds,
            tell=self.say,
        )
        self.figures |= {
            "j3_config_bars_per_s": race.rates["CTS batched"],
            "j3_single_config_bars_per_s": race.rates["CTS single"],
            "j3_vs_vectorbt_single": race.ratio("CTS single", "numba single"),
            "j3_vs_vectorbt_batched": race.ratio("CTS batched", "numba batched"),
            "j3_vs_vectorbt_rust_single": race.ratio("CTS single", "rust single"),
            "trades_equal": race.trades_equal,
        }
        self.say(_race_table(race))
        for engine, reason in race.missing.items():
            self.say(f"{engine} has no figures: {reason}")

    def feed(self) -> None:
        """Market messages on a small Lambda's share of a core."""
        own = self.sizes
        median = median_rate(own.symbols)
        self.say(
            f"feed: {own.symbols} symbols on one worker with {LAMBDA_SHARE:.2f} of a core; the "
            f"generator's median is {median / own.symbols:.1f} trades/s a symbol"
        )
        rates = {"median": (median, LAMBDA_SHARE), "tenfold": (10 * median, LAMBDA_SHARE)}
        rates["starved"] = (30 * median, STARVED_SHARE)
        fed = {}
        for name, (rate, core) in rates.items():
            fed[name] = feed_at(rate, symbols=own.symbols, seconds=own.feed_s, share=core)
            self.figures[f"feed_{name}_streamed"] = fed[name].held_share
            self.figures[f"feed_{name}_message_us"] = fed[name].message_us
        self.figures["feed_is_limited"] = all(each.is_limited for each in fed.values())
        self.say(table(HEAD, [(name, *each.line) for name, each in fed.items()]))
        if not self.figures["feed_is_limited"]:
            self.say("the kernel does not let us take the core away: compare `core used` instead")
        told = fed["starved"].figures["problems"]
        self.say(
            f"what the starved feed said is wrong: {', '.join(sorted(set(told))) or 'nothing'}"
        )

    def orders(self) -> None:
        """The way of a signal to the venue."""
        own = self.sizes
        self.say(f"orders: {own.order_symbols} symbols on a paper exchange, over loopback TLS")
        done = measure_orders(
            symbols=own.order_symbols, rounds=own.order_rounds, at_once=own.orders_at_once
        )
        for name, times in (("first", done.first_ms), ("next", done.next_ms)):
            self.figures[f"order_{name}_p50_ms"] = share(times, 50)
            self.figures[f"order_{name}_p99_ms"] = share(times, 99)
        self.figures["orders_a_second"] = done.orders_a_second
        self.say(table(("signal to accepted order", "count", "p50 ms", "p99 ms"), done.lines))
        self.say(
            f"{own.orders_at_once} wishes in one instant: {done.orders} orders accepted, stops and "
            f"targets too, {done.orders_a_second:.0f} a second; {len(done.refused)} refused"
        )
        for why in sorted(set(done.refused)):
            self.say(f"refused {done.refused.count(why)} times: {why}")

    def api(self) -> None:
        """The API's own work for a request."""
        from tests.bench.api_filled import Stored  # no other part needs the API
        from tests.bench.api_work import HEAD, measure_api, worst_ms

        own = self.sizes
        stored = Stored(**own.api_stored)
        held = f"{stored.positions:,} positions stored, {stored.open} of them open"
        self.say(f"api: {stored.symbols} symbols, {held}")
        work = measure_api(stored, requests=own.api_requests)
        self.figures["api_own_p95_ms"] = {name: share(one.ms, 95) for name, one in work.items()}
        slowest, self.figures["api_worst_p95_ms"] = worst_ms(work)
        lines = [(name, *one.line) for name, one in work.items()]
        self.say(table(HEAD, lines))
        self.say(f"the slowest of what is asked often: {slowest}")

    def load(self) -> None:
        """The deployed API on a twin of its own, beside its gateway alone."""
        from tests.bench.api_load import HEAD, lines_of, measure_load  # no other part needs a twin
        from tests.e2e.twin_process import a_home, up

        with TemporaryDirectory(prefix="cts-bench-") as folder:
            home = a_home(Path(folder) / "home")
            self.say("load: a twin is built and started")
            with up(home, "--no-console") as twin:
                twin.until("up after", within_s=UP_WITHIN_S)
                found = measure_load(home.places, seconds=self.sizes.load_s, tell=self.say)
        self.figures["load"] = found
        self.say(table(HEAD, lines_of(found)))

    def growth(self) -> None:
        """How time grows."""
        for written in growth_tables(self.sizes.growth, self.say):
            self.say(written)


def _race_table(race: Race) -> str:
    lines = []
    for name, rate in race.rates.items():
        single = race.rates.get("numba batched" if name.endswith("batched") else "numba single")
        memory = race.memory_mb.get(name) or race.memory_mb[name.split()[0]]
        compared = race.compared.get(name)
        lines.append(
            (
                name if name.startswith("CTS") else f"vectorbt {race.version} {name}",
                rate / 1e6,
                rate / single if single else "",
                memory,
                f"{compared - race.differing[name]} of {compared}" if compared else "",
            )
        )
    head = ("J3", "M config-bars/s", "x numba", "peak MB", "equal trades")
    return (
        table(head, lines) + f"\n{race.trades[0]:,} trades on one row, {race.trades[1]:,} on all; "
        f"vectorbt in chunks of {CHUNK}"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the parts asked for; 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="cts bench")
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; without: all but load")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--tiny", action="store_true")
    asked = parser.parse_args(arguments)
    unknown = sorted(set(asked.parts) - set(PARTS))
    if unknown:
        parser.error(f"no part is named {unknown[0]}; there are: {', '.join(PARTS)}")
    stream = sys.stderr if asked.as_json else sys.stdout

    def say(text: str) -> None:
        print(text, file=stream, flush=True)

    bench = Bench(TINY if asked.tiny else Sizes(), say)
    for part in PARTS:
        if part in (asked.parts or EVERY_TIME):
            getattr(bench, part)()
            say("")
    judged = verdicts(bench.figures)
    say(table(("target", "figure", "wanted", ""), [each.line for each in judged]))
    say(f"peak memory of this process: {peak_mb():,.0f} MB")
    if asked.as_json:
        print(json.dumps(bench.figures), flush=True)
    return int(not asked.tiny and not all(each.holds for each in judged))


if __name__ == "__main__":
    sys.exit(main())
