"""Random numbers by address: the same key and index always give the same number."""

import hashlib
import math

import numpy as np

_SCALE = 2.0**-64


def key_of(*parts: str | int) -> int:
    """64-bit key of a path of names, e.g. ``key_of(seed, "BTCUSDT", "volume")``."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def generator(*parts: str | int) -> np.random.Generator:
    """A fresh counter-based generator for one block, addressed by its name."""
    return np.random.Generator(np.random.Philox(key=key_of(*parts)))


def _uniform(key: int, index: int) -> float:
    """Splitmix64 of (key, index) as a float strictly between 0 and 1."""
    mask = (1 << 64) - 1
    word = (key + index * 0x9E3779B97F4A7C15) & mask
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & mask
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & mask
    return ((word ^ (word >> 31)) + 0.5) * _SCALE


def normal(key: int, index: int) -> float:
    """Standard normal number at an address, by Box and Muller's formula."""
    radius = math.sqrt(-2.0 * math.log(_uniform(key, 2 * index)))
    return radius * math.cos(2.0 * math.pi * _uniform(key, 2 * index + 1))


def whole(key: int, index: int, below: int) -> int:
    """Integer in ``[0, below)`` at an address."""
    return int(_uniform(key, index) * below)
