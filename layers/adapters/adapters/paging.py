"""Cursors: where a page ended, as an opaque text that is checked when it comes back."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from engine.errors import RefusedError


def to_cursor(key: Mapping[str, Any] | None) -> str | None:
    """A DynamoDB key as text; None after the last page."""
    if key is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode()


def from_cursor(cursor: str | None, *, connection_id: str) -> dict[str, Any] | None:
    """The key a cursor names.

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
        typed = all(set(one) <= {"S", "N"} and len(one) == 1 for one in key.values())
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError("cursor is none that this API gave") from error
    if owner != connection_id or not typed:
        raise RefusedError("cursor belongs to another list")
    return dict(key)
