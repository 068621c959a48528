"""Block: after a losing block of results a Set's next positions are larger.

A Set's results of an epoch are cut into blocks of each size B, from the first on. While the last
complete block of a size lost on average, the size is *adjusted*, and each adjusted size adds
`blockAdjustmentRatio` to the ratio. A size is switched off where that did not help: among the
blocks of the last results, those that followed a losing block did worse on average than the
others. It comes back once that was so at no end of a block within the last
`block_reactivate_threshold` results. All of it follows from the kept results alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.market import Ints
from engine.settings import Settings
from engine.strategies.results import Results

_FEWEST_RESULTS, _FEWEST_SAMPLES = 20, 2


_SHORTEST = 40  # results that tell of every size whether its last blocks lost


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRules:
    """What Block asks of each result's Set, (N,) as in `Results`.

    What a Set keeps bounds comparison and rest: neither looks further back than half of it.

    Attributes
    ----------
    sizes : of blocks.
    window : results compared.
    neutral : plain positions after the first of the blocks that lost.
    rest : results for which a failed comparison counts, 0 if nothing is compared.
    """

    sizes: tuple[int, ...]
    window: Ints
    neutral: Ints
    rest: int

    @staticmethod
    def of(auto: NDArray[np.bool_], optimal: NDArray[np.bool_], settings: Settings) -> "BlockRules":
        own, usual = settings.block_deactivate_window, settings.block_comparison_window
        waits, wait = settings.auto_block_neutral_positions, settings.block_neutral_positions
        rest = settings.block_reactivate_after if settings.block_auto_disable else 0
        most = settings.database_size // 2
        return BlockRules(
            sizes=tuple(sorted(set(settings.block_sizes))),
            window=np.minimum(np.where(auto | optimal, own, usual), most),
            neutral=np.where(auto, waits, wait),
            rest=min(rest, most),
        )


def block_lookback(settings: Settings) -> int:
    """Results before a stretch of candles that decide on openings in it."""
    windows = (settings.block_comparison_window, settings.block_deactivate_window)
    most = settings.database_size // 2
    reach = min(max(windows), most) + min(settings.block_reactivate_after, most)
    return max(reach, _SHORTEST)


def raised_sizes(results: Results, at: Ints, rules: BlockRules) -> Ints:
    """How many sizes raise the position opened after result `at` (-1: none yet) of its Set."""
    raised = np.zeros(len(at), np.int64)
    for size in rules.sizes:
        blocks = _Blocks.of(results, size)
        if len(blocks.end):
            raised += _is_raised(blocks, results, at, rules)
    return raised


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blocks:
    """Complete blocks of one size, in the order of `Results`.

    `end` is where the last result of each stands, `lost` whether its mean is negative, `follows`
    whether the block before it in this list is the one before it in its epoch.
    """

    size: int
    end: Ints
    total: Ints
    lost: NDArray[np.bool_]
    follows: NDArray[np.bool_]

    @staticmethod
    def of(results: Results, size: int) -> "_Blocks":
        end = np.flatnonzero(results.epoch % size == 0)
        end = end[results.before(end, size - 1)]
        upto = np.concatenate([[0], np.cumsum(results.r)])
        total = upto[end + 1] - upto[end + 1 - size]
        follows = results.before(end, size) & (np.diff(end, prepend=-1) == size)
        return _Blocks(size=size, end=end, total=total, lost=total < 0, follows=follows)

    def failed(self, results: Results, window: Ints) -> NDArray[np.bool_]:
        """Whether larger positions did worse, as far as known at the end of each block.

        `window` (N,) is how many of the last results are looked at. The first block in it counts
        as one that followed no loss.
        """
        looked = np.minimum(results.epoch[self.end], window[self.end])
        count = looked // self.size
        last = np.arange(len(self.end))
        first = np.maximum(last - count + 1, 0)
        after_loss = np.zeros(len(self.end), np.bool_)
        after_loss[1:] = self.lost[:-1]  # of another Set only where it is the first looked at
        with_count = np.cumsum(after_loss)
        with_sum = np.cumsum(np.where(after_loss, self.total, 0))
        all_sum = np.concatenate([[0], np.cumsum(self.total)])
        n, gained = with_count[last] - with_count[first], with_sum[last] - with_sum[first]
        others = count - n
        of_others = all_sum[last + 1] - all_sum[first] - gained
        enough = (looked >= np.minimum(_FEWEST_RESULTS, window[self.end])) & (
            np.minimum(n, others) >= _FEWEST_SAMPLES
        )
        worse: NDArray[np.bool_] = enough & (gained * others < of_others * n)
        return worse


def _is_raised(blocks: _Blocks, results: Results, at: Ints, rules: BlockRules) -> NDArray[np.bool_]:
    latest = np.searchsorted(blocks.end, at, side="right") - 1
    number = np.arange(len(blocks.end))
    begins = blocks.lost.copy()
    begins[1:] &= ~(blocks.follows[1:] & blocks.lost[:-1])
    losing_since = np.maximum.accumulate(np.where(begins, number, 0))
    raised = (_since(blocks, results, at, latest) >= 0) & blocks.lost[latest]
    raised &= at - blocks.end[losing_since[latest]] >= rules.neutral[at]
    if rules.rest:
        failed = blocks.failed(results, rules.window)
        last_failed = np.maximum.accumulate(np.where(failed, number, -1))[latest]
        since = _since(blocks, results, at, last_failed)
        raised &= (since < 0) | (since >= rules.rest)
    return raised


def _since(blocks: _Blocks, results: Results, at: Ints, block: Ints) -> Ints:
    """Results since a block ended, -1 if there is none or it is not of the same epoch."""
    passed = at - blocks.end[block]
    known = (at >= 0) & (block >= 0) & (passed >= 0)
    known[known] = results.before(at[known], passed[known])
    return np.where(known, passed, -1)
