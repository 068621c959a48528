"""The tables that must last, as whole tables: the one place that reads them row after row.

A backup reads every table by a scan, page after page: what a deleted connection, a lost key or an
old subject left has no key that anybody still knows, and a copy that leaves it out is no copy. No
request and no tick does so; this is a process of its own, at an operator's wish.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

from local.backups.manifest import BackupError
from local.backups.rows import Item

# In the order of a restore: whatever lets an engine start comes last.
LASTING = (
    *("settings", "trade_engine_state", "leases", "orders", "positions", "trades"),
    "equity_samples",
    *("alerts", "notifications", "audit_heads", "audit_logs"),
    *("token_records", "api_tokens", "exchange_connections"),
)
REBUILT = {"configuration_sets": "the engine folds it anew out of history at its next start"}
PAGE = 500
BATCH = 25
ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and where the next ones begin; None at the end."""

    items: list[Item]
    next_key: Item | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The tables of one stack, named `<stack>-<name>`."""

    client: Any
    stack: str
    pause: Callable[[float], None] = time.sleep
    _keys: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def full_name(self, table: str) -> str:
        """Its name in DynamoDB."""
        return f"{self.stack}-{table}"

    def described(self, table: str) -> dict[str, Any]:
        """What DynamoDB says of it.

        Raises
        ------
        BackupError
            If there is no such table.
        """
        try:
            told = self.client.describe_table(TableName=self.full_name(table))
        except self.client.exceptions.ResourceNotFoundException:
            raise BackupError(
                f"table {self.full_name(table)} does not exist: deploy the stack first"
            ) from None
        found: dict[str, Any] = told["Table"]
        return found

    def key_names(self, table: str) -> tuple[str, ...]:
        """The attributes of its key."""
        if table not in self._keys:
            schema = self.described(table)["KeySchema"]
            self._keys[table] = tuple(key["AttributeName"] for key in schema)
        return self._keys[table]

    def key(self, table: str, item: Mapping[str, Any]) -> Item:
        """The key of a row."""
        return {name: item[name] for name in self.key_names(table)}

    def page(self, table: str, after: Item | None = None) -> Page:
        """The next rows, read strongly."""
        start = {"ExclusiveStartKey": after} if after else {}
        told = self.client.scan(
            TableName=self.full_name(table), ConsistentRead=True, Limit=PAGE, **start
        )
        return Page(told["Items"], told.get("LastEvaluatedKey"))

    def rows(self, table: str) -> Iterator[Item]:
        """All rows."""
        after = None
        while True:
            page = self.page(table, after)
            yield from page.items
            after = page.next_key
            if after is None:
                return

    def write(self, table: str, puts: Iterable[Item], deletes: Iterable[Item] = ()) -> None:
        """Put rows and delete keys, in batches; what DynamoDB leaves is sent again, ever later.

        Raises
        ------
        BackupError
            If it stays too busy.
        """
        requests = [{"PutRequest": {"Item": item}} for item in puts]
        requests += [{"DeleteRequest": {"Key": key}} for key in deletes]
        for batch in batched(requests, BATCH):
            self._send(table, list(batch))

    def _send(self, table: str, requests: list[dict[str, Any]]) -> None:
        name = self.full_name(table)
        for attempt in range(ATTEMPTS):
            told = self.client.batch_write_item(RequestItems={name: requests})
            requests = told.get("UnprocessedItems", {}).get(name, [])
            if not requests:
                return
            self.pause(min(0.05 * 2**attempt, 5.0))
        raise BackupError(f"table {name} stayed too busy to be written")
