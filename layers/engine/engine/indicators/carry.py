"""What all carries have in common: frozen values of (S, ...) arrays, symbols first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, fields, replace
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import CorruptStateError
from engine.market import Ints

Array = NDArray[Any]


class Carry(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


def select[C: Carry](carry: C, columns: Ints) -> C:
    """The carry of these symbols alone, in this order."""
    return _made(carry, {name: value[columns] for name, value in parts(carry)})


def join[C: Carry](carries: Sequence[C]) -> C:
    """Carries of different symbols as one."""
    columns = {
        name: np.concatenate([getattr(each, name) for each in carries])
        for name, _ in parts(carries[0])
    }
    return _made(carries[0], columns)


def parts(carry: Carry) -> Iterator[tuple[str, Array]]:
    """Its arrays by name."""
    for field in fields(carry):
        yield field.name, getattr(carry, field.name)


def restored[C: Carry](fresh: C, arrays: Mapping[str, Array]) -> C:
    """A carry like `fresh` that holds `arrays`.

    Raises
    ------
    CorruptStateError
        If one is missing, or of another shape or type.
    """
    for name, like in parts(fresh):
        found = arrays.get(name)
        if found is None or (found.shape, found.dtype) != (like.shape, like.dtype):
            held = "missing" if found is None else f"{found.dtype} {found.shape}"
            raise CorruptStateError(f"{name} must be {like.dtype} {like.shape}, was {held}")
    return _made(fresh, dict(arrays))


def _made[C: Carry](carry: C, columns: dict[str, Array]) -> C:
    return replace(carry, **columns)
