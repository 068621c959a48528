"""What a restore brings back as it was, and what it must not: each table's own rule."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from local.backups.converging import Keeps
from local.backups.creating import AUDIT_HEADS, AUDIT_LINES
from local.backups.manifest import Manifest, rows_of
from local.backups.rows import Item
from local.backups.shelf import Shelf
from local.backups.tables import Tables

STOPPED: Item = {
    "desired_state": {"S": "stopped"},
    "actual_state": {"S": "stopped"},
    "may_trade": {"BOOL": False},
    "may_trade_preset": {"BOOL": False},
}
LATCHED = "emergency_stopped"
TOKENS = frozenset({"api_tokens", "token_records"})
FREE = ("owner", "expires_at_ms", "last_slot_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How the rows of one backup come into one stack's tables."""

    shelf: Shelf
    manifest: Manifest
    tables: Tables
    _tokens: dict[str, int] = field(default_factory=dict)
    """Lease key to the highest fencing token there was when this restore began."""

    def wanted(self, table: str) -> Iterator[Item]:
        """The rows that a table shall have."""
        shape = {"trade_engine_state": _stopped, "leases": self._free}.get(table, _as_it_was)
        return (shape(item) for item in rows_of(self.shelf, self.manifest, table))

    def keeps(self, table: str) -> Keeps:
        """Which present rows stay.

        Tokens stay as they are, so that none that was revoked since is good again. Audit chains
        that go on from where the backup ends stay whole; nothing written since is taken from them.
        """
        if table in TOKENS:
            return lambda key: True
        if table in (AUDIT_LINES, AUDIT_HEADS):
            return self._grown_chains()
        return lambda key: False

    def _grown_chains(self) -> Keeps:
        """Chains that hold the backup's last line, or of which it knows nothing."""
        heads = {
            head["subject"]["S"]: head for head in rows_of(self.shelf, self.manifest, AUDIT_HEADS)
        }
        name = self.tables.full_name(AUDIT_LINES)

        def holds_last_line(head: Item) -> bool:
            key = {"subject": head["subject"], "at_key": head["at_key"]}
            told = self.tables.client.get_item(TableName=name, Key=key, ConsistentRead=True)
            return bool(told.get("Item", {}).get("hash") == head["hash"])

        replaced = {subject for subject, head in heads.items() if not holds_last_line(head)}
        return lambda key: key["subject"]["S"] not in replaced

    def _free(self, item: Item) -> Item:
        """A lease nobody holds, whose token is above any that was ever given out."""
        key = item["lease_key"]["S"]
        known = max(self._tokens.get(key, 0), int(item.get("fencing_token", {"N": "0"})["N"]))
        kept = {name: value for name, value in item.items() if name not in FREE}
        return kept | {"fencing_token": {"N": str(known + 1)}}


def rules(shelf: Shelf, manifest: Manifest, tables: Tables) -> Rules:
    """The rules, with the tokens that the present leases have given out."""
    tokens = {
        item["lease_key"]["S"]: int(item["fencing_token"]["N"])
        for item in tables.rows("leases")
        if "fencing_token" in item
    }
    return Rules(shelf=shelf, manifest=manifest, tables=tables, _tokens=tokens)


def _as_it_was(item: Item) -> Item:
    return item


def _stopped(item: Item) -> Item:
    """An engine that nobody wants until the operator starts it; a latch stays."""
    if item.get("actual_state") == {"S": LATCHED}:
        return item | {name: value for name, value in STOPPED.items() if name != "actual_state"}
    return item | STOPPED
