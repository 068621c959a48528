"""Our order names as numbers, for a venue whose client ids hold nothing else.

Nineteen decimal digits below 2**63: a 7, for a venue's own ids begin with a 1 for decades; one for
the purpose; five for the connection's mark; twelve of a digest of the whole name. The way back is
by memory. For a number of ours that nobody remembers there is a name made of the same facts: still
ours, of the same connection and purpose, and of that number.
"""

import hashlib

from engine.ledger import Purpose
from engine.orders import mark_of, order_name, parsed

_OURS = "7"
_PURPOSES = tuple(Purpose)
_MARK_DIGITS, _REST_DIGITS = 5, 12
_LENGTH = len(_OURS) + 1 + _MARK_DIGITS + _REST_DIGITS
# A digit that no mark and no digest of ours has: base 32 leaves it out.
_NO_MARK, _INFIX = "0", "0number"


def number_of(client_order_id: str) -> int:
    """The number of one of our names; raises ValueError for a name that is not ours."""
    name = parsed(client_order_id)
    if name is None:
        raise ValueError(f"client_order_id must be a name of ours, was {client_order_id!r}")
    mark = mark_of(name.position_id)
    rest = _told(name.position_id)
    if name.attempt or not rest:
        rest = _digits(client_order_id, _REST_DIGITS)
    return int(f"{_OURS}{_PURPOSES.index(name.purpose)}{_mark_digits(mark)}{rest}")


def name_behind(number: int, mark: str = "") -> str | None:
    """A name of that number, or None if the number is not ours.

    `mark` is that of the connection which asks: a number with it gets a name that is its own, any
    other one that of a stranger.
    """
    text = str(number)
    if len(text) != _LENGTH or not text.startswith(_OURS) or int(text[1]) >= len(_PURPOSES):
        return None
    told, rest = text[2 : 2 + _MARK_DIGITS], text[2 + _MARK_DIGITS :]
    if not mark or _mark_digits(mark) != told:
        mark = _NO_MARK + told
    return order_name(mark + _INFIX + rest, _PURPOSES[int(text[1])], 0)


def as_number(told: str) -> int | None:
    """The number a venue told, or None if it is another kind of text."""
    return int(told) if told.isascii() and told.isdigit() else None


def _told(position_id: str) -> str:
    """The digits that a position id of `name_behind` holds; empty for any other."""
    rest = position_id[len(mark_of(position_id)) :]
    digits = rest.removeprefix(_INFIX)
    is_told = rest.startswith(_INFIX) and len(digits) == _REST_DIGITS and digits.isdigit()
    return digits if is_told else ""


def _mark_digits(mark: str) -> str:
    digits = mark[len(_NO_MARK) :]
    if mark.startswith(_NO_MARK) and len(digits) == _MARK_DIGITS and digits.isdigit():
        return digits
    return _digits(mark, _MARK_DIGITS)


def _digits(text: str, count: int) -> str:
    """The last decimal digits of a digest; leading zeros stay."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest())
    return f"{number % 10**count:0{count}d}"
