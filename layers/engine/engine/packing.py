"""Candles as bytes: lossless and small."""

import json
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.candles import Candles, Ints, Kind
from engine.errors import CorruptStateError

_CODEC = 1


def pack(candles: Candles) -> bytes:
    """Lossless and small: tick deltas at their least width, byte-shuffled, zlib.

    Prices and volume of gaps are not kept; they unpack as zero.
    """
    gap = candles.kind == Kind.GAP
    close = _filled_forward(candles.close, gap)
    before = np.vstack([close[:1], close[:-1]])
    open_ = np.where(gap, before, candles.open)
    top, bottom = np.maximum(open_, close), np.minimum(open_, close)
    columns = [
        np.diff(close, axis=0),
        open_ - before,
        np.where(gap, 0, candles.high - top),
        np.where(gap, 0, bottom - candles.low),
        np.where(gap, 0, candles.volume),
        candles.kind.astype(np.int64),
        np.diff(candles.close_ms) - candles.span_ms,
    ]
    packed = [_shuffled(column) for column in columns]
    header = {
        "codec": _CODEC,
        "symbols": candles.symbols,
        "span_ms": candles.span_ms,
        "length": len(candles),
        "close_ms": int(candles.close_ms[0]) if len(candles) else 0,
        "close": close[0].tolist() if len(candles) else [],
        "widths": [width for width, _ in packed],
    }
    body = b"".join(part for _, part in packed)
    return zlib.compress(json.dumps(header, separators=(",", ":")).encode() + b"\n" + body, 6)


def unpack(packed: bytes) -> Candles:
    """What `pack` packed; raises CorruptStateError on anything else."""
    try:
        head, _, body = zlib.decompress(packed).partition(b"\n")
        header = json.loads(head)
        if header["codec"] != _CODEC:
            raise CorruptStateError(f"candles packed by codec {header['codec']}")
        return _unpacked(header, body)
    except (zlib.error, ValueError, KeyError, IndexError) as error:
        raise CorruptStateError(f"packed candles are damaged: {error}") from error


def _unpacked(header: dict[str, Any], body: bytes) -> Candles:
    length, symbols = header["length"], tuple(header["symbols"])
    shape, less = (length, len(symbols)), (max(length - 1, 0), len(symbols))
    shapes: list[tuple[int, ...]] = [less, shape, shape, shape, shape, shape, less[:1]]
    columns = []
    for size, width in zip(shapes, header["widths"], strict=True):
        count = int(np.prod(size)) * width
        columns.append(_unshuffled(body[:count], width, size))
        body = body[count:]
    change, opened, above, below, volume, kind, late = columns
    start = np.array(header["close"], np.int64).reshape(-1, len(symbols))
    close = np.cumsum(np.vstack([start, change]), axis=0) if length else change
    open_ = np.vstack([close[:1], close[:-1]]) + opened
    prices = {
        "open": open_,
        "high": np.maximum(open_, close) + above,
        "low": np.minimum(open_, close) - below,
        "close": close,
    }
    known = kind != Kind.GAP
    times = np.concatenate([[header["close_ms"]], late + header["span_ms"]]).cumsum()
    return Candles(
        symbols=symbols,
        span_ms=header["span_ms"],
        close_ms=times[:length].astype(np.int64),
        volume=volume,
        kind=kind.astype(np.int8),
        **{name: np.where(known, price, 0) for name, price in prices.items()},
    )


def _filled_forward(values: Ints, missing: NDArray[np.bool_]) -> Ints:
    rows = np.where(missing, -1, np.arange(len(values))[:, None])
    latest = np.maximum.accumulate(rows, axis=0)
    filled = np.take_along_axis(values, np.maximum(latest, 0), axis=0)
    return np.where(latest >= 0, filled, 0)


def _shuffled(values: Ints) -> tuple[int, bytes]:
    """Least byte width that holds all values, and their bytes sorted by significance."""
    column = np.ascontiguousarray(values.T)
    low, high = (int(column.min()), int(column.max())) if column.size else (0, 0)
    width = next(w for w in (1, 2, 4, 8) if -(1 << 8 * w - 1) <= low and high < 1 << 8 * w - 1)
    raw = column.astype(f"<i{width}").view(np.uint8).reshape(-1, width)
    return width, raw.T.tobytes()


def _unshuffled(raw: bytes, width: int, shape: tuple[int, ...]) -> Ints:
    planes = np.frombuffer(raw, np.uint8).reshape(width, -1)
    flat = np.ascontiguousarray(planes.T).view(f"<i{width}").reshape(shape[::-1])
    return np.ascontiguousarray(flat.T).astype(np.int64)
