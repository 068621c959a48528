"""Bybit's ways to write: numbers, ids, pages."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from local.paper.venues.bybit import errors
from local.paper.venues.bybit.parameters import Parameters

Json = Any
_ID = re.compile(r"([a-z0-9]{8})-0000-4000-8000-([0-9a-f]{12})")
_BOOKS, _MARKET = "c75b0000", "c75a0000"
_NAMED_BY_CORE = re.compile(r"paper_\d+|autoclose-.*|adl_autoclose.*")
_CURSOR = re.compile(r"page_token=(\d+)&")


def number(value: Decimal) -> str:
    """Plain decimal text without exponent."""
    return format(value, "f")


def money(value: Decimal) -> str:
    """USDT with eight places, no needless zeros."""
    return format(value.quantize(Decimal("1e-8")).normalize(), "f")


def uuid(value: int, kind: str = _BOOKS) -> str:
    """An id of the venue for a number of the books."""
    return f"{kind}-0000-4000-8000-{value:012x}"


def trade_uuid(trade_id: int) -> str:
    """The id of a public trade."""
    return uuid(trade_id, _MARKET)


def number_of(text: str) -> int:
    """The number behind an id, zero for one that is none of ours."""
    found = _ID.fullmatch(text)
    return int(found.group(2), 16) if found else 0


def link_id(client_id: str) -> str:
    """The client's own id; what the core named by itself has none."""
    return "" if _NAMED_BY_CORE.fullmatch(client_id) else client_id


def page[T](
    found: Sequence[T], given: Parameters, shape: Callable[[T], Json], *, default: int, most: int
) -> Json:
    """One page of a list, and the cursor of the next, written as the venue does."""
    limit, start = given.limit(default, most), _start(given)
    cursor = f"page_token%3D{start + limit}%26" if start + limit < len(found) else ""
    rows = [shape(one) for one in found[start : start + limit]]
    return {"list": rows, "nextPageCursor": cursor}


def _start(given: Parameters) -> int:
    cursor = unquote(given.text("cursor", ""))
    if not cursor:
        return 0
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise errors.bad("cursor is illegal")
    return int(found.group(1))
