"""Set books: all that is remembered of one symbol as a few compact blobs, and back.

The first blob is the manifest (schema, fingerprint of the Sets, indications); each other one holds
a stretch of Sets: standing, results, open positions. Arrays are byte-shuffled and deflated.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import CorruptStateError
from engine.history import History, Ring
from engine.indications.signals import IndicationState
from engine.market import Ints
from engine.pseudo import Pseudo
from engine.sets import Grid
from engine.settings import Settings
from engine.statistics import TIMES
from engine.trade_state import TradeState
from engine.values import Instrument

SCHEMA = 2
PART_SETS = 1000
PART_BYTES = 380_000
"""A part holds this many Sets, fewer if it would grow larger."""

Arrays = dict[str, NDArray[Any]]
_STANDING = tuple(f.name for f in fields(History) if f.name != "rings")
_POSITION = tuple(f.name for f in fields(Pseudo) if f.name != "ids")


def pack_books(state: TradeState, symbol: str) -> list[bytes]:
    """The books of one symbol: the manifest, then its parts."""
    alone = state.select([symbol])
    sets = len(alone.grid)
    parts: list[bytes] = []
    bounds: list[int] = [0]
    while bounds[-1] < sets:
        begin, count = bounds[-1], min(PART_SETS, sets - bounds[-1])
        part = _packed(_part(alone, begin, begin + count))
        while len(part) > PART_BYTES and count > 1:
            count //= 2
            part = _packed(_part(alone, begin, begin + count))
        parts.append(part)
        bounds.append(begin + count)
    about = {
        "schema": SCHEMA,
        "fingerprint": alone.grid.fingerprint,
        "symbol": symbol,
        "bounds": bounds,
        "last_close_ms": alone.last_close_ms,
        "span_ms": alone.indications.span_ms,
    }
    return [_packed(alone.indications.arrays(), about), *parts]


def restore(
    instruments: Sequence[Instrument], settings: Settings, books: Mapping[str, Sequence[bytes]]
) -> TradeState:
    """The state of these instruments from the books of all of them.

    Books packed after different candles do not fit together: restore such symbols one by one,
    fold what each has missed, and join.

    Raises
    ------
    CorruptStateError
        If a book is missing, damaged, of another schema, of other Sets (settings changed), or
        packed after another candle than the rest: the caller rebuilds then.
    """
    empty = TradeState.fresh(instruments, settings)
    states = []
    for instrument in instruments:
        if instrument.symbol not in books:
            raise CorruptStateError(f"no books of {instrument.symbol}")
        states.append(_restored(empty.select([instrument.symbol]), books[instrument.symbol]))
    return TradeState.join(states)


def _restored(empty: TradeState, blobs: Sequence[bytes]) -> TradeState:
    symbol = empty.symbols[0]
    try:
        arrays, about = _unpacked(blobs[0])
        _check(about, symbol, empty.grid)
        bounds = about["bounds"]
        if len(blobs) != len(bounds):
            raise CorruptStateError(f"books of {symbol} have {len(blobs)} of {len(bounds)} parts")
        parts = [_unpacked(blob)[0] for blob in blobs[1:]]
        return TradeState(
            instruments=empty.instruments,
            grid=empty.grid,
            indications=IndicationState.of_arrays(arrays, about["span_ms"]),
            positions=_positions(parts, bounds),
            history=_history(parts, empty.history.rings[0]),
            last_close_ms=about["last_close_ms"],
        )
    except (zlib.error, ValueError, KeyError, IndexError, TypeError) as error:
        raise CorruptStateError(f"books of {symbol} are damaged: {error}") from error


def _check(about: Mapping[str, Any], symbol: str, grid: Grid) -> None:
    wanted = {"schema": SCHEMA, "fingerprint": grid.fingerprint, "symbol": symbol}
    for name, value in wanted.items():
        if about[name] != value:
            raise CorruptStateError(
                f"books of {symbol}: {name} is {about[name]!r}, must be {value!r}"
            )


# --- one part ---------------------------------------------------------------------------------


def _part(state: TradeState, begin: int, end: int) -> Arrays:
    history, positions = state.history, state.positions
    arrays = {name: getattr(history, name)[0, begin:end] for name in _STANDING}
    arrays |= _ring_arrays(history, begin, end)
    within = positions.take((positions.ids >= begin) & (positions.ids < end))
    arrays |= {f"position_{name}": getattr(within, name) for name in _POSITION}
    return arrays | {"position_set": within.ids - begin}


def _ring_arrays(history: History, begin: int, end: int) -> Arrays:
    """Kept results, oldest first, Set after Set; times of the last ones as differences."""
    ring, count = history.rings[0], history.count[0, begin:end].astype(np.int64)
    used = np.flatnonzero(ring.row[begin:end] >= 0)
    row = ring.row[begin:end][used]
    kept = ring.kept(count[used])
    which, number = _stretches(kept)
    column = (count[used][which] - kept[which] + number) % ring.storage
    timed = np.minimum(history.results[0, begin:end][used], TIMES).astype(np.int64)
    which_time, number_time = _stretches(timed)
    times = ring.times[row[which_time], TIMES - timed[which_time] + number_time]
    return {
        "kept_results": ring.results[row[which], column],
        "kept_times": np.diff(times, prepend=0),
    }


def _stretches(lengths: Ints) -> tuple[Ints, Ints]:
    """For stretches one after another: the stretch of every element, and its place in it."""
    which = np.repeat(np.arange(len(lengths)), lengths)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _history(parts: Sequence[Arrays], empty: Ring) -> History:
    columns = {n: np.concatenate([part[n] for part in parts])[None] for n in _STANDING}
    results = np.concatenate([part["kept_results"] for part in parts])
    times = np.concatenate([np.cumsum(part["kept_times"]) for part in parts])
    count = columns["count"][0].astype(np.int64)
    used = np.flatnonzero(count)
    row = np.full(len(count), -1, np.int32)
    row[used] = np.arange(len(used))
    ring = replace(
        empty,
        row=row,
        results=np.zeros((len(used), empty.storage), np.int16),
        times=np.zeros((len(used), TIMES), np.int64),
    )
    kept = ring.kept(count[used])
    which, number = _stretches(kept)
    ring.results[which, (count[used][which] - kept[which] + number) % ring.storage] = results
    timed = np.minimum(columns["results"][0][used], TIMES).astype(np.int64)
    which, number = _stretches(timed)
    ring.times[which, TIMES - timed[which] + number] = times
    return History(rings=(ring,), **columns)


def _positions(parts: Sequence[Arrays], bounds: Sequence[int]) -> Pseudo:
    ids = [part["position_set"] + begin for part, begin in zip(parts, bounds, strict=False)]
    columns = {
        name: np.concatenate([part[f"position_{name}"] for part in parts]) for name in _POSITION
    }
    return Pseudo(ids=np.concatenate(ids), **columns)


# --- blobs ------------------------------------------------------------------------------------


def _packed(arrays: Arrays, about: Mapping[str, Any] | None = None) -> bytes:
    shapes = {name: [array.dtype.str, array.shape] for name, array in arrays.items()}
    head = json.dumps({"about": about or {}, "arrays": shapes}, separators=(",", ":")).encode()
    body = b"".join(_shuffled(array) for array in arrays.values())
    return zlib.compress(head + b"\n" + body, 6)


def _unpacked(blob: bytes) -> tuple[Arrays, dict[str, Any]]:
    head, _, body = zlib.decompress(blob).partition(b"\n")
    header = json.loads(head)
    arrays: Arrays = {}
    at = 0
    for name, (kind, shape) in header["arrays"].items():
        dtype = np.dtype(kind)
        size = int(np.prod(shape)) * dtype.itemsize
        planes = np.frombuffer(body[at : at + size], np.uint8).reshape(dtype.itemsize, -1)
        arrays[name] = np.ascontiguousarray(planes.T).view(dtype).reshape(shape)
        at += size
    return arrays, header["about"]


def _shuffled(array: NDArray[Any]) -> bytes:
    """Bytes sorted by significance: neighbours are alike, so they deflate well."""
    raw = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return raw.reshape(-1, array.dtype.itemsize).T.tobytes()
