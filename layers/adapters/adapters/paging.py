"""Cursors: where a page ended, as an opaque text that is checked when it comes back."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from engine.errors import RefusedError

MAX_KEY_CHARACTERS = 1024
MAX_NUMBER_DIGITS = 15


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
