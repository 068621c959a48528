"""Candles summarised in blocks of 16, 256, 4,096 ...: what exits are looked for in.

Each candle is a pair (highest, negated lowest price), each block the pair of its maxima. A long
meets its target in the first and its stop in the second column; a short, whose axis is mirrored,
its stop in the first and its target in the second. So both sides share one pyramid.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.candles import Candles, Ints, Kind

BRANCH = 16
_NARROW = 1 << 30  # prices below it fit into 32 bits, with room for what is never reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Blocks of one size; beyond the last one of a row stand some that nothing hits.

    Attributes
    ----------
    width : int
        Blocks of one symbol, a multiple of BRANCH.
    block : (S * width / BRANCH, 2, BRANCH) int32 or int64
        Highest and negated lowest price of every block, siblings together.
    rest : (S * width, 2) int32 or int64
        The same of a block and its later siblings together.
    """

    width: int
    block: Ints
    rest: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """Largest retraces of the blocks of one level, candle apart: from a high to a later low.

    Attributes
    ----------
    block : (2S * width / BRANCH, BRANCH) float32
        Shares of the price retraced from, for each row (symbol, side).
    rest : (2S * width,) float32
        The same of a block and its later siblings together.
    """

    block: NDArray[np.float32]
    rest: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Window:
    """N candles of R rows with their pyramid: row 2s is the long, 2s + 1 the short of symbol s.

    Attributes
    ----------
    length : int
        N, candles.
    open : (N, S) int64
        Open prices in ticks, not mirrored.
    limit : int
        Larger than every price; what nothing hits is its negative.
    levels : from single candles up to the level whose blocks are all siblings.
    """

    length: int
    open: Ints
    limit: int
    levels: tuple[Level, ...]

    @cached_property
    def falls(self) -> tuple[Fall, ...]:
        """Retraces of each level; made when the first trailing stop asks."""
        below: NDArray[np.float32] | None = None
        falls = []
        for level in self.levels:
            fall, below = _fall(level, below)
            falls.append(fall)
        return tuple(falls)


def make_window(candles: Candles) -> Window:
    """The pyramid over `candles`.

    Gaps hold no price: they neither end a position nor raise its best price.
    """
    largest = int(candles.high.max(initial=1))
    kind, limit = (np.int32, 2 * _NARROW - 2) if largest < _NARROW else (np.int64, 1 << 60)
    symbols = len(candles.symbols)
    pairs = np.full((symbols, _width(len(candles)), 2), -limit, kind)
    known = (candles.kind != Kind.GAP).T
    within = pairs[:, : len(candles)]
    np.copyto(within[..., 0], candles.high.T, where=known, casting="same_kind")
    np.copyto(within[..., 1], -candles.low.T, where=known, casting="same_kind")
    levels, blocks = [_level(pairs)], len(candles)
    while blocks > BRANCH:
        groups = levels[-1].rest.reshape(symbols, -1, BRANCH, 2)[:, :, 0]
        blocks = -(-blocks // BRANCH)
        pairs = np.full((symbols, _width(blocks), 2), -limit, kind)
        pairs[:, :blocks] = groups[:, :blocks]
        levels.append(_level(pairs))
    return Window(length=len(candles), open=candles.open, limit=limit, levels=tuple(levels))


def _width(blocks: int) -> int:
    """A search that passed the last block stands one, and a level higher two, beyond it."""
    return (blocks + 2 + BRANCH - 1) // BRANCH * BRANCH


def _level(pairs: Ints) -> Level:
    symbols, width, _ = pairs.shape
    groups = pairs.reshape(-1, BRANCH, 2)
    rest = groups.copy()
    for place in range(BRANCH - 2, -1, -1):
        np.maximum(rest[:, place], rest[:, place + 1], out=rest[:, place])
    return Level(
        width=width,
        block=np.ascontiguousarray(groups.transpose(0, 2, 1)),
        rest=rest.reshape(symbols * width, 2),
    )


def _fall(level: Level, below: NDArray[np.float32] | None) -> tuple[Fall, NDArray[np.float32]]:
    """Retraces of a level, and those of its groups: the blocks of the next level."""
    symbols = len(level.rest) // level.width
    groups = len(level.block)
    flat = np.full((2 * symbols, level.width), -1, np.float32)
    if below is not None:
        flat[:, : below.shape[1]] = below
    own = flat.reshape(symbols, 2, -1, BRANCH).swapaxes(1, 2).reshape(groups, 2, BRANCH)
    rest = own.copy()
    after = level.rest.reshape(groups, BRANCH, 2)
    for place in range(BRANCH - 2, -1, -1):
        high = level.block[:, :, place]
        low = -after[:, place + 1, ::-1].astype(np.float64)
        across = ((high - low) / np.abs(high)).astype(np.float32)
        np.maximum(rest[:, :, place], across, out=rest[:, :, place])
        np.maximum(rest[:, :, place], rest[:, :, place + 1], out=rest[:, :, place])
    ordered = [
        each.reshape(symbols, -1, 2, BRANCH).swapaxes(1, 2).reshape(-1, BRANCH)
        for each in (own, rest)
    ]
    fall = Fall(block=ordered[0], rest=ordered[1].reshape(-1))
    return fall, ordered[1][:, 0].reshape(2 * symbols, -1)
