"""Calls to DynamoDB that a test makes, and the rule that none of them reads a table through."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from adapters import dynamo

READS = frozenset({"GetItem", "BatchGetItem", "Query"})
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})
_EQUAL = r"#\w+ = :\w+"
_RANGE = r"#\w+ (?:=|<=?|>=?) :\w+|#\w+ BETWEEN :\w+ AND :\w+|begins_with \(#\w+, :\w+\)"
_KEY_CONDITION = re.compile(rf"\(?{_EQUAL}(?: AND \(?(?:{_RANGE})\)?)?\)?")


@dataclass(slots=True)
class StoreWatch:
    """The calls since it began: their names and what was asked."""

    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    @property
    def reads(self) -> int:
        return sum(name in READS for name, _ in self.calls)

    @property
    def names(self) -> Counter[str]:
        return Counter(name for name, _ in self.calls)

    def forget(self) -> None:
        self.calls.clear()

    def wrong(self) -> list[str]:
        """Calls that are neither a write, a get by key nor a query with one key condition."""
        return [f"{name} {dict(asked)}" for name, asked in self.calls if not _is_right(name, asked)]


@contextmanager
def watched_store() -> Iterator[StoreWatch]:
    """Watch the calls of this process's one connection."""
    watch = StoreWatch()

    def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        watch.calls.append((model.name, params))

    events = dynamo.connection().client.meta.events
    events.register("provide-client-params.dynamodb", note)
    try:
        yield watch
    finally:
        events.unregister("provide-client-params.dynamodb", note)


def _is_right(name: str, asked: Mapping[str, Any]) -> bool:
    if name == "Query":
        return bool(_KEY_CONDITION.fullmatch(asked.get("KeyConditionExpression", "")))
    return name in READS | WRITES
