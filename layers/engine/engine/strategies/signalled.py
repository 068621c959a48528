"""When a slot signals next."""

import numpy as np
from numpy.typing import NDArray

from engine.market import Ints


class Signalled:
    """Signals of (symbol, slot), found by the candle from which on they count.

    `signals` are records of `engine.indications.signals.SIGNAL` of `length` candles.
    """

    def __init__(self, signals: NDArray[np.void], slots: int, length: int) -> None:
        self.slots, self.length = slots, length
        self._reach = length + 1
        places = signals["symbol"] * slots + signals["slot"]
        keys = places * self._reach + signals["bar"]
        self._order = np.argsort(keys)
        self._keys = np.append(keys[self._order], -1)

    @property
    def places(self) -> tuple[Ints, Ints]:
        """Symbols and slots that signal at all."""
        places = np.unique(self._keys[:-1] // self._reach)
        return places // self.slots, places % self.slots

    def first(self, symbol: Ints, slot: Ints, start: Ints) -> Ints:
        """The candle of the first signal at or after `start`, `length` without one."""
        place = symbol * self.slots + slot
        found = np.searchsorted(self._keys[:-1], place * self._reach + start)
        keys = self._keys[found]
        return np.where(keys // self._reach == place, keys % self._reach, self.length)

    def at(self, symbol: Ints, slot: Ints, bar: Ints) -> Ints:
        """The number of the signal of each slot on a candle that has one."""
        place = symbol * self.slots + slot
        found: Ints = self._order[np.searchsorted(self._keys[:-1], place * self._reach + bar)]
        return found
