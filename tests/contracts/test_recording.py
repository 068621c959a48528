"""What `cts record` writes is what the venue printed, and plays back as the same candles."""

import asyncio
import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.paper_venue import PaperProcess

from adapters.access import Access, Network, PaperAddress
from adapters.clock import SystemClock
from adapters.opener import dialect_of
from adapters.seconds import Seconds
from adapters.venues import Dialect
from adapters.wire import Wire
from engine.market import Candles, join_time
from engine.values import Instrument
from local.paper.market.tape import read_tape
from local.recording import RecordingError, Wanted, record

SYMBOLS = ("BTCUSDT", "ETHUSDT")
FIELDS = ("open", "high", "low", "close", "volume")
SECONDS = 6


@pytest.fixture(scope="module")
def recorded(
    paper: PaperProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, str]]:
    out = tmp_path_factory.mktemp("tape") / "binance.csv.gz"
    wanted = Wanted(
        venue="binance", symbols=SYMBOLS, seconds=SECONDS, out=out, paper=paper.address()
    )
    yield out, asyncio.run(record(wanted, say=lambda text: None, stop=asyncio.Event()))


def seconds_of(address: PaperAddress, start_ms: int, end_ms: int) -> Candles:
    """The venue's own list of trades as candles that close in (start, end]."""
    return asyncio.run(_seconds_of(address, start_ms, end_ms))


async def _seconds_of(address: PaperAddress, start_ms: int, end_ms: int) -> Candles:
    clock, dialect = SystemClock(), dialect_of("binance", "perpetual_futures")
    access = Access(venue="binance", network=Network.PAPER, paper=address)
    wire = Wire(access, clock, dialect)
    try:
        listed = {each.symbol: each for each in await dialect.instruments(wire, ranked=False)}
        wanted = tuple(listed[symbol] for symbol in SYMBOLS)
        return await _closed(wire, dialect, wanted, start_ms, end_ms)
    finally:
        await wire.close()


async def _closed(
    wire: Wire, dialect: Dialect, instruments: tuple[Instrument, ...], start_ms: int, end_ms: int
) -> Candles:
    made = Seconds()
    made.follow(instruments)
    for each in instruments:
        for trade in await dialect.trades(wire, each.symbol, start_ms=start_ms, end_ms=end_ms):
            made.add(trade)
    closes = range(start_ms + 1000, end_ms + 1, 1000)
    return join_time([made.close(each, alive=frozenset(SYMBOLS)) for each in closes])


def whole_seconds(tape: Path) -> tuple[int, int]:
    """Start and end in ms of the seconds that were recorded from their first trade to the last."""
    tracks = read_tape(tape, seed=1)
    start = max(track.start_s for track in tracks) + 1
    return start * 1000, (min(track.end_s for track in tracks) - 1) * 1000


def test_a_recording_has_every_trade_of_its_seconds(
    paper: PaperProcess, recorded: tuple[Path, str]
) -> None:
    tape, _ = recorded
    start_ms, end_ms = whole_seconds(tape)

    truth = seconds_of(paper.address(), start_ms, end_ms)

    assert end_ms - start_ms >= (SECONDS - 3) * 1000
    for track in read_tape(tape, seed=1):
        index = SYMBOLS.index(track.instrument.symbol)
        played = track.chunk(track.start_s).window(start_ms // 1000, end_ms // 1000)
        for name in FIELDS:
            assert (getattr(played, name) == getattr(truth, name)[:, index]).all(), name


def test_a_paper_exchange_plays_the_recording_as_the_same_candles(
    paper: PaperProcess, recorded: tuple[Path, str], tmp_path: Path
) -> None:
    tape, _ = recorded
    start_ms, end_ms = whole_seconds(tape)
    truth = seconds_of(paper.address(), start_ms, end_ms)
    first_s = min(track.start_s for track in read_tape(tape, seed=1))
    player = PaperProcess(tmp_path / "player", options=("--tape", str(tape)))
    player.start()
    try:
        played = asyncio.run(_played(player, tape, first_s, start_ms, end_ms))
    finally:
        player.stop()

    for name in FIELDS:
        assert np.array_equal(getattr(played, name), getattr(truth, name)), name


async def _played(
    player: PaperProcess, tape: Path, first_s: int, start_ms: int, end_ms: int
) -> Candles:
    """The recorded seconds as they were played, wherever in time that was."""
    clock = SystemClock()
    span_s = max(track.end_s for track in read_tape(tape, seed=1)) - first_s
    anchor_s = _anchor(player)
    shift_ms = (anchor_s - first_s) * 1000
    # The tape is looped: the loop before the anchor has been played already.
    while end_ms + shift_ms > clock.now_ms():
        shift_ms -= span_s * 1000
    return await _seconds_of(player.address(), start_ms + shift_ms, end_ms + shift_ms)


def _anchor(player: PaperProcess) -> int:
    from local.paper.core.journal import Journal

    journal = Journal(player.directory / "books.sqlite")
    try:
        return int(next(iter(journal.read("tape")))["anchor_s"])
    finally:
        journal.close()


def test_a_recording_says_where_it_comes_from_and_how_it_went(recorded: tuple[Path, str]) -> None:
    tape, summary = recorded
    with gzip.open(tape, "rt") as file:
        remarks = [line for line in file if line.startswith("#")]

    assert "venue: binance perpetual_futures, the paper exchange" in remarks[1]
    assert "BTCUSDT ETHUSDT" in remarks[2]
    assert remarks[-1].strip("# \n") in summary
    assert "0 losses seen, 0 breaks" in summary


def test_ctrl_c_ends_a_recording_and_keeps_what_there_is(
    paper: PaperProcess, tmp_path: Path
) -> None:
    home, out = tmp_path / "home", tmp_path / "cut.csv"
    (home / "paper").mkdir(parents=True)
    (home / "paper" / "ca.pem").write_bytes(paper.address().ca_file.read_bytes())
    command = [
        *(
            sys.executable,
            "-m",
            "local.cli",
            "record",
            "--venue",
            "binance",
            "--symbols",
            "BTCUSDT",
        ),
        *("--seconds", "600", "--out", str(out), "--paper", "--paper-port", str(paper.port)),
    ]
    environment = os.environ | {"CTS_HOME": str(home)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "trades" in line:
                break
        process.send_signal(signal.SIGINT)
        said = process.stdout.read()

    assert process.returncode == 0
    assert str(out) in said
    assert len(read_tape(out, seed=1)[0].chunk(0)) >= 3


async def test_a_venue_out_of_reach_is_named_and_nothing_is_written(
    paper: PaperProcess, tmp_path: Path
) -> None:
    nobody = PaperAddress(host="127.0.0.1", port=1, ca_file=paper.address().ca_file)
    wanted = Wanted(
        venue="okx", symbols=SYMBOLS, seconds=1, out=tmp_path / "none.csv", paper=nobody
    )

    with pytest.raises(RecordingError, match="okx cannot be reached from this machine"):
        await record(wanted, say=lambda text: None, stop=asyncio.Event())

    assert not wanted.out.exists()


async def test_a_symbol_that_no_tape_can_play_is_refused_first(
    paper: PaperProcess, tmp_path: Path
) -> None:
    wanted = Wanted(
        venue="binance",
        symbols=("PEPEUSDT",),
        seconds=1,
        out=tmp_path / "none.csv",
        paper=paper.address(),
    )

    with pytest.raises(RecordingError, match="PEPEUSDT"):
        await record(wanted, say=lambda text: None, stop=asyncio.Event())
