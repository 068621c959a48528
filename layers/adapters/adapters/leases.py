"""One owner per loop, held as a row in DynamoDB and changed by single conditional writes."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from adapters.tables import LeaseItem
from adapters.transactions import busy, is_busy, is_refused, pause, reading
from engine.errors import LeaseLostError
from engine.ports import Clock
from engine.records import Lease, LeaseRow, Obeyed
from engine.values import Loop

RUN, PAUSE, STOP = "run", "pause", "stop"
IDLE, LIVE = "idle", "live"


def lease_key(connection_id: str, loop: Loop) -> str:
    """The key of a loop's lease row."""
    return f"{connection_id}#{loop}"


def is_mine(lease: Lease, now_ms: int) -> Condition:
    """The condition on a lease row under which its holder may write.

    A lease past its end gives no right, even if nobody has taken it over yet.
    """
    mine: Condition = _names(lease) & (LeaseItem.expires_at_ms > now_ms)
    return mine


def renewed(lease: Lease, clock: Clock) -> Lease:
    """The same lease as it will be when a write sent now extends it."""
    return replace(lease, sent_at_ms=clock.now_ms(), sent_at_monotonic_ms=clock.monotonic_ms())


def wish_actions(wanted: str, *, now_ms: int) -> list[Action]:
    """What an operator's wish changes of a lease row; its number tells it from an equal one."""
    if wanted not in (RUN, PAUSE, STOP):
        raise ValueError(f"wanted must be {RUN!r}, {PAUSE!r} or {STOP!r}, was {wanted!r}")
    return [
        LeaseItem.wanted.set(wanted),
        LeaseItem.wanted_ms.set(now_ms),
        LeaseItem.wanted_number.add(1),
    ]


def row_of(lease: Lease) -> LeaseItem:
    """The lease row as the target of an update."""
    return LeaseItem(lease_key(lease.connection_id, lease.loop))


def lost(lease: Lease) -> LeaseLostError:
    """The error for a refused write under `lease`."""
    key = lease_key(lease.connection_id, lease.loop)
    return LeaseLostError(f"lease {key} no longer belongs to token {lease.token}")


class DynamoLeases:
    """`engine.ports.Leases` on the table `leases`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(
        self, connection_id: str, loop: Loop, *, token: int, owner: str, lease_ms: int
    ) -> Lease:
        """Compare-and-set `token` to `token + 1` for the fresh nonce `owner`.

        A refused or unclear write is re-read strongly and judged by the nonce: the SDK may have
        repeated a write that had arrived.

        Raises
        ------
        LeaseLostError
            If the row does not hold `token` any more.
        StoreBusyError
            If it stayed unclear.
        """
        given = LeaseItem.fencing_token == token
        if token == 0:
            given |= LeaseItem.fencing_token.does_not_exist()
        attempt = 0
        while True:
            attempt += 1
            lease = self._lease(connection_id, loop, token + 1, owner, lease_ms)
            actions = [
                LeaseItem.owner.set(owner),
                LeaseItem.fencing_token.set(lease.token),
                LeaseItem.expires_at_ms.set(lease.sent_at_ms + lease_ms),
                LeaseItem.phase.set(LIVE),
            ]
            error = _update(row_of(lease), actions, given)
            if error is None:
                return lease
            row = self.read(connection_id, loop)
            if (row.owner, row.token) == (owner, lease.token):
                return lease
            if row.token != token or is_refused(error):
                raise lost(lease) from error
            pause(attempt, "take lease", error)

    def renew(self, lease: Lease) -> Lease:
        """Extend the lease; raises LeaseLostError if it ran out, or changed owner or token."""
        longer = renewed(lease, self._clock)
        actions = [LeaseItem.expires_at_ms.set(longer.sent_at_ms + lease.lease_ms)]
        if not self._change(lease, actions, is_mine(lease, longer.sent_at_ms)):
            raise lost(lease)
        return longer

    def read(self, connection_id: str, loop: Loop) -> LeaseRow:
        """What the row says, read strongly; a row that was never written is free and stopped."""
        with reading("read lease"):
            try:
                item = LeaseItem.get(lease_key(connection_id, loop), consistent_read=True)
            except DoesNotExist:
                item = LeaseItem(lease_key(connection_id, loop))
        return _told(item)

    def read_both(self, connection_id: str) -> dict[Loop, LeaseRow]:
        """What `read` tells of each loop, in one call."""
        keys = {loop: lease_key(connection_id, loop) for loop in Loop}
        with reading("read leases"):
            found = LeaseItem.batch_get([*keys.values()], consistent_read=True)
            items = {item.lease_key: item for item in found}
        return {loop: _told(items.get(key) or LeaseItem(key)) for loop, key in keys.items()}

    def acknowledge(self, lease: Lease, obeyed: Obeyed) -> None:
        """Write what the loop obeys.

        Raises
        ------
        LeaseLostError
            If the lease moved or ran out.
        StoreBusyError
            If the store stayed busy.
        """
        actions = [LeaseItem.obeyed.set(asdict(obeyed))]
        if not self._change(lease, actions, is_mine(lease, self._clock.now_ms())):
            raise lost(lease)

    def go_idle(self, lease: Lease, *, seen_seq: int) -> bool:
        """End the loop and free its lease if no wish arrived since `seen_seq`, else False.

        Raises
        ------
        LeaseLostError
            If the lease moved.
        """
        unseen = LeaseItem.wish_seq == seen_seq
        if seen_seq == 0:
            unseen |= LeaseItem.wish_seq.does_not_exist()
        actions: list[Action] = [
            *_freed(),
            LeaseItem.phase.set(IDLE),
            LeaseItem.seen_seq.set(seen_seq),
        ]
        if self._change(lease, actions, is_mine(lease, self._clock.now_ms()) & unseen):
            return True
        row = self.read(lease.connection_id, lease.loop)
        if (row.owner, row.token, row.phase) == ("", lease.token, IDLE):
            return True  # an earlier copy of this very write arrived
        if (row.owner, row.token) != (lease.owner, lease.token):
            raise lost(lease)
        return False

    def release(self, lease: Lease) -> None:
        """Give it up; nothing happens if it is lost already."""
        self._change(lease, _freed(), _names(lease))

    def request(self, connection_id: str, loop: Loop, *, wanted: str) -> None:
        """Ask a loop to `run`, to `pause` or to `stop`."""
        with reading("request loop"):
            actions = wish_actions(wanted, now_ms=self._clock.now_ms())
            LeaseItem(lease_key(connection_id, loop)).update(actions)

    def tell_settings(self, connection_id: str, loop: Loop, version: int) -> None:
        """Tell a loop that newer settings are stored; one that never ran reads them anyway."""
        item = LeaseItem(lease_key(connection_id, loop))
        newer = LeaseItem.settings_version.does_not_exist() | (LeaseItem.settings_version < version)
        try:
            item.update(
                [LeaseItem.settings_version.set(version)],
                condition=LeaseItem.lease_key.exists() & newer,
            )
        except UpdateError as e:
            if is_busy(e):
                raise busy("tell a loop of settings", e) from e
            if not is_refused(e):
                raise

    def _lease(
        self, connection_id: str, loop: Loop, token: int, owner: str, lease_ms: int
    ) -> Lease:
        return Lease(
            connection_id=connection_id,
            loop=loop,
            owner=owner,
            token=token,
            sent_at_ms=self._clock.now_ms(),
            sent_at_monotonic_ms=self._clock.monotonic_ms(),
            lease_ms=lease_ms,
        )

    def _change(self, lease: Lease, actions: Sequence[Action], condition: Condition) -> bool:
        """Write once, or again while the store is busy; False if the condition does not hold."""
        attempt = 0
        while True:
            attempt += 1
            error = _update(row_of(lease), actions, condition)
            if error is None:
                return True
            if is_refused(error):
                return False
            pause(attempt, "change lease", error)


def _names(lease: Lease) -> Condition:
    names: Condition = (LeaseItem.owner == lease.owner) & (LeaseItem.fencing_token == lease.token)
    return names


def _freed() -> list[Action]:
    return [
        LeaseItem.owner.remove(),
        LeaseItem.expires_at_ms.set(0),
        LeaseItem.last_slot_ms.set(0),
    ]


def _update(row: LeaseItem, actions: Sequence[Action], condition: Condition) -> UpdateError | None:
    """None if it was written, else the refusal or the busy answer; other errors are raised."""
    try:
        row.update(actions=list(actions), condition=condition)
    except UpdateError as e:
        if is_refused(e) or is_busy(e):
            return e
        raise
    return None


def _told(item: LeaseItem) -> LeaseRow:
    return LeaseRow(
        owner=item.owner or "",
        token=item.fencing_token or 0,
        expires_at_ms=item.expires_at_ms or 0,
        last_slot_ms=item.last_slot_ms or 0,
        wish_seq=item.wish_seq or 0,
        seen_seq=item.seen_seq or 0,
        phase=item.phase or IDLE,
        wanted=item.wanted or STOP,
        halt=bool(item.halt),
        wanted_number=item.wanted_number or 0,
        wanted_ms=item.wanted_ms or 0,
        obeyed=Obeyed(**item.obeyed) if item.obeyed else None,
        settings_version=item.settings_version or 0,
        flatten=bool(item.flatten),
    )
