"""Pages of an index, and cursors: opaque texts that are checked when they come back."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import LocalSecondaryIndex

from engine.errors import RefusedError

MAX_KEY_CHARACTERS = 1024
MAX_NUMBER_DIGITS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """An index to page through, and the attributes its keys are made of."""

    index: LocalSecondaryIndex[Any]
    key_kinds: Mapping[str, str]


def listing_by(index: LocalSecondaryIndex[Any], row_id: str, by: str) -> Listing:
    """A listing by the range key `by` of rows that `row_id` names."""
    return Listing(index=index, key_kinds={"connection_id": "S", row_id: "S", by: "N"})


def page_of(
    index: LocalSecondaryIndex[Any],
    connection_id: str,
    *,
    symbol: str | None,
    limit: int,
    start: dict[str, Any] | None,
) -> tuple[list[Any], str | None]:
    """`limit` rows of the wanted symbol; the cursor is that of the last row read."""
    found: Iterator[Any] = index.query(
        connection_id,
        scan_index_forward=False,
        last_evaluated_key=start,
        page_size=min(limit, 200),
        filter_condition=None
        if symbol is None
        else (UnicodeAttribute(attr_name="symbol") == symbol),
    )
    rows = []
    for row in found:
        rows.append(row)
        if len(rows) == limit:
            return rows, to_cursor(found.last_evaluated_key)  # type: ignore[attr-defined]
    return rows, None


def to_cursor(key: Mapping[str, Any] | None) -> str | None:
    """A DynamoDB key as text; None after the last page."""
    if key is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode()


def from_cursor(
    cursor: str | None, *, connection_id: str, kinds: Mapping[str, str]
) -> dict[str, Any] | None:
    """The key a cursor names; it must have exactly these attributes, each of its kind (S or N).

    Raises
    ------
    RefusedError
        If it is none of ours, or belongs to another connection.
    """
    if cursor is None:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        owner = key["connection_id"]["S"]
        fits = key.keys() == kinds.keys() and all(
            _is_value(key[name], kind) for name, kind in kinds.items()
        )
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError("cursor is none that this API gave") from error
    if owner != connection_id or not fits:
        raise RefusedError("cursor belongs to another list")
    return dict(key)


def _is_value(one: Mapping[str, Any], kind: str) -> bool:
    """Whether it is a key value as DynamoDB takes it: a text or a whole number."""
    text = one.get(kind)
    limit = MAX_KEY_CHARACTERS if kind == "S" else MAX_NUMBER_DIGITS
    if len(one) != 1 or not isinstance(text, str) or not 0 < len(text) <= limit:
        return False
    return kind == "S" or (text.isascii() and text.isdigit())
