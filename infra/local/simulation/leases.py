"""Lease rows in memory, with the conditions of the table that holds the real ones."""

from dataclasses import dataclass, field, replace

from engine.errors import LeaseLostError
from engine.ports import Clock
from engine.records import Lease, LeaseRow, Obeyed
from engine.values import Loop


@dataclass(slots=True)
class MemoryLeases:
    """Lease rows by (connection, loop); every change is a compare-and-set."""

    clock: Clock
    rows: dict[tuple[str, Loop], LeaseRow] = field(default_factory=dict)
    wanted_at_first: str = "run"  # what an operator asked for before the test began

    def read(self, connection_id: str, loop: Loop) -> LeaseRow:
        empty = LeaseRow(
            owner="",
            token=0,
            expires_at_ms=0,
            last_slot_ms=0,
            wish_seq=0,
            seen_seq=0,
            phase="idle",
            wanted=self.wanted_at_first,
            halt=False,
        )
        return self.rows.setdefault((connection_id, loop), empty)

    def take(
        self, connection_id: str, loop: Loop, *, token: int, owner: str, lease_ms: int
    ) -> Lease:
        row = self.read(connection_id, loop)
        is_repeated = (row.owner, row.token) == (owner, token + 1)
        if row.token != token and not is_repeated:
            raise LeaseLostError(f"lease of {connection_id}#{loop} moved to token {row.token}")
        now_ms = self.clock.now_ms()
        self.rows[connection_id, loop] = replace(
            row, owner=owner, token=token + 1, expires_at_ms=now_ms + lease_ms, phase="live"
        )
        return Lease(
            connection_id=connection_id,
            loop=loop,
            owner=owner,
            token=token + 1,
            sent_at_ms=now_ms,
            sent_at_monotonic_ms=self.clock.monotonic_ms(),
            lease_ms=lease_ms,
        )

    def renew(self, lease: Lease) -> Lease:
        row = self.confirmed(lease)
        now_ms = self.clock.now_ms()
        self._put(lease, replace(row, expires_at_ms=now_ms + lease.lease_ms))
        return replace(lease, sent_at_ms=now_ms, sent_at_monotonic_ms=self.clock.monotonic_ms())

    def confirmed(self, lease: Lease) -> LeaseRow:
        """The row, if owner and token are still the lease's and it has not run out."""
        row = self.read(lease.connection_id, lease.loop)
        if (row.owner, row.token) != (lease.owner, lease.token):
            raise LeaseLostError(f"lease of {lease.connection_id}#{lease.loop} is {row.owner}'s")
        if row.expires_at_ms <= self.clock.now_ms():
            raise LeaseLostError(f"lease of {lease.connection_id}#{lease.loop} ran out")
        return row

    def acknowledge(self, lease: Lease, obeyed: Obeyed) -> None:
        self._put(lease, replace(self.confirmed(lease), obeyed=obeyed))

    def acquire(
        self,
        connection_id: str,
        loop: Loop,
        *,
        given: int,
        owner: str,
        lease_ms: int,
        margin_ms: int,
    ) -> int | None:
        """What an execution does first: the new token, or None where somebody else runs the loop.

        It is free, it ran out, or it is handed over under the token `given`.
        """
        row, now_ms = self.read(connection_id, loop), self.clock.now_ms()
        is_over = not row.owner or row.expires_at_ms < now_ms - margin_ms
        if row.owner != owner and not is_over and row.token != given:
            return None
        if row.owner != owner:
            taken = replace(row, owner=owner, token=row.token + 1, expires_at_ms=now_ms + lease_ms)
            self.rows[connection_id, loop] = taken
        return self.rows[connection_id, loop].token

    def go_idle(self, lease: Lease, *, seen_seq: int) -> bool:
        row = self.confirmed(lease)
        if row.wish_seq != seen_seq:
            return False
        freed = replace(row, owner="", expires_at_ms=0, last_slot_ms=0)
        self._put(lease, replace(freed, phase="idle", seen_seq=seen_seq))
        return True

    def release(self, lease: Lease) -> None:
        row = self.read(lease.connection_id, lease.loop)
        if (row.owner, row.token) == (lease.owner, lease.token):
            self._put(lease, replace(row, owner="", expires_at_ms=0, last_slot_ms=0))

    def change(self, connection_id: str, loop: Loop, **values: object) -> None:
        """What an operator or another worker writes: wanted, halt, wish_seq, token."""
        row = self.read(connection_id, loop)
        self.rows[connection_id, loop] = replace(row, **values)  # type: ignore[arg-type]

    def _put(self, lease: Lease, row: LeaseRow) -> None:
        self.rows[lease.connection_id, lease.loop] = row
