"""What one invocation of a loop is asked to do, and what it answers."""

from dataclasses import dataclass
from enum import StrEnum

from engine.desk import HaltProof
from engine.errors import CtsError, RetryableError
from engine.ports import World
from engine.records import Lease, LeaseRow, Obeyed
from engine.settings import Settings


class Outcome(StrEnum):
    """What the state machine does next."""

    AGAIN = "again"
    LOST = "lost"
    STOPPED = "stopped"
    IDLE = "idle"


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstRequest:
    """Input of a burst; `owner` is a nonce drawn by the handler for this invocation alone.

    `execution_id` is the owner that the state machine's own `Acquire` writes.
    """

    connection_id: str
    owner: str
    token: int
    execution_started_ms: int
    execution_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstReport:
    """Answer of a burst; `token` is the one the next burst must present.

    `halt_proof` is there where it ended because an emergency stop had come to its end.
    """

    outcome: Outcome
    token: int
    ticks: int = 0
    halt_proof: HaltProof | None = None


def is_stop_wanted(row: LeaseRow) -> bool:
    """Whether the operator, or an emergency, wants this loop to end."""
    return row.wanted == "stop" or row.halt


def is_paused(row: LeaseRow) -> bool:
    """Whether the operator wants nothing new opened; everything else goes on."""
    return row.wanted == "pause"


def acknowledge(world: World, lease: Lease, row: LeaseRow, slot_ms: int) -> None:
    """Prove by the tick of `slot_ms`, which did what `row` wanted, that the wish is obeyed.

    One write for a wish, not for a tick; while the store is busy each tick tries again.
    """
    if row.is_obeyed:
        return
    obeyed = Obeyed(
        wanted=row.wanted,
        number=row.wanted_number,
        slot_ms=slot_ms,
        token=lease.token,
        at_ms=world.clock.now_ms(),
    )
    try:
        world.leases.acknowledge(lease, obeyed)
    except RetryableError as error:
        world.log.fact("wish not acknowledged", {"wanted": row.wanted, "error": str(error)})


def nobody_acted_since(token: int, row: LeaseRow, request: BurstRequest) -> bool:
    """Whether no other burst held the lease after the one that left `token`.

    Only the acquisition by this very execution may lie between: it acts on nothing.
    """
    is_acquired = row.token == token + 1 and row.owner == request.execution_id
    return row.token == token or is_acquired


def last_slot(row: LeaseRow, now_ms: int, settings: Settings) -> int:
    """The slot the pace goes on from; 0 after a pause longer than a lease, which skips nothing."""
    return row.last_slot_ms if now_ms - row.last_slot_ms < settings.lease_ms else 0


RETRY_PAUSE_MS = 1_000


async def again(world: World, request: BurstRequest, token: int, error: CtsError) -> BurstReport:
    """Answer of a burst that cannot go on with its memory: the next one starts from the store."""
    world.log.fact("burst given up", {"connection_id": request.connection_id, "error": str(error)})
    await world.clock.sleep_until_ms(world.clock.now_ms() + RETRY_PAUSE_MS)
    return BurstReport(outcome=Outcome.AGAIN, token=token)
