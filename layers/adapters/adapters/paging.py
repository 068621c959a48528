"""Pages of an index, and cursors: opaque texts that are checked when they come back."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import and_
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import LocalSecondaryIndex

from adapters.tables import Row
from engine.errors import RefusedError

MAX_KEY_CHARACTERS = 1024
MAX_NUMBER_DIGITS = 15
PAGE = 200
MOST_READ = 1_000
"""Rows of one request to the store, and of one page of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """An index to page through, and the attributes its keys are made of."""

    index: LocalSecondaryIndex[Any]
    model: type[Row]
    key_kinds: Mapping[str, str]


def listing_by(index: LocalSecondaryIndex[Any], model: type[Row], row_id: str, by: str) -> Listing:
    """A listing by the range key `by` of rows that `row_id` names."""
    return Listing(index=index, model=model, key_kinds={"connection_id": "S", row_id: "S", by: "N"})


def page_of(
    listing: Listing,
    connection_id: str,
    *,
    only: Mapping[str, Sequence[str]],
    limit: int,
    start: dict[str, Any] | None,
) -> tuple[list[Any], str | None]:
    """At most `limit` rows that have one of the values of each attribute of `only`, and a cursor.

    No more than `MOST_READ` rows are looked at, the cursor names the last of them: where few have
    such values a page may be short, or empty, and still have a cursor.
    """
    conditions = [UnicodeAttribute(attr_name=name).is_in(*some) for name, some in only.items()]
    found = listing.index.query(
        connection_id,
        scan_index_forward=False,
        last_evaluated_key=start,
        page_size=PAGE if conditions else min(limit, PAGE),
        filter_condition=reduce(and_, conditions) if conditions else None,
    )
    rows: list[Any] = []
    for page in islice(found.page_iter, MOST_READ // PAGE):
        for item in page["Items"]:
            rows.append(listing.model.from_raw_data(item))
            if len(rows) == limit:
                last = {name: item[name] for name in found.page_iter.key_names}
                is_all = item is page["Items"][-1] and found.page_iter.last_evaluated_key is None
                return rows, None if is_all else to_cursor(last)
    return rows, to_cursor(found.page_iter.last_evaluated_key)


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
