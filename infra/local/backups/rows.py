"""Rows as DynamoDB tells them, their text in a file, and digests that no order changes."""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

Item = dict[str, dict[str, Any]]
"""Attribute name to a typed value, such as `{"N": "1"}`; bytes under `B`."""

_DIGITS = Context(prec=38)  # of any number in DynamoDB
_MODULUS = 1 << 256


def text_of(item: Mapping[str, Any]) -> str:
    """A row as one line of JSON: keys sorted, bytes in base64; equal rows give equal lines."""
    return json.dumps(
        {name: _told(value) for name, value in item.items()}, sort_keys=True, separators=(",", ":")
    )


def item_of(text: str) -> Item:
    """The row of a line that `text_of` wrote."""
    return {name: _read(value) for name, value in json.loads(text).items()}


def _told(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return {kind: _number(content)}
        case "NS":
            return {kind: sorted(_number(one) for one in content)}
        case "B":
            return {kind: base64.b64encode(content).decode()}
        case "BS":
            return {kind: sorted(base64.b64encode(one).decode() for one in content)}
        case "M":
            return {kind: {name: _told(one) for name, one in content.items()}}
        case "L":
            return {kind: [_told(one) for one in content]}
    return {kind: sorted(content) if kind == "SS" else content}


def _number(text: str) -> str:
    """Without zeros that say nothing: some writes keep them, others do not."""
    return f"{Decimal(text).normalize(_DIGITS):f}"


def _read(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return {kind: base64.b64decode(content)}
        case "BS":
            return {kind: [base64.b64decode(one) for one in content]}
        case "M":
            return {kind: {name: _read(one) for name, one in content.items()}}
        case "L":
            return {kind: [_read(one) for one in content]}
    return dict(value)


def packed(items: Iterable[Mapping[str, Any]]) -> bytes:
    """Rows as gzipped JSON lines; equal rows in equal order give equal bytes."""
    lines = "".join(f"{text_of(item)}\n" for item in items)
    return gzip.compress(lines.encode(), mtime=0)


def unpacked(content: bytes) -> Iterator[Item]:
    """The rows of a file that `packed` made."""
    for line in gzip.decompress(content).decode().splitlines():
        yield item_of(line)


def digest_of(item: Mapping[str, Any]) -> bytes:
    """SHA-256 of a row's line."""
    return hashlib.sha256(text_of(item).encode()).digest()


@dataclass(slots=True)
class Sum:
    """How many rows, and the sum of their digests: the same for the same rows in any order."""

    count: int = 0
    total: int = 0

    def add(self, item: Mapping[str, Any]) -> None:
        """Count one more row in."""
        self.count += 1
        self.total = (self.total + int.from_bytes(digest_of(item))) % _MODULUS

    @property
    def text(self) -> str:
        return f"{self.total:064x}"
